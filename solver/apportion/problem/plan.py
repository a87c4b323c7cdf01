"""What the solver answers: a plan with its prices and its certificate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from apportion.problem.problem import AssignmentProblem

StoppedBy = Literal["gap", "effort", "time", "cancelled"]
Proof = Literal["network", "prices", "search", "none"]


class Status(StrEnum):
    """How the solve ended."""

    OPTIMAL = "OPTIMAL"  # proved within the gap that was asked for
    FEASIBLE = "FEASIBLE"  # keeps every hard rule; the gap asked for was not reached
    INFEASIBLE = "INFEASIBLE"  # proved: no plan keeps all hard rules
    TIME_LIMIT = "TIME_LIMIT"  # no plan was found in time, and none was proved impossible

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan to use."""
        return self in (Status.OPTIMAL, Status.FEASIBLE)


@dataclass(frozen=True, eq=False)
class RulePrice:
    """What one more unit of a rule's bounds is worth, one value a group, in currency per unit of the measure, never
    negative."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prices:
    """The rep-side prices. Indexing and `np.asarray` give the capacity prices, one a rep, in currency per effort
    unit."""

    capacity: NDArray[np.float64]
    min_load: NDArray[np.float64]
    rules: Mapping[str, RulePrice] = field(default_factory=lambda: MappingProxyType({}))

    def __len__(self) -> int:
        return len(self.capacity)

    def __iter__(self) -> Iterator[float]:
        return iter(self.capacity.tolist())

    def __getitem__(self, rep: Any) -> Any:
        return self.capacity[rep]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.capacity, dtype=dtype)

    @classmethod
    def none(cls, n_reps: int) -> Prices:
        """Prices of nothing: no rule is worth anything."""
        return cls(capacity=np.zeros(n_reps), min_load=np.zeros(n_reps))


@dataclass(frozen=True)
class RuleVerdict:
    """Whether one rule holds in a plan, by how much it is broken at worst, and where."""

    rule: str
    holds: bool
    violation: float = 0.0
    where: str = ""


@dataclass(frozen=True)
class Verdict:
    """The verifier's answer on every rule. Truthy when the plan may leave the house."""

    rules: tuple[RuleVerdict, ...]
    objective: float
    price_bound: float  # the upper bound that the plan's prices prove by themselves

    @property
    def ok(self) -> bool:
        """Whether every rule holds."""
        return all(rule.holds for rule in self.rules)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def broken(self) -> tuple[RuleVerdict, ...]:
        """The rules that do not hold."""
        return tuple(rule for rule in self.rules if not rule.holds)

    def __str__(self) -> str:
        if self.ok:
            return f"all {len(self.rules)} rules hold"
        return "; ".join(f"{rule.rule} broken by {rule.violation:g} at {rule.where}" for rule in self.broken)

    def _repr_html_(self) -> str:
        from apportion.problem.display import verdict_html

        return verdict_html(self)


@dataclass(frozen=True)
class Certificate:
    """How good the plan is, and how that is known.

    proof : "network" the bound is met exactly by a flow and its prices; "prices" the bound is the value of the prices,
        one pass
        over the pairs re-derives it; "search" pairs that fit in no plan were dropped, or branch and bound closed some
        of the gap; "none" without a plan.
    stopped_by : "gap" the gap asked for was reached; "effort" every search was tried; "time" the time limit came first;
        "cancelled" somebody called it off.
    price_bound : what the prices alone prove; equal to `bound` unless the proof is a search.
    resolution : the currency that one integer unit stands for where values were scaled to integers, else None.
    """

    objective: float
    bound: float
    gap: float
    proof: Proof
    engine: str
    why_engine: str
    price_bound: float
    stopped_by: StoppedBy = "gap"
    resolution: float | None = None
    worst_off: float | None = None  # MaxMin: the worst-off group's revenue per fair share
    worst_off_bound: float | None = None  # and a proved upper bound on it
    verdict: Verdict | None = None

    def _repr_html_(self) -> str:
        from apportion.problem.display import certificate_html

        return certificate_html(self)


