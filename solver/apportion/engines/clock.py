"""How long a solve may still take, and whether somebody has called it off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

LOOK_EVERY = 0.02  # seconds between two looks while compiled loops run


class Clock:
    """Counts down from a limit in seconds; `cancelled` ends it before."""

    def __init__(self, seconds: float, cancelled: Callable[[], bool] | None = None) -> None:
        self._end = time.monotonic() + seconds
        self._ask = cancelled
        self._called_off = False

    def left(self) -> float:
        """Seconds left, never negative."""
        return 0.0 if self.called_off() else max(0.0, self._end - time.monotonic())

    def is_over(self) -> bool:
        """Whether the time is used up, or the solve called off."""
        return self.left() <= 0.0

    def called_off(self) -> bool:
        """Whether the solve was called off: once is for good."""
        self._called_off = self._called_off or (self._ask is not None and self._ask())
        return self._called_off

    @contextmanager
    def flag(self) -> Iterator[NDArray[np.int8]]:
        """A number that compiled loops can look at: it turns to 1 when the clock is over."""
        over, done = np.zeros(1, dtype=np.int8), threading.Event()

        def watch() -> None:
            while not done.wait(LOOK_EVERY):
                if self.is_over():
                    over[0] = 1
                    return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield over
        finally:
            done.set()
            thread.join()
