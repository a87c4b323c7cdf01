"""Work in the background, one piece after another: what it is doing, what came out, and calling it off."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from apportion.engines import Progress
from apportion_models.errors import ApportionError

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("waiting", "running")
KEPT = 24  # finished jobs whose answers are held

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """One piece of work. kind : what it answers. subject : what it is about, as whoever asked for it has it. result :
    set when it is done. fault : set when it failed. solve : how far the solve is that goes on."""

    id: str
    kind: str
    title: str
    subject: Any = None
    state: State = "waiting"
    step: str = "Waiting for its turn"
    number: int = 0
    of: int = 0
    result: Any = None
    fault: ApportionError | None = None
    asked: float = field(default_factory=time.monotonic)
    ended: float | None = None
    solve: Progress | None = None
    _off: threading.Event = field(default_factory=threading.Event)

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN

    @property
    def seconds(self) -> float:
        """Since it was asked for, until it ended."""
        return (time.monotonic() if self.ended is None else self.ended) - self.asked

    def tell(self, step: str, number: int | None = None, of: int | None = None) -> None:
        """Say what is being done, and how far that is."""
        self.step = step
        self.number = self.number if number is None else number
        self.of = self.of if of is None else of
        self.solve = None

    def solving(self, state: Progress) -> None:
        """The solve has a better bound or plan."""
        self.solve = state

    def cancelled(self) -> bool:
        """Whether somebody called it off."""
        return self._off.is_set()

    def cancel(self) -> None:
        """Call it off; what is finished stays as it is."""
        if self.open:
            self._off.set()
            self.step = "Stopping"

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "state": self.state,
            "step": self.step,
            "number": self.number,
            "of": self.of,
            "seconds": round(self.seconds, 1),
            "solve": None if self.solve is None or not self.open else _numbers(self.solve),
        }


def _numbers(state: Progress) -> dict[str, float | None]:
    """What is known of a solve; null for what is not, such as the gap before the first plan."""
    told = {"bound": state.bound, "objective": state.objective, "gap": state.gap}
    return {name: value if math.isfinite(value) else None for name, value in told.items()}


class Jobs:
    """All jobs of a console. They run one at a time, so that each has the machine for itself; or in a pool that
    consoles share, which whoever made it ends. kept : finished jobs whose answers are held. mark : begins their ids."""

    def __init__(self, pool: ThreadPoolExecutor | None = None, *, kept: int = KEPT, mark: str = "") -> None:
        self._is_own = pool is None
        self._pool = pool or ThreadPoolExecutor(max_workers=1, thread_name_prefix="console")
        self._kept, self._mark = kept, mark
        self._jobs: dict[str, Job] = {}
        self._guard = threading.Lock()
        self._count = 0

    def start(self, kind: str, title: str, work: Callable[[Job], Any], *, subject: Any = None) -> Job:
        """Ask for work; an open job of the same kind is called off, for its answer is no longer wanted."""
        with self._guard:
            for other in self._jobs.values():
                if other.kind == kind:
                    other.cancel()
            self._count += 1
            job = Job(id=f"{self._mark}{self._count}", kind=kind, title=title, subject=subject)
            self._jobs[job.id] = job
            self._forget()
        self._pool.submit(self._run, job, work)
        return job

    def find(self, name: str) -> Job | None:
        """The job with this id, if it is still held."""
        return self._jobs.get(name)

    def last(self, kind: str) -> Job | None:
        """The latest job of a kind that is open or done."""
        with self._guard:
            found = [job for job in self._jobs.values() if job.kind == kind and job.state != "cancelled"]
        return found[-1] if found else None

    def close(self) -> None:
        """Call everything off and, in a pool of its own, wait until it has stopped."""
        with self._guard:
            for job in self._jobs.values():
                job.cancel()
        if self._is_own:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _forget(self) -> None:
        ended = [name for name, job in self._jobs.items() if not job.open]
        for name in ended[: max(0, len(ended) - self._kept)]:
            del self._jobs[name]

    @staticmethod
    def _run(job: Job, work: Callable[[Job], Any]) -> None:
        if not job.cancelled():
            job.state = "running"
            try:
                job.result = work(job)
            except ApportionError as error:
                job.fault = error
            except Exception:
                log.exception("The job %r failed", job.title)
                job.fault = ApportionError("This is a bug in Apportion. The lines above, where it runs, tell more.")
        job.ended = time.monotonic()
        job.state = "cancelled" if job.cancelled() else "failed" if job.fault is not None else "done"
