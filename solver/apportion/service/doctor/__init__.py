"""The doctor: looks at everything that the service stands on, changes nothing, and says what to do."""

from apportion.service.doctor.check import Check, Look, Report
from apportion.service.doctor.examine import examine, look_at_store

__all__ = ["Check", "Look", "Report", "examine", "look_at_store"]
