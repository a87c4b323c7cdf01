"""When batches run: slots, each run exactly once."""

from __future__ import annotations

from apportion.service.schedule.due import Slot, due, next_time
from apportion.service.schedule.learning import Learnt
from apportion.service.schedule.runner import Runner, Ticked, ask_for_due

__all__ = ["Learnt", "Runner", "Slot", "Ticked", "ask_for_due", "due", "next_time"]
