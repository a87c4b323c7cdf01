"""Numbers with their intervals, as words."""

from __future__ import annotations

from apportion_models.policy_value import Interval


def percent_words(one: Interval, form: str = ".0%") -> str:
    """12 % with both ends of its interval."""
    return f"{one.value:{form}} ({one.low:{form}} to {one.high:{form}})"


def amount_words(amount: Interval, money: str) -> str:
    """A difference in currency with both ends of its interval."""
    return f"{amount.value:+,.0f} {money} ({amount.low:+,.0f} to {amount.high:+,.0f})"
