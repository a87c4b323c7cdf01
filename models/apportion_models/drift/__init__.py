"""Monitoring of a model in use: does it still hold what it promised, and for whom not?"""

from apportion_models.drift.alarms import Alarm
from apportion_models.drift.monitor import MonitorReport, monitor

__all__ = ["Alarm", "MonitorReport", "monitor"]
