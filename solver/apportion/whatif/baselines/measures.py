"""What an assignment is worth, and how evenly it shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, Status, verify

_OWN_CLAIM = "objective is what the plan earns"  # of a plan; an assignment that is only measured claims nothing


@dataclass(frozen=True, eq=False)
class BaselineResult:
    """One assignment, measured. Amounts in currency.

    objective : as of a plan (values + nurture − price of soft violations); NaN when a pair is not eligible.
    gini_revenue, gini_opportunity : 0 all reps have the same per fair share, towards 1 one rep has all; weighted by
        fair share; NaN when there is nothing to share.
    worst_off_share : the least opportunity of a rep against their fair share of it; 1 is exactly fair; NaN when there
        is none.
    broken_rules : the hard rules that do not hold.
    """

    name: str
    title: str
    rep: NDArray[np.int64]
    expected_revenue: float
    objective: float
    n_placed: int
    gini_revenue: float
    gini_opportunity: float
    worst_off_share: float
    broken_rules: tuple[str, ...]

    @property
    def n_broken(self) -> int:
        """How many hard rules do not hold."""
        return len(self.broken_rules)


def score(problem: AssignmentProblem, rep: NDArray[np.int64], *, name: str = "", title: str = "") -> BaselineResult:
    """Measure an assignment: (L,) rep index of each lead, -1 unplaced. Plans and baselines are measured alike."""
    rep = np.asarray(rep, dtype=np.int64)
    pair = problem.pairs.position(np.arange(problem.n_leads), rep)
    placed = pair >= 0
    lead, owner = np.flatnonzero(placed), rep[placed]
    revenue = _per_rep(problem, owner, problem.revenue[pair[placed]])
    opportunity = _per_rep(problem, owner, problem.opportunity[lead])
    verdict = verify(problem, _unproved(problem, rep))
    return BaselineResult(
        name=name,
        title=title or name,
        rep=rep,
        expected_revenue=math.fsum(problem.revenue[pair[placed]]),
        objective=verdict.objective if (placed == (rep >= 0)).all() else math.nan,
        n_placed=int(placed.sum()),
        gini_revenue=gini(revenue, problem.fair_share),
        gini_opportunity=gini(opportunity, problem.fair_share),
        worst_off_share=worst_off_share(opportunity, problem.fair_share),
        broken_rules=tuple(rule.rule for rule in verdict.broken if rule.rule != _OWN_CLAIM),
    )


def _per_rep(problem: AssignmentProblem, owner: NDArray[np.int64], amount: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.bincount(owner, weights=amount, minlength=problem.n_reps), dtype=np.float64)


def gini(amount: NDArray[np.float64], fair: NDArray[np.float64]) -> float:
    """Gini coefficient of x = amount / fair over reps with a fair share: ΣΣ f_j f_k |x_j − x_k| / 2μ, μ = Σ f_j x_j.

    NaN when nothing is shared or some amount is negative. Computed from the Lorenz curve of amount against fair
    share.
    """
    held = fair > 0
    amount, fair = amount[held], fair[held]
    total = math.fsum(amount)
    if total <= 0 or (amount < 0).any():
        return math.nan
    order = np.argsort(amount / fair, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(amount[order] / total)])
    width = fair[order] / math.fsum(fair)
    area = float(np.sum(width * (below[1:] + below[:-1]) / 2))
    return min(1.0, max(0.0, 1.0 - 2.0 * area))


def worst_off_share(opportunity: NDArray[np.float64], fair: NDArray[np.float64]) -> float:
    """Give the least opportunity_j / (fair share_j · all opportunity) of reps with a fair share; NaN without any."""
    held = fair > 0
    total = math.fsum(opportunity)
    if total <= 0 or not held.any():
        return math.nan
    return float(np.min(opportunity[held] / (fair[held] * total)))


def _unproved(problem: AssignmentProblem, rep: NDArray[np.int64]) -> Plan:
    certificate = Certificate(
        objective=math.nan,
        bound=math.inf,
        gap=math.inf,
        proof="none",
        engine="baseline",
        why_engine="a rule-based router proves nothing",
        price_bound=math.inf,
    )
    prices = Prices.none(problem.n_reps)
    return Plan(rep, Status.FEASIBLE, math.nan, math.inf, prices, certificate)
