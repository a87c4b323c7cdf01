"""Whatever the prices are, what they prove is an upper bound on every plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion import AssignmentProblem, LeadShare, Limit, MaxMin, Prices, solve
from apportion.problem import RulePrice, price_bound
from tests.solver.oracle import best_plan
from tests.solver.random_problems import RULE_KINDS, random_problem

KINDS = [kind for kind in RULE_KINDS if kind != "max_min_hard"]
price = st.one_of(st.just(0.0), st.floats(0, 4), st.floats(-2, 1e6))


def _prices(draw: st.DataObject, problem: AssignmentProblem) -> Prices:
    def vector(size: int) -> np.ndarray:
        return np.array(draw.draw(st.lists(price, min_size=size, max_size=size)))

    sizes = {str(rule.name): len(problem.groups(rule.by)[1]) for rule in problem.rules}
    priced = {name: RulePrice(vector(size), vector(size)) for name, size in sizes.items() if draw.draw(st.booleans())}
    return Prices(vector(problem.n_reps), vector(problem.n_reps), priced)


def _holds(problem: AssignmentProblem, prices: Prices) -> None:
    best = best_plan(problem)
    if best is not None:
        bound = price_bound(problem, prices)
        size = abs(problem.value).sum() + sum(abs(p.low).sum() + abs(p.high).sum() for p in prices.rules.values())
        size += abs(prices.capacity).sum() + abs(prices.min_load).sum()
        assert bound >= best[1] - 1e-9 * (1 + size)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), kinds=st.lists(st.sampled_from(KINDS), max_size=2), data=st.data())
def test_any_prices_prove_an_upper_bound(seed: int, kinds: list[str], data: st.DataObject) -> None:
    """Weak duality: no prices, however silly, prove less than the best plan of brute force is worth."""
    problem = random_problem(seed, n_leads=3, kinds=tuple(kinds))
    _holds(problem, _prices(data, problem))


def test_no_prices_prove_the_best_of_each_lead() -> None:
    """At prices of nothing each lead simply takes its best."""
    problem = AssignmentProblem.from_arrays([[3.0, 5.0], [2.0, -1.0], [-1.0, -2.0]], capacity=[9, 9], nurture=0.5)
    assert price_bound(problem, Prices.none(2)) == 5.0 + 2.0 + 0.5


def test_a_bound_that_does_not_exist_cannot_be_charged_for() -> None:
    """A price on a missing upper bound, or on a group that does not count, would prove what is not so."""
    floor = AssignmentProblem.from_arrays([[3.0, 5.0]], capacity=[1, 1], limits=[Limit(low=0.0, high=None)])
    priced = Prices(np.zeros(2), np.zeros(2), {"limit on leads": RulePrice(np.zeros(2), np.full(2, 9.0))})
    assert price_bound(floor, priced) == 5.0
    shares = floor.replace(limits=(), equity=[LeadShare(0.0, earlier=[1.0, 1.0])])
    priced = Prices(np.zeros(2), np.zeros(2), {"lead share": RulePrice(np.zeros(2), np.full(2, 9.0))})
    assert price_bound(shares, priced) == 5.0
    worst = floor.replace(limits=(), equity=[MaxMin(price=0.0, weights=[0, 0])], value=[[-3.0, -5.0]], must_assign=True)
    priced = Prices(np.zeros(2), np.zeros(2), {"max-min revenue": RulePrice(np.full(2, 0.5), np.full(2, 9.0))})
    assert price_bound(worst, priced) == -3.0


def test_a_fractional_capacity_is_worth_its_whole_leads() -> None:
    """Room for 1.5 leads is room for one: a price pays for one, and the bound is met."""
    problem = AssignmentProblem.from_arrays([[3.0], [2.0], [1.0]], capacity=[1.5])
    assert price_bound(problem, Prices(np.array([2.0]), np.zeros(1))) == 3.0


def test_a_capacity_is_worth_the_common_step_of_the_efforts() -> None:
    """Room for 1.5 is room for one where efforts are 1 and 2, and for all of 1.5 where they have no common step."""
    problem = AssignmentProblem.from_arrays([[3.0], [2.0], [1.0]], capacity=[1.5])
    two = Prices(np.array([2.0]), np.zeros(1))
    assert price_bound(problem.replace(effort=[1, 2, 1]), two) == 2.0 * 1.0 + 1.0
    assert price_bound(problem.replace(effort=[1, 2**0.5, 1]), two) == 2.0 * 1.5 + 1.0


@pytest.mark.parametrize("seed", range(40))
def test_the_prices_of_a_plan_prove_its_bound(seed: int) -> None:
    """Where the certificate says that prices prove the bound, one pass over the pairs gives that very bound."""
    problem = random_problem(seed, n_leads=12, n_reps=4)
    plan = solve(problem, gap=0)
    if not plan.status.has_plan:
        return
    proved = price_bound(problem, plan.prices, plan.certificate.worst_off)
    assert proved >= plan.objective - 1e-9 * (1 + abs(plan.objective))
    assert plan.certificate.price_bound == pytest.approx(proved, rel=1e-12)
    if plan.certificate.proof != "search":
        assert proved == pytest.approx(plan.bound, rel=1e-9, abs=1e-9)


def test_a_soft_rule_is_never_worth_more_than_its_price() -> None:
    """A price above what the violation costs is taken as that cost, so that the bound still holds and stays tight."""
    problem = AssignmentProblem.from_arrays([[4.0, 0.0]], capacity=[1, 1], equity=[LeadShare(1.0, price=1.0)])
    high = Prices(np.zeros(2), np.zeros(2), {"lead share": RulePrice(np.full(2, 1e9), np.zeros(2))})
    best = best_plan(problem)
    assert best is not None
    assert best[1] - 1e-9 <= price_bound(problem, high) < 10


def test_a_soft_max_min_without_prices_is_bounded_too() -> None:
    """What the worst-off could gain at most is part of the bound, even unpriced."""
    problem = AssignmentProblem.from_arrays(np.ones((2, 2)), capacity=[2, 2], equity=[MaxMin(price=3.0)])
    best = best_plan(problem)
    assert best is not None
    assert price_bound(problem, Prices.none(2)) >= best[1]
