"""The rules on sums over pairs: limits in absolute terms, and equity as shares of a total.

A rule groups the reps (each rep alone, by team, all together, or by labels of your own; label -1 leaves a rep out),
measures each lead that a rep gets (one lead, its effort, its expected revenue, its opportunity), and bounds the sum of
each group. Hard by default; with `price` it is soft, and each unit of violation costs that much in the objective.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Measure = Literal["leads", "effort", "revenue", "opportunity"]
Groups = str | Sequence[int] | NDArray[np.int64]
PerGroup = float | Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """`low <= sum of the measure over each group <= high`, in units of the measure.

    measure : what is summed over the pairs of the plan.
    low, high : scalar or one value a group; `high=None` is no upper bound.
    by : "rep", "team", "all", or (R,) integer labels, -1 for reps left out.
    leads : (L,) bool, the leads that count; None is all of them. This is how tiers and territories are bounded.
    price : None is hard; otherwise currency for each unit of violation.
    """

    measure: Measure = "leads"
    low: PerGroup = 0.0
    high: PerGroup | None = None
    by: Groups = "rep"
    leads: Sequence[bool] | NDArray[np.bool_] | None = None
    price: float | None = None
    name: str | None = None


@dataclass(frozen=True)
class Share:
    """`low · f_g · T <= sum of the measure over group g <= high · f_g · T`.

    T is the sum over all pairs of the plan and f_g the group's fair share: its part of the reps' capacity, or of
    `weights`. With `earlier`, what the groups already got in the rolling window counts on both sides.

    low, high : multiples of the fair share, scalar or one value a group; None is no bound.
    leads : (L,) bool, the leads that count; None is all of them.
    weights : (R,) what the fair share is proportional to; None is capacity.
    earlier : (G,) sums of the measure from earlier batches.
    """

    measure: ClassVar[Measure]

    low: PerGroup | None = None
    high: PerGroup | None = None
    by: Groups = "rep"
    leads: Sequence[bool] | NDArray[np.bool_] | None = None
    weights: Sequence[float] | NDArray[np.float64] | None = None
    earlier: Sequence[float] | NDArray[np.float64] | None = None
    price: float | None = None
    name: str | None = None


@dataclass(frozen=True)
class RevenueShare(Share):
    """Bounds each group's share of the expected revenue (the value of the pairs)."""

    measure = "revenue"


@dataclass(frozen=True)
class OpportunityShare(Share):
    """Bounds each group's share of what is offered: the rep-neutral value of the leads."""

    measure = "opportunity"


@dataclass(frozen=True)
class LeadShare(Share):
    """Bounds each group's share of the leads that are placed; with `tier`, of the leads of that tier."""

    measure = "leads"

    tier: int | None = None


@dataclass(frozen=True)
class MaxMin:
    """Makes the worst-off group's expected revenue, against its fair share, as large as it can be.

    Hard (`price=None`): of the plans with at least `keep` of the best objective without this rule, one whose worst-off
    group has the most. Soft: `price` currency for each unit of the worst-off group's revenue per fair share, added to
    the objective. Groups whose fair share is zero do not count. Revenue of a group is divided by its fair share, a
    fraction of 1.
    """

    keep: float = 0.98
    price: float | None = None
    by: Groups = "rep"
    weights: Sequence[float] | NDArray[np.float64] | None = None
    name: str | None = None


Rule = Limit | Share | MaxMin

# of the verdicts, and of the families of bounds, that do not come from a rule
OWN_NAMES = (
    "bound",
    "bound is a number",
    "bound is not below the objective",
    "bound is proved by the prices",
    "capacity",
    "each lead exactly once",
    "eligibility",
    "minimum load",
    "must assign",
    "objective",
    "objective is what the plan earns",
    "parcels stay together",
    "prices fit the problem",
)

_DEFAULT_NAMES: dict[type, str] = {
    RevenueShare: "revenue share",
    OpportunityShare: "opportunity share",
    LeadShare: "lead share",
    MaxMin: "max-min revenue",
}


def default_name(rule: Rule) -> str:
    """Say in a few words what an unnamed rule bounds."""
    if isinstance(rule, Limit):
        return f"limit on {rule.measure}"
    name = _DEFAULT_NAMES.get(type(rule), "share")
    if isinstance(rule, LeadShare) and rule.tier is not None:
        name += f" of tier {rule.tier}"
    return name


def with_unique_names(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Give every rule a name that no other rule has, so that prices and verdicts can be looked up by it.

    What every problem has, such as its capacity, keeps its own name.
    """
    taken = set(OWN_NAMES)
    named = []
    for rule in rules:
        wanted = rule.name or default_name(rule)
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted} ({number})"
        taken.add(name)
        named.append(replace(rule, name=name))
    return tuple(named)
