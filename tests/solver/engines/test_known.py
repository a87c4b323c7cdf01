"""Starting from a similar problem: prices and who had which lead help, and never harm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion import AssignmentProblem, Plan, RevenueShare, solve, verify
from apportion.engines.formulate import formulate
from apportion.engines.known import Known
from benchmarks.instances import bands

GAP = 0.01


@pytest.fixture(scope="module")
def problem() -> AssignmentProblem:
    """Revenue bands, large enough for the search."""
    return bands(leads=900, reps=12, seed=3, tail=0.5).problem()


@pytest.fixture(scope="module")
def plan(problem: AssignmentProblem) -> Plan:
    """Its plan from cold."""
    return solve(problem, gap=GAP)


def test_a_plan_of_the_same_problem_is_kept(problem: AssignmentProblem, plan: Plan) -> None:
    """Nothing has changed, so no lead moves."""
    again = solve(problem, gap=GAP, warm=plan)
    np.testing.assert_array_equal(again.rep, plan.rep)
    assert again.gap <= GAP


def test_after_a_change_the_plan_is_within_the_gap(problem: AssignmentProblem, plan: Plan) -> None:
    """A rep leaves: the old plan breaks the rules, the new one keeps them and is proved as well as one from cold."""
    capacity = np.array(problem.capacity)
    capacity[5] = 0.0
    changed = problem.replace(capacity=capacity)
    warm = solve(changed, gap=GAP, warm=plan)
    assert warm.gap <= GAP
    assert not (warm.rep == 5).any()
    assert verify(changed, warm).ok
    kept = (warm.rep == plan.rep).mean()
    assert kept >= (solve(changed, gap=GAP).rep == plan.rep).mean() - 0.02


@pytest.mark.parametrize("seed", [0, 1])
def test_a_wrong_plan_does_no_harm(problem: AssignmentProblem, plan: Plan, seed: int) -> None:
    """Leads given out at random, to reps who may not have them too, and prices of anything."""
    rng = np.random.default_rng(seed)
    prices = plan.prices.__class__(
        capacity=rng.uniform(0, 1e6, problem.n_reps), min_load=np.zeros(problem.n_reps), rules={}
    )
    wrong = plan.replace(rep=rng.integers(-1, problem.n_reps, problem.n_leads), prices=prices)
    found = solve(problem, gap=GAP, warm=wrong)
    assert found.gap <= GAP
    assert found.bound >= plan.objective * (1 - 1e-9)
    assert verify(problem, found).ok


def test_row_order_changes_nothing_that_is_carried(problem: AssignmentProblem, plan: Plan) -> None:
    """The plan of the same problem is kept whatever the names, and so the order, of leads and reps."""
    rng = np.random.default_rng(0)
    renamed = problem.replace(
        lead_ids=tuple(f"L{k}" for k in rng.permutation(problem.n_leads)),
        rep_ids=tuple(f"R{k}" for k in rng.permutation(problem.n_reps)),
    )
    np.testing.assert_array_equal(solve(renamed, gap=GAP, warm=plan).rep, plan.rep)


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=6), st.data())
def test_options_are_what_each_unit_had(eligible: list[list[bool]], data: st.DataObject) -> None:
    """An option is the pair that the rep still has, rest where nobody had it, and nothing where neither is possible."""
    must = data.draw(st.lists(st.booleans(), min_size=len(eligible), max_size=len(eligible)))
    had = data.draw(st.lists(st.integers(-1, 2), min_size=len(eligible), max_size=len(eligible)))
    form = formulate(
        AssignmentProblem.from_arrays(
            np.ones((len(eligible), 3)),
            capacity=np.full(3, 10.0),
            eligible=np.array(eligible),
            must_assign=np.array(must),
            equity=(RevenueShare(0.5),),
        )
    )
    options = Known(rep=np.array(had)).options(form)
    assert options is not None
    for unit, (rep, option) in enumerate(zip(had, options, strict=True)):
        if rep >= 0 and eligible[unit][rep]:
            assert (form.unit[option], form.rep[option]) == (unit, rep)
        elif rep < 0 and not must[unit]:
            assert option == form.n_pairs + unit
        else:
            assert option == -1


def test_other_units_carry_prices_only() -> None:
    """A plan over another number of units says nothing of who had which."""
    form = formulate(AssignmentProblem.from_arrays(np.ones((4, 2)), capacity=np.ones(2)))
    assert Known(rep=np.zeros(3, dtype=np.int64)).options(form) is None
    assert Known().options(form) is None
