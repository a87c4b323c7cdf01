"""Single leads, now: by the prices of the last plan, within what the window has left, under the rules of the policy."""

from apportion.service.runs.routing.asking import Ask, Once, Routed
from apportion.service.runs.routing.clerk import LeadRouter

__all__ = ["Ask", "LeadRouter", "Once", "Routed"]
