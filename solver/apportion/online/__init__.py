"""One lead at a time, by the last plan's prices: hard rules are kept, prices follow the arrivals, and the value is told
against hindsight."""

from apportion.online.decision import Decision, Decisions
from apportion.online.report import Hindsight, Report
from apportion.online.router import Router

__all__ = ["Decision", "Decisions", "Hindsight", "Report", "Router"]
