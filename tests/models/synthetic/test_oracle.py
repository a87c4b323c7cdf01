from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion_models.synthetic.oracle import (
    able_pairs,
    best_plan,
    compare,
    covers,
    effective_capacity,
    plan_revenue,
    round_robin,
)


def feasible(plan, allowed, effort, capacity) -> bool:
    placed = plan >= 0
    load = np.bincount(plan[placed], weights=effort[placed], minlength=len(capacity))
    return bool(allowed[np.flatnonzero(placed), plan[placed]].all() and (load <= capacity + 1e-6).all())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_best_plan_is_the_best_of_all_plans(seed):
    """On small cases the oracle agrees with trying every plan."""
    random = np.random.default_rng(seed)
    revenue, allowed = random.uniform(1, 9, (5, 3)), random.random((5, 3)) < 0.7
    effort, capacity = random.choice([0.5, 1.0, 2.0], 5), random.choice([0.5, 1.0, 2.0, 3.0], 3)
    plan = best_plan(revenue, allowed, effort, capacity) if allowed.any() else np.full(5, -1)
    assert feasible(plan, allowed, effort, capacity)
    every = (np.array(p) for p in itertools.product(range(-1, 3), repeat=5))
    best = max(plan_revenue(revenue, p) for p in every if feasible(p, allowed, effort, capacity))
    assert plan_revenue(revenue, plan) >= best * (1 - 5e-4) - 1e-9


def test_round_robin_takes_turns():
    """Leads go round the ring; who is full is passed over; overflow gets what primary cannot take; then nobody."""
    primary = np.array([[True, True, False]] * 6)
    overflow = np.array([[False, False, True]] * 6)
    plan = round_robin(primary, overflow, np.ones(6), np.array([1.0, 3.0, 1.0]), np.zeros(6))
    assert plan.tolist() == [0, 1, 1, 1, 2, -1]


def test_both_plans_keep_the_rules(company):
    """Neither the oracle nor round robin places a lead outside cover, product, language or capacity."""
    revenue, able, capacity = company.true_revenue(), able_pairs(company), effective_capacity(company)
    primary, overflow = covers(company)
    effort = company.leads["effort"].to_numpy()
    allowed = able & (primary | overflow)
    ring = company.leads["region"].to_numpy()
    assert feasible(best_plan(revenue, allowed, effort, capacity), allowed, effort, capacity)
    assert feasible(round_robin(primary & able, overflow & able, effort, capacity, ring), allowed, effort, capacity)


def test_capacity_knows_ramp_leave_and_part_time(company):
    """The rep who starts today has 40 %, who is away all along nothing, a tenured full-timer everything."""
    capacity = effective_capacity(company)
    reps = company.reps
    assert capacity[reps["start_date"] == company.at.normalize()] == pytest.approx(0.4 * 22)
    away = company.calendar.loc[company.calendar["end"] - company.calendar["start"] > "60D", "rep_id"]
    assert capacity[reps["rep_id"].isin(away)] == pytest.approx(0)
    tenured = (company.at - reps["start_date"] > "91D") & ~reps["rep_id"].isin(company.calendar["rep_id"])
    assert np.array_equal(capacity[tenured], reps.loc[tenured, "capacity"])


def test_readme_states_the_measured_uplift(company, data):
    """The numbers in data/README.md are those of a run."""
    readme = (data / "README.md").read_text(encoding="utf-8")
    report = compare(company)
    assert report.uplift > 0.2
    row = (
        f"| within territories | €{report.round_robin:,.0f} ({report.round_robin_placed}) "
        f"| €{report.oracle:,.0f} ({report.oracle_placed}) | +{report.uplift:.0%} |"
    )
    assert row in readme


@pytest.mark.slow
def test_readme_states_the_uplift_without_territories(company, data):
    """The same for a company in which everyone covers everything."""
    report = compare(company, territories=False)
    row = (
        f"| anyone anywhere | €{report.round_robin:,.0f} ({report.round_robin_placed}) "
        f"| €{report.oracle:,.0f} ({report.oracle_placed}) | +{report.uplift:.0%} |"
    )
    assert row in (data / "README.md").read_text(encoding="utf-8")
