"""Runs: a batch from the store to a plan and back, exactly once whoever dies on the way."""

from apportion.service.runs.keeping import document, keep
from apportion.service.runs.repeating import Repeated, repeat
from apportion.service.runs.restoring import Restored, restore
from apportion.service.runs.routing import LeadRouter
from apportion.service.runs.starting import Begun, ask_given, begin, renew
from apportion.service.runs.worker import work

__all__ = [
    "Begun",
    "LeadRouter",
    "Repeated",
    "Restored",
    "ask_given",
    "begin",
    "document",
    "keep",
    "renew",
    "repeat",
    "restore",
    "work",
]
