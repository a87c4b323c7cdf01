"""What one client may ask for: bytes, seconds, requests a minute, leads × reps; and what all may at once: solves."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from apportion.service.api.errors import BusyError, TooManyError

MOST_NAMES = 10_000  # of those who asked last; who is forgotten begins with a full bucket


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the service's settings allow.

    body_bytes : of one request. request_seconds : until a request is answered 503. per_minute : requests of one key, or
    of one address without a good key; 0 is no limit. at_once_pairs : leads × reps that are answered at once, and not as
    a job. at_once_seconds : how long such an answer may take before it becomes a job. solves : plain arrays and
    scenarios that are solved at the same time; the others wait for a seat. answers_kept : for how long the answer to an
    Idempotency-Key is. origins : web origins that browsers may call from; none is no CORS.
    """

    body_bytes: int = 32 * 2**20
    request_seconds: float = 60.0
    per_minute: int = 6_000
    at_once_pairs: int = 250_000
    at_once_seconds: float = 20.0
    solves: int = 8
    answers_kept: dt.timedelta = dt.timedelta(hours=24)
    origins: tuple[str, ...] = ()

    @property
    def longest_work(self) -> float:
        """Seconds that a call may work or wait, so that its answer comes before its time is over."""
        return 0.8 * self.request_seconds


class Seats:
    """Room for so many solves at once: more would take the threads from which all other calls are answered."""

    def __init__(self, most: int, *, seconds: float) -> None:
        self._free, self._seconds = asyncio.Semaphore(most), seconds

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[float]:
        """One seat, as soon as one is free; gives how many seconds of the call's time are left. Raises BusyError where
        half of them would be gone."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds / 2):
                await self._free.acquire()
        except TimeoutError:
            raise BusyError("As much is being solved as there is room for: ask again a little later.") from None
        try:
            yield self._seconds - (time.monotonic() - began)
        finally:
            self._free.release()


class Buckets:
    """A bucket of tokens for each name, filled evenly over a minute; one request takes one token."""

    def __init__(self, per_minute: int) -> None:
        self._most, self._lock = float(per_minute), threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> None:
        """Take one token. Raises TooManyError, which says when there will be one."""
        if not self._most:
            return
        with self._lock:
            now, rate = time.monotonic(), self._most / 60.0
            left, since = self._left.pop(name, (self._most, now))
            left = min(self._most, left + (now - since) * rate)
            self._left[name] = (max(left - 1.0, 0.0) if left >= 1.0 else left, now)
            if len(self._left) > MOST_NAMES:
                self._left.popitem(last=False)
        if left < 1.0:
            raise TooManyError(after=math.ceil((1.0 - left) / rate))
