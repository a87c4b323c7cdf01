"""Jobs: runs that this process works off beside its answers. A process that dies leaves them to the next."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from fastapi.concurrency import run_in_threadpool

from apportion.service.runs import work
from apportion.service.store import LostError, Run, Store
from apportion_models.errors import ServiceError

LOOK_SECONDS, LONGEST_LOOK = 0.02, 0.5
TURN_SECONDS = 0.1  # until a run that waits its turn is looked at again
LONGEST_LEASE = 15.0  # a job tells how far it is, and hears that it is called off, three times in a lease


class Jobs:
    """A few threads that take the runs they are told of. ended : told of each run that this process ended. log :
    where to tell of bugs, which no answer tells of."""

    def __init__(
        self,
        store: Store,
        *,
        workers: int = 2,
        lease_seconds: float = 60.0,
        ended: Callable[[Run], None] = lambda _: None,
        log: Any = None,
    ) -> None:
        self._store, self._seconds, self._ended = store, min(lease_seconds, LONGEST_LEASE), ended
        self._log = log
        self._owner = f"api:{socket.gethostname()}:{uuid.uuid4().hex[:8]}"
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="plan")
        self._stop = threading.Event()
        self._taken: set[str] = set()

    def begin(self, run_id: str) -> None:
        """Work at a run, when a thread is free; it may be told more than once."""
        if run_id not in self._taken and not self._stop.is_set():
            self._taken.add(run_id)
            with suppress(RuntimeError):  # it was closed just now: the run waits for the next process
                self._pool.submit(self._work, run_id)

    async def wait(self, run_id: str, seconds: float) -> Run:
        """The run, when it is over, or as it is after so many seconds. No thread is held meanwhile. Raises
        NotFoundError."""
        end, pause = time.monotonic() + seconds, LOOK_SECONDS
        while True:
            run = await run_in_threadpool(self._look, run_id)
            left = end - time.monotonic()
            if run.is_over or left <= 0:
                return run
            await asyncio.sleep(min(pause, left))
            pause = min(LONGEST_LOOK, pause * 1.3)

    def close(self) -> None:
        """Take nothing new, and end what is being done: at its next step, for its lease is given up."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _look(self, run_id: str) -> Run:
        with self._store.read() as tx:
            return tx.runs.get(run_id)

    def _work(self, run_id: str) -> None:
        """To its end. One that waits for another batch goes to the end of the queue; one that another has is theirs."""
        waits = False
        try:
            run = work(self._store, owner=f"{self._owner}:{run_id[:8]}", seconds=self._seconds, run_id=run_id)
            if run is not None:
                self._ended(run)
            else:
                waits = self._look(run_id).state == "queued"
        except (LostError, ServiceError):
            return  # another has it, or the next look at the clock finds it
        except Exception:
            if self._log is not None:
                self._log.error("job failed", run=run_id, exc_info=True)
        finally:
            self._taken.discard(run_id)
        if waits and not self._stop.wait(TURN_SECONDS):
            self.begin(run_id)
