"""Sessions: who signed in with which key, until when. Opaque and in memory: a service that starts anew knows nobody."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apportion.service.store import ApiKey

if TYPE_CHECKING:
    from apportion.service.console.console import Console

IDLE_SECONDS = 3_600.0  # without a request
LONGEST_SECONDS = 8 * 3_600.0
MOST_SESSIONS = 500  # the one that was quiet longest goes first
ASK_SCOPE, READ_SCOPE = "write", "read"  # those of `POST /v1/plans` and `GET /v1/plans`


@dataclass(eq=False)
class Session:
    """One person at one browser. key : with which they signed in. consoles : of the plans that they look at."""

    key: ApiKey
    began: float
    seen: float
    consoles: OrderedDict[str, Console] = field(default_factory=OrderedDict)

    @property
    def may_ask(self) -> bool:
        """Whether the key is good for asking for plans, and not only for reading them."""
        return self.key.may(ASK_SCOPE)

    @property
    def actor(self) -> str:
        """Who is noted in the audit trail."""
        return f"key:{self.key.key_id}"

    def holds(self, key: ApiKey, now: dt.datetime) -> bool:
        """Whether the key is still the one that was signed in with, and good. A new secret ends what the old began."""
        same = key.rotated_at == self.key.rotated_at and key.scopes == self.key.scopes
        return same and key.good_at(now) and key.may(READ_SCOPE)


class Sessions:
    """All sessions of a process, by the hash of what the browser holds. clock : seconds, for tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._held: OrderedDict[str, Session] = OrderedDict()

    def begin(self, key: ApiKey) -> tuple[str, Session]:
        """A new session, and the token that the browser is to hold."""
        token, now = secrets.token_urlsafe(32), self._clock()
        session = Session(key, now, now)
        with self._lock:
            self._held[_hash(token)] = session
            gone = [self._held.popitem(last=False)[1] for _ in range(len(self._held) - MOST_SESSIONS)]
        _closed(gone)
        return token, session

    def find(self, token: str) -> Session | None:
        """The session of a token, if it lasts."""
        name, now = _hash(token), self._clock()
        with self._lock:
            over = [key for key, one in self._held.items() if self._is_over(one, now)]
            gone = [self._held.pop(key) for key in over]
            found = self._held.get(name)
            if found is not None:
                found.seen = now
                self._held.move_to_end(name)
        _closed(gone)
        return found

    def end(self, token: str) -> None:
        """Sign out."""
        with self._lock:
            found = self._held.pop(_hash(token), None)
        _closed([] if found is None else [found])

    def let_go(self, run_id: str) -> None:
        """Nobody looks at this run's plan any more: what was asked of it is called off and forgotten."""
        with self._lock:
            gone = [one.consoles.pop(run_id) for one in self._held.values() if run_id in one.consoles]
        for console in gone:
            console.jobs.close()

    def close(self) -> None:
        """Sign everybody out."""
        with self._lock:
            gone = list(self._held.values())
            self._held.clear()
        _closed(gone)

    @staticmethod
    def _is_over(session: Session, now: float) -> bool:
        return now - session.seen > IDLE_SECONDS or now - session.began > LONGEST_SECONDS


def _closed(sessions: list[Session]) -> None:
    for session in sessions:
        for console in list(session.consoles.values()):
            console.jobs.close()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
