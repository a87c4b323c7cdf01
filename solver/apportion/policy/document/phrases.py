"""The words that all chapters share."""

from __future__ import annotations

from dataclasses import dataclass, field

from apportion.policy.document.sentences import said
from apportion.policy.predicates import Predicate
from apportion.policy.schema import Policy
from apportion.policy.schema.common import EVERY_LEAD, EVERY_PAIR, EVERY_REP


@dataclass(frozen=True)
class RuleText:
    """One rule: its name, what it says, how firm it is, and the predicates as they are written."""

    name: str
    says: str
    force: str = ""  # "hard", "soft: EUR 50", or nothing
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class SectionText:
    """One chapter of the page."""

    key: str
    title: str
    says: str
    rules: list[RuleText] = field(default_factory=list)


def many(count: int, thing: str) -> str:
    """`1 lead`, `2 leads`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def money(policy: Policy, amount: float) -> str:
    """An amount with the currency."""
    return f"{policy.currency} {amount:,.2f}".removesuffix(".00")


def force(policy: Policy, price: float | str, unit: str = "") -> str:
    """`hard`, or `soft` with its price."""
    return "hard" if price == "hard" else f"soft: {money(policy, float(price))}{unit}"


def code(*predicates: Predicate | None) -> tuple[str, ...]:
    """The predicates as they are written, without those that hold for all."""
    return tuple(p.text for p in predicates if p is not None and p not in (EVERY_LEAD, EVERY_REP, EVERY_PAIR))


def leads(predicate: Predicate) -> str:
    """Whom a rule over leads holds for."""
    return "every lead" if predicate == EVERY_LEAD else f"leads where {said(predicate)}"


def reps(predicate: Predicate) -> str:
    """Whom a rule over reps holds for."""
    return "every rep" if predicate == EVERY_REP else f"reps where {said(predicate)}"


def start(text: str) -> str:
    """With a capital, and the rest as it is."""
    return text[:1].upper() + text[1:]