@dataclass(frozen=True, eq=False)
class Swaps:
    """What was drawn at random after the plan was found, so that its leads teach what an optimum never tries.

    planned : (L,) rep of each lead before the draw, -1 for nurture.
    propensity : (L,) the chance with which the draw left the lead with the rep that it has now; 1 where it took no
        part, NaN for nurture.
    objective, status : of the plan before the draw.
    revenue_cost : expected revenue that a draw gives up on average over all draws, in currency.
    mean_swapped : leads that a draw moves on average.
    """

    planned: NDArray[np.int64]
    propensity: NDArray[np.float64]
    objective: float
    status: Status
    revenue_cost: float
    mean_swapped: float


@dataclass(frozen=True, eq=False)
class Plan:
    """The assignment of one batch.

    rep : (L,) index of the rep, -1 for nurture. All -1 when there is no plan.
    objective : expected revenue + nurture value − price of soft violations, in currency; NaN without a plan.
    bound : an upper bound on every plan's objective.
    swaps : what was drawn at random after it was found; None where nothing was.
    """

    rep: NDArray[np.int64]
    status: Status
    objective: float
    bound: float
    prices: Prices
    certificate: Certificate
    swaps: Swaps | None = None

    @property
    def gap(self) -> float:
        """(bound − objective) / max(|bound|, tiny); NaN without a plan."""
        return relative_gap(self.objective, self.bound)

    @property
    def n_placed(self) -> int:
        """Leads that a rep gets."""
        return int((self.rep >= 0).sum())

    @property
    def swapped(self) -> NDArray[np.bool_]:
        """(L,) whether a draw moved the lead to another rep than was planned."""
        return np.zeros(len(self.rep), dtype=bool) if self.swaps is None else self.rep != self.swaps.planned

    @property
    def propensity(self) -> NDArray[np.float64]:
        """(L,) the chance with which each lead got the rep that it has: 1 without a draw, NaN for nurture."""
        return np.where(self.rep >= 0, 1.0, np.nan) if self.swaps is None else self.swaps.propensity

    def replace(self, **changes: Any) -> Plan:
        """Give a copy with other fields; `verify` tells whether it still holds."""
        return replace(self, **changes)

    def to_frame(self, problem: AssignmentProblem) -> pd.DataFrame:
        """One row a lead of the problem that this is a plan of: see `tables.lead_frame`. UsageError for another
        problem, or without a plan."""
        from apportion.problem.tables import lead_frame  # frames and charts are loaded when somebody asks

        return lead_frame(problem, self)

    def by_rep(self, problem: AssignmentProblem) -> pd.DataFrame:
        """One row a rep: load, capacity, shares, price: see `tables.rep_frame`. UsageError as for `to_frame`."""
        from apportion.problem.tables import rep_frame

        return rep_frame(problem, self)

    def chart(self, problem: AssignmentProblem, what: str = "load") -> Any:
        """A plotly figure of the reps. what : "load" against capacity, "share" against the fair share, "price" of one
        more slot. UsageError for another word, and as for `to_frame`."""
        from apportion.problem.figures import plan_figure

        return plan_figure(problem, self, what)

    def _repr_html_(self) -> str:
        from apportion.problem.display import plan_html

        return plan_html(self)

    def __repr__(self) -> str:
        return (
            f"Plan({self.status}, {self.n_placed} of {len(self.rep)} leads placed, objective={self.objective:.6g}, "
            f"bound={self.bound:.6g}, gap={self.gap:.2g}, engine={self.certificate.engine!r})"
        )


def relative_gap(objective: float, bound: float) -> float:
    """(bound − objective) / max(|bound|, tiny), never negative; NaN when either is."""
    if math.isnan(objective) or math.isnan(bound):
        return math.nan
    if math.isinf(bound):
        return math.inf
    return max(0.0, bound - objective) / max(abs(bound), np.finfo(float).tiny)
