"""The plan after a draw: verified, honest about its objective and gap, and with the propensity of every pair."""

from __future__ import annotations

import numpy as np
import pytest

from apportion import AssignmentProblem, Status, solve, verify
from apportion.swaps import lottery_of, swap_some
from tests.solver.swaps.test_lottery import company


def test_the_certificate_is_of_the_plan_that_leaves() -> None:
    """Objective and gap are those after the draw, the bound still holds, and the plan before is told beside it."""
    problem = company(1)
    plan = solve(problem, gap=1e-6)
    after = swap_some(problem, plan, share=0.2, salt="s", gap=1e-6)
    assert after.swapped.sum() >= 4
    assert verify(problem, after)
    assert after.certificate.verdict and after.certificate.verdict.ok
    assert after.objective == after.certificate.objective < plan.objective
    assert after.bound == plan.bound and after.certificate.gap == pytest.approx(after.gap)
    assert after.swaps is not None and after.swaps.objective == plan.objective
    assert (after.swaps.planned == plan.rep).all()
    assert plan.status is Status.OPTIMAL and after.status is Status.FEASIBLE
    assert after.swaps.status is Status.OPTIMAL


def test_within_the_gap_it_stays_optimal() -> None:
    """A draw that leaves the plan within the gap that was asked for leaves its status."""
    problem = company(1)
    assert swap_some(problem, solve(problem, gap=0.5), share=0.1, salt="s", gap=0.5).status is Status.OPTIMAL


def test_capacity_neutral() -> None:
    """With leads of one effort each rep has as many as before; nurture stays what it was."""
    problem = company(2)
    plan = solve(problem)
    after = swap_some(problem, plan, share=0.3, salt="s", gap=1e-3)
    assert (np.bincount(after.rep + 1) == np.bincount(plan.rep + 1)).all()
    assert ((after.rep < 0) == (plan.rep < 0)).all()


def test_propensities_are_logged_lead_by_lead() -> None:
    """1 for leads that took no part, NaN for nurture, small for swapped leads, near 1 for those that stayed."""
    problem = company(3)
    plan = solve(problem)
    may_swap = np.arange(problem.n_leads) < 60
    after = swap_some(problem, plan, share=0.2, salt="s", gap=1e-3, may_swap=may_swap)
    placed = after.rep >= 0
    assert np.isnan(after.propensity[~placed]).all()
    assert (after.propensity[placed & ~may_swap] == 1).all()
    assert (after.propensity[after.swapped] <= 0.2 + 1e-12).all() and after.swapped.any()
    stayed = placed & may_swap & ~after.swapped
    assert (after.propensity[stayed] >= 0.8 - 1e-12).all() and (after.propensity[stayed] < 1).any()
    assert (plan.propensity[placed] == 1).all() and not plan.swapped.any()


def test_inverse_propensities_weigh_right() -> None:
    """The mean of 1 / propensity on each pair that a draw can give is 1: the log can be used as it says."""
    problem = company(4, n_leads=30, n_reps=3)
    plan = solve(problem)
    lottery = lottery_of(problem, plan, share=0.3)
    units, reps, _ = lottery.chances()
    leads = np.array([lottery.units.members[unit][0] for unit in units.tolist()])
    total, draws = np.zeros((30, 3)), 300
    for number in range(draws):
        after = swap_some(problem, plan, share=0.3, salt=f"{number}", gap=1.0)
        placed = np.flatnonzero(after.rep >= 0)
        total[placed, after.rep[placed]] += 1 / after.propensity[placed]
    weight = total[leads, reps] / draws
    assert len(weight) > 50
    assert weight.mean() == pytest.approx(1.0, abs=0.06)
    others = np.ones((30, 3), dtype=bool)
    others[leads, reps] = False
    assert (total[others] == 0).all()


def test_costs_on_average_are_what_draws_cost() -> None:
    """The mean cost that is told is the mean over draws, and so is the number of leads moved."""
    problem = company(5, n_leads=60, n_reps=4)
    plan = solve(problem)
    after = [swap_some(problem, plan, share=0.3, salt=f"{number}", gap=1.0) for number in range(200)]
    cost = np.array([plan.objective - one.objective for one in after])
    moved = np.array([one.swapped.sum() for one in after])
    assert after[0].swaps is not None
    assert cost.mean() == pytest.approx(after[0].swaps.revenue_cost, abs=4 * cost.std() / 14)
    assert moved.mean() == pytest.approx(after[0].swaps.mean_swapped, abs=4 * moved.std() / 14)


def test_the_same_seed_draws_the_same() -> None:
    """Same salt, same plan; another salt, another."""
    problem = company(6)
    plan = solve(problem)
    first, again, other = (swap_some(problem, plan, share=0.3, salt=salt, gap=1.0).rep for salt in ("a", "a", "b"))
    assert (first == again).all() and (first != other).any()


def test_one_rep_or_no_lead_is_no_error() -> None:
    """Where nothing can be swapped the plan is the plan."""
    for shape in ((5, 1), (0, 3), (1, 3)):
        problem = AssignmentProblem.from_arrays(np.ones(shape), capacity=np.full(shape[1], 9.0))
        plan = solve(problem)
        after = swap_some(problem, plan, share=0.5, salt="s", gap=1e-3)
        assert (after.rep == plan.rep).all() and after.status is plan.status
        assert after.swaps is not None and after.swaps.mean_swapped == 0


@pytest.mark.parametrize("share", [0.0, -0.1, 0.51, 2.0])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    """A chance above one half would make the swap the rule and the plan the exception."""
    problem = company(1)
    with pytest.raises(ValueError, match="share"):
        swap_some(problem, solve(problem), share=share, salt="s", gap=1.0)
