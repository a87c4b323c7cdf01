"""The network engine: exact, scaled to integers with a stated resolution, and prices that are worth what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from apportion import AssignmentProblem, LeadShare, Limit, Status, solve, verify
from apportion_models.errors import UsageError
from tests.solver.engines.agreement import agree


def _worth(problem: AssignmentProblem) -> float:
    plan = solve(problem, gap=0)
    assert plan.status is Status.OPTIMAL
    return plan.objective


def _random(seed: int, **changes: Any) -> AssignmentProblem:
    rng = np.random.default_rng(seed)
    arguments = {
        "value": np.round(rng.lognormal(1, 1, (12, 4)), 3),
        "capacity": rng.integers(0, 5, 4).astype(float),
        "eligible": rng.random((12, 4)) < 0.8,
        "nurture": np.round(rng.random(12), 3),
    }
    return AssignmentProblem.from_arrays(**(arguments | changes))


@pytest.mark.parametrize("seed", range(25))
def test_the_price_of_capacity_is_the_gain_of_one_more_unit(seed: int) -> None:
    """Solved again with room for one lead more, each rep's objective rises by exactly the price."""
    problem = _random(seed)
    plan = solve(problem, gap=0)
    assert plan.certificate.proof == "network"
    for rep in range(problem.n_reps):
        more = problem.capacity.copy()
        more[rep] += 1
        gain = _worth(problem.replace(capacity=more)) - plan.objective
        assert plan.prices[rep] == pytest.approx(gain, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_fractional_capacities_are_priced_as_whole_leads(seed: int) -> None:
    """7.35 units of capacity hold 7 leads: the same plan, prices and proof as 7, and no gap."""
    problem = _random(seed)
    part = problem.replace(capacity=problem.capacity + 0.35)
    whole, plan = solve(problem, gap=0), solve(part, gap=0)
    assert plan.rep.tolist() == whole.rep.tolist()
    assert np.array_equal(plan.prices.capacity, whole.prices.capacity)
    assert plan.gap <= 1e-12
    double = part.replace(effort=np.full(12, 0.5))  # twice as many leads in the same room
    assert agree_in_value(double, problem.replace(capacity=np.floor(2 * (problem.capacity + 0.35))))


def agree_in_value(one: AssignmentProblem, other: AssignmentProblem) -> bool:
    """Whether two problems have the same optimum, both proved by a flow."""
    plans = [solve(problem, gap=0) for problem in (one, other)]
    assert all(plan.certificate.proof == "network" and plan.gap <= 1e-12 for plan in plans)
    return plans[0].objective == pytest.approx(plans[1].objective, rel=1e-12)


@pytest.mark.parametrize("seed", range(15))
def test_nested_counts_are_a_network_and_proved(seed: int) -> None:
    """Caps of tier within rep, of team over reps, soft and hard, minimum loads: exact, and proved by the prices."""
    rng = np.random.default_rng(seed)
    tier = rng.integers(0, 2, 12)
    problem = _random(
        seed,
        team=[0, 0, 1, 1],
        min_load=[0.0, 0.5, 0.0, 0.0],
        capacity=rng.uniform(1, 4, 4),
        limits=[Limit(high=2, leads=tier == 0), Limit(high=4, by="team", price=0.7), Limit(low=3, by="all", price=2.0)],
    )
    plan = solve(problem, gap=0)
    assert plan.certificate.engine == "network"
    if plan.status.has_plan:
        assert plan.gap <= 1e-12
        assert plan.objective == pytest.approx(solve(problem, gap=0, engine="core").objective, abs=1e-7)


@pytest.mark.parametrize("limit", [{"low": 1.5, "high": 1.7}, {"high": 0.5}, {"low": 9.0}, {"low": 2.5}], ids=str)
def test_soft_bounds_between_counts(limit: dict[str, float]) -> None:
    """Half a lead too many costs half the price; more than there are leads is short, not impossible."""
    agree(
        AssignmentProblem.from_arrays([[3.0, 2], [2, 2], [5, 1]], capacity=[3, 3], limits=[Limit(**limit, price=3.0)])
    )


def test_hard_bounds_between_counts() -> None:
    """At least 1.5 leads are two, at most 1.7 are one: together, nothing."""
    problem = AssignmentProblem.from_arrays([[3.0, 2], [2, 2], [5, 1]], capacity=[3, 3])
    assert agree(problem.replace(limits=[Limit(high=1.7)])).objective == 7.0
    assert agree(problem.replace(limits=[Limit(low=[0, 1.5])])).objective == 9.0
    assert agree(problem.replace(limits=[Limit(low=1.5, high=1.7)])).status is Status.INFEASIBLE


def test_shares_of_a_known_total_are_counts() -> None:
    """Where every lead must be placed, a share of leads is a bound on a count, whole leads, and a network."""
    rng = np.random.default_rng(2)
    problem = AssignmentProblem.from_arrays(
        rng.lognormal(0, 1, (7, 3)), capacity=[7, 7, 7], must_assign=True, equity=[LeadShare(0.7, 1.3)]
    )
    plan = solve(problem, gap=0)
    assert plan.certificate.engine == "network"
    assert plan.gap <= 1e-12
    assert np.bincount(plan.rep, minlength=3).tolist() in ([2, 2, 3], [2, 3, 2], [3, 2, 2])  # 0.7·7/3 to 1.3·7/3 leads


# --- scaling to integers


def test_no_score_vanishes() -> None:
    """Beside a trillion, a thousandth still decides who gets the lead."""
    value = np.array([[1e12, 1e-3], [2e-3, 1e-3], [0.0, 1e-3]])
    plan = solve(AssignmentProblem.from_arrays(value, capacity=[2, 2]), gap=0)
    assert plan.certificate.engine == "network"
    assert plan.rep.tolist() == [0, 0, 1]
    assert plan.certificate.resolution is not None
    assert plan.certificate.resolution < 1e-3


def test_what_is_below_the_resolution_still_counts_as_something() -> None:
    """A value finer than the resolution is still better than none, and worse than nothing if negative."""
    value = np.array([[1e18, 0.0], [1e-9, 0.0], [-1e-9, -1e-9]])
    plan = solve(AssignmentProblem.from_arrays(value, capacity=[2, 2]), gap=0)
    assert plan.certificate.resolution is not None
    assert plan.certificate.resolution > 1e-9
    assert plan.rep.tolist() == [0, 0, -1]


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e-3, 1.0, 1e12, 1e200, 1e290])
@pytest.mark.parametrize("n_leads", [3, 300])
def test_no_scale_overflows(scale: float, n_leads: int) -> None:
    """The plan is the same in any currency, and the objective is what it earns, however large or small."""
    value = np.random.default_rng(8).integers(1, 1000, (n_leads, 5)).astype(float)
    capacity = np.full(5, n_leads // 6 + 1.0)
    base = solve(AssignmentProblem.from_arrays(value, capacity=capacity), gap=0)
    problem = AssignmentProblem.from_arrays(value * scale, capacity=capacity)
    plan = solve(problem, gap=0)
    assert plan.objective == pytest.approx(base.objective * scale, rel=1e-12)
    assert plan.gap <= 1e-9
    assert verify(problem, plan)


def test_the_resolution_bounds_the_error() -> None:
    """Against a common scale the objective is off by no more than the resolution for each lead."""
    rng = np.random.default_rng(3)
    value = 10.0 ** rng.uniform(-6, 12, (40, 6))
    problem = AssignmentProblem.from_arrays(value, capacity=np.full(6, 7.0))
    plan = solve(problem, gap=0)
    assert plan.certificate.resolution is not None
    assert plan.bound - plan.objective <= plan.certificate.resolution * 40 + 1e-12 * plan.bound


# --- what is no network


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"effort": np.arange(1.0, 13.0)}, "differing amounts"),
        ({"parcel": [0, 0, *range(2, 12)]}, "stay together"),
        ({"equity": [LeadShare(0.5)]}, "follows a total"),
        ({"limits": [Limit(high=1.5, price=1.0)]}, "parts of a count"),
        (
            {
                "limits": [
                    Limit(high=2, by=[0, 0, 1, 1], leads=[True] * 6 + [False] * 6),
                    Limit(high=2, by=[0, 1, 0, 1]),
                ]
            },
            "not nested",
        ),
    ],
)
def test_the_engine_says_what_it_cannot_do(changes: dict[str, Any], reason: str) -> None:
    """Asked for by name, it refuses with the reason; left to choose, another engine solves and says why."""
    problem = _random(0, **changes)
    with pytest.raises(UsageError, match=reason):
        solve(problem, engine="network")
    assert reason in solve(problem).certificate.why_engine
