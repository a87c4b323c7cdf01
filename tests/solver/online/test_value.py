"""What the router earns in seeded worlds, against the proved bound of all arrivals solved as one batch."""

from __future__ import annotations

import numpy as np
import pytest

from apportion import AssignmentProblem, Limit, Prices, solve
from apportion.online import Router
from apportion.problem import price_bound
from apportion_models.errors import InputError

LEADS, REPS = 6_000, 20


def world(seed: int, n_leads: int = LEADS, *, drifting: bool = False):  # type: ignore[no-untyped-def]
    """(L, R) values and (R,) capacities for 60 % of the leads; the reps are always the same."""
    reps, rng = np.random.default_rng(99), np.random.default_rng(seed)
    skill, weights = reps.normal(0, 0.6, (REPS, 4)), reps.dirichlet(np.full(REPS, 6.0))
    needs = rng.normal(0, 1, (n_leads, 4))
    if drifting:
        needs[n_leads // 2 :] += [1.2, -1.0, 0.8, 0.0]
    fit = 1 / (1 + np.exp(2.0 - rng.normal(0, 0.7, (n_leads, 1)) - needs @ skill.T))
    return fit * rng.lognormal(9, 0.8, (n_leads, 1)), np.round(weights * 0.6 * n_leads)


def greedy(value, capacity, effort=None):  # type: ignore[no-untyped-def]
    left, earned = capacity.copy(), 0.0
    for row, load in zip(value, np.ones(len(value)) if effort is None else effort, strict=True):
        rep = int(np.argmax(np.where(left >= load, row, 0.0)))
        if left[rep] >= load:
            left[rep], earned = left[rep] - load, earned + row[rep]
    return earned


def ratio(router: Router, value, capacity):  # type: ignore[no-untyped-def]
    ids = [str(i) for i in range(len(value))]
    router.route_many(ids, value=value, compiled=True)
    told = router.report().hindsight(AssignmentProblem.from_arrays(value, capacity=capacity, lead_ids=ids))
    assert told.broken == () and told.value <= told.optimum <= told.bound * (1 + 1e-9)
    assert told.value == pytest.approx(router.report().value)
    return told.ratio, greedy(value, capacity) / told.bound


def from_history(capacity, *, drifting: bool = False, in_order: bool = False) -> Router:  # type: ignore[no-untyped-def]
    past, there = world(7, 3_000, drifting=drifting)
    problem = AssignmentProblem.from_arrays(past, capacity=there)
    return Router.from_plan(solve(problem), problem, capacity=capacity, horizon=LEADS, in_order=in_order)


@pytest.mark.parametrize("seed", range(3))
def test_first_prices_from_a_plan(seed: int) -> None:
    """With prices from a plan over other leads: 98.5 % of hindsight and more, where greedy is below 70 %."""
    value, capacity = world(seed)
    ours, others = ratio(from_history(capacity), value, capacity)
    assert ours > 0.985 and others < 0.7


@pytest.mark.parametrize("seed", range(3))
def test_cold(seed: int) -> None:
    """Without any prices to begin with: 97 % and more."""
    value, capacity = world(seed)
    ours, others = ratio(Router(capacity=capacity, horizon=LEADS), value, capacity)
    assert ours > 0.97 and others < 0.7


def test_no_horizon() -> None:
    """Without a horizon a plan's own length is the guess; with nothing at all, capacity is."""
    value, capacity = world(1)
    past, there = world(7, 3_000)
    problem = AssignmentProblem.from_arrays(past, capacity=there)
    ours, others = ratio(Router.from_plan(solve(problem), problem, capacity=capacity), value, capacity)
    assert ours > 0.97
    assert ratio(Router(capacity=capacity), value, capacity)[0] > 0.88 > others


def test_drift_that_history_knows() -> None:
    """When the mix shifts half way as it did in the past window, the pace of its plan keeps 97.5 %; spending evenly
    does not reach 97 %."""
    value, capacity = world(2, drifting=True)
    paced, others = ratio(from_history(capacity, drifting=True, in_order=True), value, capacity)
    even, _ = ratio(from_history(capacity, drifting=True), value, capacity)
    assert paced > 0.975 and even < 0.97 and even > others + 0.2


def test_efforts_that_differ() -> None:
    """Leads of different effort on the same capacities: priced by effort unit, 97 % and more."""
    value, capacity = world(3)
    rng = np.random.default_rng(0)
    effort = rng.choice([0.5, 1.0, 3.0], len(value))
    capacity = capacity * 1.2
    ids = [str(i) for i in range(len(value))]
    router = Router(capacity=capacity, horizon=len(value))
    router.route_many(ids, value=value, effort=effort, compiled=True)
    problem = AssignmentProblem.from_arrays(value, capacity=capacity, effort=effort, lead_ids=ids)
    bound = price_bound(problem, Prices(router.prices, np.zeros(REPS)))  # any prices prove one
    assert router.report().value / bound > 0.965
    assert greedy(value, capacity, effort) / bound < 0.75


def test_a_limit_over_a_team_is_priced_like_capacity() -> None:
    """A hard limit over several reps gets a price of its own: the best of the leads are kept for it."""
    rng = np.random.default_rng(5)
    value = rng.lognormal(0, 1, (3000, 4))
    limit = Limit(high=300, by="all", name="all in all")
    router = Router(capacity=np.full(4, 3000.0), limits=[limit], horizon=3000)
    ids = [str(i) for i in range(3000)]
    router.route_many(ids, value=value, compiled=True)
    problem = AssignmentProblem.from_arrays(value, capacity=np.full(4, 3000.0), limits=[limit], lead_ids=ids)
    told = router.report().hindsight(problem)
    first = np.sort(value[:300].max(axis=1)).sum()
    assert told.broken == () and told.ratio > 0.95 and first / told.bound < 0.6


def test_hindsight_counts_released_leads_as_nurture_and_checks_the_problem() -> None:
    """A lead that was given back earns nurture; a problem of other leads or reps is refused."""
    router = Router(capacity=[1.0, 1.0], horizon=3)
    for lead, value in (("a", [5.0, 4.0]), ("b", [3.0, 1.0])):
        router.route(lead, value=value, nurture=0.5)
    router.release("a")
    problem = AssignmentProblem.from_arrays([[3.0, 1.0], [5.0, 4.0]], capacity=[1, 1], nurture=0.5, lead_ids=["b", "a"])
    told = router.report().hindsight(problem)
    assert told.optimum == told.bound == 7.0 and told.value == router.report().value < 4.0
    with pytest.raises(InputError, match="was not routed"):
        router.report().hindsight(problem.replace(lead_ids=["b", "c"]))
    with pytest.raises(InputError, match="rep_ids"):
        router.report().hindsight(problem.replace(rep_ids=["x", "1"]))
