"""Seeing how it goes: alarms with what to do, metrics, logs without personal data."""

from __future__ import annotations

from apportion.service.watching.alarms import Facts, alarms
from apportion.service.watching.logs import set_up_logs
from apportion.service.watching.looking import look, raise_alarms
from apportion.service.watching.metrics import Metrics

__all__ = ["Facts", "Metrics", "alarms", "look", "raise_alarms", "set_up_logs"]
