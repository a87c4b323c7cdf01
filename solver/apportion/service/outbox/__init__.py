"""Letters from the store's outbox to the world: at least once, in order for each lead, never two at one time."""

from __future__ import annotations

from apportion.service.outbox.deliver import Delivered, Deliverer
from apportion.service.outbox.pauses import Pauses
from apportion.service.outbox.sinks import Route, hearers, read_sinks, tell

__all__ = ["Delivered", "Deliverer", "Pauses", "Route", "hearers", "read_sinks", "tell"]
