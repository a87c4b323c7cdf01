"""Hostile numbers where brute force cannot follow: verified, near the bound, in bounded time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from apportion import AssignmentProblem, LeadShare, Plan, RevenueShare, solve, verify

N_LEADS, N_REPS = 600, 12


def problem(value: Any, *, seed: int = 1, **changes: Any) -> AssignmentProblem:
    """Revenue bands over reps of unlike capacity."""
    capacity = np.random.default_rng(seed).uniform(0.5, 1.5, N_REPS) * 0.9 * N_LEADS / N_REPS
    return AssignmentProblem.from_arrays(
        value, **({"capacity": capacity, "equity": [RevenueShare(0.8, 1.25)]} | changes)
    )


def solved(case: AssignmentProblem, **options: Any) -> Plan:
    """The plan, whose rules and numbers hold."""
    plan = solve(case, time_limit=30.0, **options)
    assert plan.status.has_plan
    assert verify(case, plan).ok
    assert all(np.isfinite(price).all() for price in (plan.prices.capacity, plan.prices.min_load))
    return plan


@pytest.mark.parametrize("rules", [[RevenueShare(0.8, 1.25)], [LeadShare(0.8, 1.25)]], ids=["revenue", "leads"])
def test_all_values_alike_with_bands(rules: list[Any]) -> None:
    """Where no pair is better than another, every unit has a choice among all reps, not all units of a few."""
    plan = solved(problem(np.full((N_LEADS, N_REPS), math.pi), equity=rules), engine="core")
    assert plan.gap <= 2e-3


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e-9, 1e12, 1e200])
def test_the_unit_of_money_does_not_matter(factor: float) -> None:
    """The same leads in other currencies: the same gap, whatever the size of the numbers."""
    value = np.random.default_rng(0).lognormal(3, 1, (N_LEADS, N_REPS))
    assert solved(problem(value * factor)).gap <= 1e-3
