"""Curves: worth against equity, worth against capacity. Each point is a solve of its own, from the base's prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from apportion.problem import AssignmentProblem, OpportunityShare, Rule, Share
from apportion.whatif.baselines import score
from apportion.whatif.compare.outcome import Outcome
from apportion.whatif.compare.solving import Solved, Solver, better
from apportion.whatif.frontier.shared import in_order
from apportion_models.errors import UsageError
from apportion_models.policy_value.intervals import Interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

FLOORS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
FACTORS = (0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.5)


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of a curve, in order of `at`. points : one row each: at, status, worth, bound, gap, revenue, placed,
    worst_off_share, gini_opportunity, price, price_low, price_high. what, price_of : in words."""

    what: str
    price_of: str
    points: pd.DataFrame

    def figure(self, currency: str) -> go.Figure | None:
        """The curve with the bound above it, as a plotly figure; None where no point has a plan."""
        from apportion.whatif.charts import curve_figure  # plots are loaded only where one is asked for

        return curve_figure(self, currency)


def equity_frontier(
    base: Outcome, solver: Solver, *, rule: str | None = None, floors: Sequence[float] = FLOORS, workers: int = 2
) -> Curve:
    """Worth against a floor that is held hard, as multiples of the fair share; 0 is without it.

    rule : an equity rule of the policy, by name, whose groups, leads and weights the floor keeps, without its upper
    bound; None: the first share rule, else opportunity by rep. The policy's other equity rules stay.
    price : what fairness costs: the worth without the floor less the worth of the point. price_low, price_high : what
    it is at least and at most, by the gaps of both.
    """
    problem = base.solved.problem
    stem = _stem(problem, rule)
    others = tuple(one for one in problem.equity if one.name != stem.name)
    steps = sorted({0.0, *map(float, floors)})
    if any(floor < 0 or floor > 1 for floor in steps):
        raise UsageError(f"floors must lie from 0 to 1. Got {steps}.")
    posed = [problem.replace(equity=(*others, *_floored(stem, floor))) for floor in steps]
    solved = _carried_down(_solve_all(posed, base.solved, solver, workers), solver.effort.gap)
    what = f"floor of {stem.name}, as a multiple of the fair share"
    return Curve(what, "fairness", _points(steps, solved, solved[0]))


def capacity_curve(base: Outcome, solver: Solver, *, factors: Sequence[float] = FACTORS, workers: int = 2) -> Curve:
    """Worth against capacity: every rep's effective capacity times a factor; caps on numbers of leads stay.

    price : the worth of the point less the worth at the capacity that there is.
    """
    steps = sorted({1.0, *map(float, factors)})
    if steps[0] < 0:
        raise UsageError(f"factors must be 0 or more. Got {steps}.")
    problem = base.solved.problem
    posed = [problem if factor == 1.0 else problem.replace(capacity=problem.capacity * factor) for factor in steps]
    solved = _solve_all(posed, base.solved, solver, workers)
    return Curve("capacity, as a multiple of what there is", "capacity", _points(steps, solved, base.solved, sign=1.0))


def _stem(problem: AssignmentProblem, name: str | None) -> Share:
    """The share rule whose floor moves."""
    shares = [rule for rule in problem.equity if isinstance(rule, Share)]
    if name is None:
        return shares[0] if shares else OpportunityShare(low=0.0, name="fair offer")
    check_rule(name, [str(rule.name) for rule in shares])
    return next(rule for rule in shares if rule.name == name)


def check_rule(name: str, known: Sequence[str]) -> None:
    """Raise UsageError where a frontier is asked for along a rule that is not there. known : rules with shares."""
    if name not in known:
        told = ", ".join(known) or "none"
        raise UsageError(f"The frontier must name an equity rule with shares. Got {name!r}. Known are: {told}.")


def _floored(stem: Share, floor: float) -> tuple[Rule, ...]:
    """The rule with a hard floor; groups that nothing could lift have none, as in the policy's own rule."""
    if floor == 0.0:
        return ()
    low: Any = floor
    if stem.low is not None and np.ndim(stem.low) == 1:
        low = np.where(np.asarray(stem.low, dtype=float) > 0, floor, 0.0)
    return (replace(stem, low=low, high=None, price=None),)


def _solve_all(posed: Sequence[AssignmentProblem], base: Solved, solver: Solver, workers: int) -> list[Solved]:
    return in_order(lambda problem: solver.solve(problem, base), posed, workers)


def _carried_down(solved: list[Solved], gap: float) -> list[Solved]:
    """A plan under a tighter floor keeps a looser one too, and a bound without the floor holds with it."""
    for place in range(len(solved) - 2, -1, -1):
        here, tighter = solved[place], solved[place + 1]
        if here.plan.status.has_plan and tighter.plan.status.has_plan:
            solved[place] = replace(here, plan=better(here.plan, here.problem, tighter.plan.rep, gap))
    return solved


def _points(steps: Sequence[float], solved: Sequence[Solved], ground: Solved, sign: float = -1.0) -> pd.DataFrame:
    rows = []
    least = np.inf
    for at, one in zip(steps, solved, strict=True):
        row = {"at": at, "status": str(one.plan.status)}
        if one.plan.status.has_plan:
            own = score(one.problem, one.plan.rep)
            bound = one.plan.bound
            if sign < 0:  # what bounds the looser problem bounds this one too
                least = bound = max(min(least, bound), one.plan.objective)
            price = _between(one, bound, ground, sign)
            row |= {
                "worth": one.plan.objective,
                "bound": bound,
                "gap": max(0.0, bound - one.plan.objective) / max(abs(bound), np.finfo(float).tiny),
                "revenue": own.expected_revenue,
                "placed": own.n_placed,
                "worst_off_share": own.worst_off_share,
                "gini_opportunity": own.gini_opportunity,
                "price": price.value,
                "price_low": price.low,
                "price_high": price.high,
            }
        rows.append(row)
    return pd.DataFrame(rows, columns=POINT_COLUMNS)


POINT_COLUMNS = [
    "at",
    "status",
    "worth",
    "bound",
    "gap",
    "revenue",
    "placed",
    "worst_off_share",
    "gini_opportunity",
    "price",
    "price_low",
    "price_high",
]


def _between(one: Solved, bound: float, ground: Solved, sign: float) -> Interval:
    """sign × (worth of the point − worth of the ground), and between what limits the best of both lies."""
    if one.fingerprint == ground.fingerprint:
        return Interval(value=0.0, low=0.0, high=0.0)
    more = (one.plan.objective - ground.plan.objective, one.plan.objective - ground.plan.bound,
            bound - ground.plan.objective)  # fmt: skip
    value, low, high = (sign * amount + 0.0 for amount in more)
    low, high = min(low, high), max(low, high)
    return Interval(value=value, low=max(0.0, low) if sign < 0 else low, high=high)
