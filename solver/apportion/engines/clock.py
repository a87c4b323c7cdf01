"""How long a solve may still take."""

from __future__ import annotations

import time


class Clock:
    """Counts down from a limit in seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def is_over(self) -> bool:
        """Whether the time is used up."""
        return self.left() <= 0.0
