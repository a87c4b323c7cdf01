"""Heart: while a worker works, it keeps the lease, tells how far the run is, and hears whether it is to stop."""

from __future__ import annotations

import math
import threading
from types import TracebackType
from typing import Any

from apportion.engines import Progress
from apportion.service.store import Lease, LostError, Store
from apportion_models.errors import ServiceError

BEATS = 3  # in the time of a lease


class Heart:
    """Beats in a thread of its own from entering to leaving. `stopped()` is what a solve asks."""

    def __init__(self, store: Store, lease: Lease, seconds: float) -> None:
        self._store, self._lease, self._seconds = store, lease, seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heart of {lease.name}", daemon=True)
        self._progress: dict[str, Any] | None = None
        self.cancelled, self.lost = False, False

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def stopped(self) -> bool:
        """Whether the run was called off, or another worker has it."""
        return self.cancelled or self.lost

    def step(self, text: str) -> None:
        """A new step begins."""
        self._progress = {"step": text}

    def solving(self, state: Progress) -> None:
        """The solve has a better bound or plan."""
        numbers = {"bound": state.bound, "objective": state.objective, "gap": state.gap}
        told = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        self._progress = {"step": (self._progress or {}).get("step", "")} | told

    def _beat(self) -> None:
        while not self._over.wait(self._seconds / BEATS):
            try:
                with self._store.write() as tx:
                    self.cancelled = tx.runs.tell(self._lease, self._seconds, self._progress) or self.cancelled
            except LostError:
                self.lost = True
                return
            except ServiceError:
                continue  # the store fails or is away: the lease may lapse, and then its fence tells
