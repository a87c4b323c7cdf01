"""Revenue bands over small batches of heavy-tailed leads: each lead is a good part of a rep's share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion import Status, solve, verify
from apportion.engines import contest
from benchmarks.instances import dense_bands

OPTIMUM = 156_817.6117  # of 150 × 10, seed 0: scipy's milp (HiGHS) to within 0.1 %, in 28 s


@pytest.mark.parametrize(("leads", "reps", "seed"), [(150, 10, 0), (300, 20, 0), (400, 40, 0)])
def test_there_is_a_plan(leads: int, reps: int, seed: int) -> None:
    """A rep with a handful of slots gets a lead of the right size, and the plan is near the bound, not empty."""
    problem = dense_bands(leads=leads, reps=reps, seed=seed).problem()
    plan = solve(problem, gap=0.03)
    assert plan.status is Status.OPTIMAL
    assert plan.gap <= 0.03
    assert verify(problem, plan).ok


def test_the_plan_is_near_the_known_optimum() -> None:
    """Bound above the optimum, plan within a hundredth of it."""
    plan = solve(dense_bands(leads=150, reps=10, seed=0).problem(), gap=0.0125)
    assert 0.99 * OPTIMUM <= plan.objective <= OPTIMUM * 1.001
    assert plan.bound >= OPTIMUM


@given(st.lists(st.tuples(st.integers(0, 6), st.floats(0, 9)), max_size=60), st.integers(1, 4), st.sampled_from([1, 8]))
def test_the_shortlist_leaves_nothing_out(options: list[tuple[int, float]], most: int, shortlist: int) -> None:
    """What is nearest for each name is the same whether all are sorted or a shortlist first."""
    name = np.array([one for one, _ in options], dtype=np.int64)
    loss = np.array([other for _, other in options]) + 1e-6 * np.arange(len(options))  # no ties
    usual = contest.SHORTLIST
    contest.SHORTLIST = shortlist
    try:
        found = contest._nearest_of_each(name, loss, most)
    finally:
        contest.SHORTLIST = usual
    order = sorted(range(len(options)), key=lambda k: (name[k], loss[k]))
    wanted = [k for at, k in enumerate(order) if sum(name[j] == name[k] for j in order[:at]) < most]
    assert found.tolist() == wanted
