"""Pairs that are scored on demand: the same answer as with all of them at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from apportion import (
    AssignmentProblem,
    LeadShare,
    Limit,
    MaxMin,
    OpportunityShare,
    RevenueShare,
    Status,
    solve,
    verify,
)
from apportion.engines.distributed import solve_scored
from apportion.engines.distributed.part import Part
from apportion.problem import price_bound
from apportion_models.errors import UnverifiedPlanError, UsageError
from tests.solver.engines.distributed.cases import said

L, R = 1_500, 12


def matrix(seed: int = 0) -> np.ndarray:
    """(L, R) values, NaN where not eligible."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 1, (L, 1)) * rng.lognormal(0, 0.5, (L, R))
    return np.where(rng.random((L, R)) < 0.7, values, np.nan)


def given() -> dict[str, Any]:
    rng = np.random.default_rng(9)
    return {
        "capacity": np.full(R, 0.7 * L / R),
        "tier": rng.integers(0, 3, L),
        "nurture": rng.random(L) * 0.1,
        "equity": (
            RevenueShare(0.8, 1.25),
            LeadShare(0.7, 1.4, tier=0),
            OpportunityShare(0.7, None, leads=rng.random(L) < 0.8),
        ),
    }


def at_hand(values: np.ndarray, **more: Any) -> AssignmentProblem:
    return AssignmentProblem.from_arrays(np.nan_to_num(values), eligible=~np.isnan(values), **(given() | more))


def test_the_plan_keeps_every_rule_of_the_problem_at_hand() -> None:
    """The verifier of a problem with all pairs in memory agrees on rules, objective and what the prices prove."""
    values = matrix()
    plan = solve_scored(lambda a, b: values[a:b], n_leads=L, n_reps=R, **given())
    problem = at_hand(values)
    verdict = verify(problem, plan)
    assert verdict.ok and plan.status in (Status.OPTIMAL, Status.FEASIBLE) and plan.gap <= 2e-3
    assert plan.certificate.price_bound == pytest.approx(verdict.price_bound, rel=1e-12)
    other = solve(problem, engine="core")
    assert plan.objective <= other.bound * (1 + 1e-12) and other.objective <= plan.bound * (1 + 1e-12)


def test_keeping_what_was_scored_changes_no_plan() -> None:
    """Scored again for each pass, or once: the same bytes."""
    values = matrix(1)
    plans = [
        said(solve_scored(lambda a, b: values[a:b], n_leads=L, n_reps=R, keep=keep, **given()))
        for keep in (False, True)
    ]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("more", [{"effort": 1}, {"min_load": 5}, {"must": 1}, {"limits": 1}, {"none": 1}])
def test_other_rules(more: dict[str, int]) -> None:
    """Effort of a lead, minimum loads, leads that need a rep, limits; and no rule but capacity."""
    values, rng = matrix(2), np.random.default_rng(3)
    changed: dict[str, Any] = given()
    if "effort" in more:
        changed["effort"] = rng.choice([0.5, 1.0, 2.0], L)
    if "min_load" in more:
        changed["min_load"] = np.full(R, 40.0)
    if "must" in more:
        changed |= {"must_assign": True, "capacity": np.full(R, 1.2 * L / R)}
    if "limits" in more:
        changed["limits"] = (Limit(high=20, leads=rng.random(L) < 0.3), Limit(measure="revenue", high=260.0, price=0.5))
    if "none" in more:
        changed = {"capacity": changed["capacity"]}
    plan = solve_scored(lambda a, b: values[a:b], n_leads=L, n_reps=R, **changed)
    problem = AssignmentProblem.from_arrays(np.nan_to_num(values), eligible=~np.isnan(values), **changed)
    assert verify(problem, plan).ok and plan.gap <= 2e-3
    assert plan.bound >= price_bound(problem, plan.prices) * (1 - 1e-12)


def test_a_bound_that_the_pairs_do_not_prove_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier scores all pairs anew: a pass that told too little is found out."""
    values, honest = matrix(4), Part.priced

    def less(self: Part, multipliers: Any) -> list[float]:
        return [0.99 * amount for amount in honest(self, multipliers)]

    monkeypatch.setattr(Part, "priced", less)
    with pytest.raises(UnverifiedPlanError):
        solve_scored(lambda a, b: values[a:b], n_leads=L, n_reps=R, **given())


def test_scores_that_change_between_passes_are_refused() -> None:
    """A plan of numbers that are not there any more does not leave the house."""
    values, calls = matrix(5), []

    def fickle(first: int, last: int) -> np.ndarray:
        calls.append(first)
        return values[first:last] * (1 + 0.001 * len(calls))

    with pytest.raises(UnverifiedPlanError):
        solve_scored(fickle, n_leads=L, n_reps=R, **given())


def test_what_cannot_be_had_is_refused() -> None:
    """Every limit is told beforehand."""
    values = matrix()
    for wrong in (
        {"parcel": np.arange(L)},
        {"equity": (MaxMin(),)},
        {"effort": np.ones((L, R))},
        {"n_reps": R + 1, "capacity": np.ones(R + 1)},
    ):
        with pytest.raises(UsageError):
            solve_scored(lambda a, b: values[a:b], **({"n_leads": L, "n_reps": R} | given() | wrong))
    with pytest.raises(UsageError, match="negative"):
        solve_scored(lambda a, b: values[a:b] - 1, n_leads=L, n_reps=R, **given())
