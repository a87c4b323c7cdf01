"""When batches run: slots, each run exactly once."""

from __future__ import annotations

from apportion.service.schedule.due import Slot, due, next_time

__all__ = ["Slot", "due", "next_time"]
