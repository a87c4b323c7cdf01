"""How an assignment is measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.problem import AssignmentProblem, Limit, OpportunityShare
from apportion.whatif import score
from apportion.whatif.baselines.measures import gini, worst_off_share
from tests.solver.oracle import best_plan


def test_the_best_plan_scores_what_it_is_worth() -> None:
    """Revenue, objective and counts are those of the plan, as brute force computes them."""
    problem = AssignmentProblem.from_arrays(
        [[6.0, 5.0], [4.0, 1.0], [1.0, 1.0]], capacity=[1, 1], nurture=0.5, limits=[Limit(low=2, price=3.0)]
    )
    found = best_plan(problem)
    assert found is not None
    result = score(problem, found[0])
    assert result.objective == pytest.approx(found[1])
    assert (result.expected_revenue, result.n_placed, result.broken_rules) == (9.0, 2, ())


def test_broken_rules_are_named() -> None:
    """A router knows no equity and no limits: what it breaks is told by name."""
    problem = AssignmentProblem.from_arrays(
        np.ones((2, 2)), capacity=[2, 2], equity=[OpportunityShare(0.7)], limits=[Limit(high=1, name="one each")]
    )
    result = score(problem, np.array([0, 0]))
    assert result.broken_rules == ("opportunity share", "one each")
    assert result.n_broken == 2


def test_an_ineligible_pair_is_told_not_counted() -> None:
    """A pair that is not eligible earns nothing, and the rule is broken."""
    problem = AssignmentProblem.from_arrays([[6.0, 5.0]], capacity=[1, 1], eligible=np.array([[True, False]]))
    result = score(problem, np.array([1]))
    assert result.expected_revenue == 0.0
    assert "eligibility" in result.broken_rules
    assert math.isnan(result.objective)


def test_gini_by_hand() -> None:
    """All to one of two equals is one half; fair by capacity is zero; one of n has it all: 1 − 1/n."""
    assert gini(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(0.5)
    assert gini(np.array([3.0, 1.0]), np.array([0.75, 0.25])) == pytest.approx(0.0, abs=1e-12)
    assert gini(np.eye(1, 5)[0], np.full(5, 0.2)) == pytest.approx(0.8)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 5)), min_size=1, max_size=8))
def test_gini_is_its_definition(rows: list[tuple[float, float]]) -> None:
    """The Lorenz curve gives what the double sum of the definition gives."""
    amount = np.array([row[0] for row in rows])
    fair = np.array([row[1] for row in rows])
    fair = fair / fair.sum()
    if amount.sum() <= 1e-6:
        return
    x = amount / fair
    double = (np.outer(fair, fair) * np.abs(np.subtract.outer(x, x))).sum() / (2 * amount.sum())
    assert gini(amount, fair) == pytest.approx(double, abs=1e-9)


def test_reps_without_capacity_do_not_count() -> None:
    """Who has no fair share is neither worst off nor unequal."""
    fair = np.array([0.5, 0.5, 0.0])
    assert gini(np.array([1.0, 1.0, 0.0]), fair) == pytest.approx(0.0, abs=1e-12)
    assert worst_off_share(np.array([1.0, 3.0, 0.0]), fair) == pytest.approx(0.5)


def test_nothing_to_share_is_not_fair_but_unknown() -> None:
    """No leads placed: equity has no number."""
    assert math.isnan(gini(np.zeros(2), np.full(2, 0.5)))
    assert math.isnan(gini(np.array([-1.0, 3.0]), np.full(2, 0.5)))
    assert math.isnan(worst_off_share(np.zeros(2), np.full(2, 0.5)))
