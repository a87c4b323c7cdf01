"""Diagnosis: why there is no plan, and what would make one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apportion.problem import Rule
from apportion.reasons.diagnose.changes import Change, Relaxation
from apportion.reasons.diagnose.elements import Element
from apportion.reasons.diagnose.words import demands, steps
from apportion.reasons.words import number


@dataclass(frozen=True)
class Diagnosis:
    """Why a problem has no plan.

    conflict : demands that cannot all hold; empty where the time did not suffice for a proof. minimal : proved that the
    others can hold as soon as any one of them is given up. relaxations : ways out, the cheapest over all rules
    first, then ways that touch a single rule, cheapest first; each was verified to leave a plan. notes : what a
    reader should know of the limits of this answer.
    """

    conflict: tuple[Element, ...]
    minimal: bool
    relaxations: tuple[Relaxation, ...]
    notes: tuple[str, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict, repr=False)

    @property
    def proved(self) -> bool:
        """Whether it is proved that there is no plan."""
        return bool(self.conflict)

    @property
    def families(self) -> tuple[tuple[str, str], ...]:
        """The whole rules in conflict, as (kind, name)."""
        return tuple(dict.fromkeys(element.family for element in self.conflict))

    def sentences(self) -> tuple[str, ...]:
        """The conflict, in the policy's own words, one sentence a rule."""
        return tuple(demands(self.conflict, self.rules))

    def ways_out(self) -> tuple[tuple[str, ...], ...]:
        """The relaxations, each as sentences that say what to do."""
        return tuple(steps(relaxation, self.rules) for relaxation in self.relaxations)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a bound that goes altogether is null."""
        return {
            "proved": self.proved,
            "minimal": self.minimal,
            "conflict": [_element(element) for element in self.conflict],
            "sentences": list(self.sentences()),
            "relaxations": [
                {
                    "cost": relaxation.cost,
                    "proved": relaxation.proved,
                    "rules": [list(family) for family in relaxation.rules],
                    "changes": [_change(change) for change in relaxation.changes],
                    "sentences": list(told),
                }
                for relaxation, told in zip(self.relaxations, self.ways_out(), strict=True)
            ],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = ["No plan keeps all hard rules. These cannot all hold:" if self.proved else "No plan was found."]
        lines += [f"  - {sentence}" for sentence in self.sentences()]
        if self.minimal and len(self.conflict) == 1:
            lines.append("It cannot hold even by itself.")
        elif self.minimal:
            lines.append("Without any one of them the others can hold.")
        for place, (relaxation, told) in enumerate(zip(self.relaxations, self.ways_out(), strict=True)):
            if place == 0:
                known = "The cheapest way out" if relaxation.proved else "The cheapest way out that was found"
                lines.append(f"{known} ({_units(relaxation.cost)}):")
            else:
                lines.append(f"Or by one rule alone ({_units(relaxation.cost)}):")
            lines += [f"  - {sentence}" for sentence in told]
        return "\n".join([*lines, *self.notes])


def _units(cost: float) -> str:
    """The size of a relaxation."""
    shown = number(round(cost, 2) if cost < 10 else round(cost))
    return "1 typical lead's worth" if shown == "1" else f"{shown} typical leads' worth"


def _element(element: Element) -> dict[str, Any]:
    return {
        "kind": element.kind,
        "where": element.where,
        "rule": element.rule,
        "side": element.side,
        "bound": element.bound,
        "members": list(element.members),
    }


def _change(change: Change) -> dict[str, Any]:
    to = change.to if change.to is None or math.isfinite(change.to) else None
    return {
        "element": _element(change.element),
        "amount": change.amount,
        "to": to,
        "pairs": [list(p) for p in change.pairs],
    }
