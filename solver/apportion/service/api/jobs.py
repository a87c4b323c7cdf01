"""Jobs: runs that this process works off beside its answers. A process that dies leaves them to the next."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from apportion.service.runs import work
from apportion.service.store import LostError, Run, Store
from apportion_models.errors import ServiceError

LOOK_SECONDS = 0.02
LONGEST_LEASE = 15.0  # a job tells how far it is, and hears that it is called off, three times in a lease

Said = Callable[[str], None]


class Jobs:
    """A few threads that take the runs they are told of. ended : told of each run that this process ended."""

    def __init__(
        self,
        store: Store,
        *,
        workers: int = 2,
        lease_seconds: float = 60.0,
        ended: Callable[[Run], None] = lambda _: None,
    ) -> None:
        self._store, self._seconds, self._ended = store, min(lease_seconds, LONGEST_LEASE), ended
        self._owner = f"api:{socket.gethostname()}:{uuid.uuid4().hex[:8]}"
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="plan")
        self._stop = threading.Event()
        self._taken: set[str] = set()

    def begin(self, run_id: str) -> None:
        """Work at a run, when a thread is free; it may be told more than once."""
        if run_id not in self._taken and not self._stop.is_set():
            self._taken.add(run_id)
            self._pool.submit(self._work, run_id)

    def wait(self, run_id: str, seconds: float) -> Run:
        """The run, when it is over, or as it is after so many seconds."""
        end, pause = time.monotonic() + seconds, LOOK_SECONDS
        while True:
            with self._store.read() as tx:
                run = tx.runs.get(run_id)
            if run.is_over or time.monotonic() >= end:
                return run
            time.sleep(pause)
            pause = min(0.5, pause * 1.3)

    def close(self) -> None:
        """Take nothing new, and end what is being done: at its next step, for its lease is given up."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, run_id: str) -> None:
        """To its end. One that waits for another batch is looked at again; one that another has is theirs."""
        try:
            while not self._stop.is_set():
                run = work(self._store, owner=f"{self._owner}:{run_id[:8]}", seconds=self._seconds, run_id=run_id)
                if run is not None:
                    self._ended(run)
                    return
                with self._store.read() as tx:
                    if tx.runs.get(run_id).state != "queued":
                        return
                self._stop.wait(0.2)
        except (LostError, ServiceError):
            return  # another has it, or the next look at the clock finds it
        finally:
            self._taken.discard(run_id)
