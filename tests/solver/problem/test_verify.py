"""`verify` catches a plan that breaks a rule: each rule kind by name, and nothing else with it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from apportion import (
    AssignmentProblem,
    LeadShare,
    Limit,
    MaxMin,
    OpportunityShare,
    Plan,
    Prices,
    RevenueShare,
    Status,
    solve,
    verify,
)
from apportion.problem import RulePrice
from tests.solver.problem.plans import breaks, broken, claimed

VALUE = np.array([[4.0, 3.0], [3.0, 2.0], [2.0, 1.0], [1.0, 1.0]])  # 4 leads, 2 reps
ALL_TO_FIRST = [0, 0, 0, 0]
EVEN = [0, 0, 1, 1]
NOBODY = [-1, -1, -1, -1]


def _problem(**changes: Any) -> AssignmentProblem:
    return AssignmentProblem.from_arrays(
        **({"value": VALUE, "capacity": [9, 9], "lead_ids": "abcd", "rep_ids": ["x", "y"]} | changes)
    )


STRUCTURE = {
    "capacity": (_problem(capacity=[3, 9]), EVEN, ALL_TO_FIRST, "capacity", "x"),
    "effort of lead": (_problem(capacity=[3, 9], effort=[2, 1, 1, 1]), EVEN, [0, 0, 0, 1], "capacity", "x"),
    "effort of pair": (
        _problem(capacity=[3, 9], effort=[[2, 9], [1, 9], [1, 1], [1, 1]]), EVEN, [0, 0, 0, 1], "capacity", "x",
    ),
    "minimum load": (_problem(min_load=[0, 2]), EVEN, [0, 0, 0, 1], "minimum load", "y"),
    "must assign all": (_problem(must_assign=True), EVEN, [0, 0, 0, -1], "must assign", "d"),
    "must assign one": (_problem(must_assign=[False, True, False, False]), [-1, 0, -1, -1], NOBODY, "must assign", "b"),
    "parcels": (_problem(parcel=[7, 7, 8, 8]), EVEN, [0, 1, 1, 1], "parcels stay together", "b"),
    "parcel half placed": (_problem(parcel=[7, 7, 8, 8]), EVEN, [0, 0, -1, 1], "parcels stay together", "d"),
    "eligibility": (
        _problem(eligible=np.array([[1, 1], [1, 0], [1, 1], [1, 1]], dtype=bool)),
        EVEN, [0, 1, 1, 1], "eligibility", "b",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STRUCTURE)
def test_structure_is_checked(case: str) -> None:
    """A plan that breaks capacity, minimum load, must-assign, parcels or eligibility is told by that name and place."""
    problem, good, bad, name, where = STRUCTURE[case]
    assert breaks(problem, good) == []
    verdict = verify(problem, claimed(problem, bad))
    assert [(rule.rule, rule.where) for rule in verdict.broken] == [(name, where)]
    assert verdict.broken[0].violation > 0
    assert not verdict
    assert name in str(verdict)


MASK = [True, True, False, False]
LABELS = [0, -1]
GROUPINGS: dict[str, Any] = {"rep": "rep", "team": "team", "labels": np.array([0, 1])}
SHARES: dict[str, Any] = {
    "revenue": lambda **k: RevenueShare(**k),
    "opportunity": lambda **k: OpportunityShare(**k),
    "leads": lambda **k: LeadShare(**k),
    "tier": lambda **k: LeadShare(**k, tier=1),
}


@pytest.mark.parametrize("sides", [{"low": 0.3}, {"high": 1.7}, {"low": 0.3, "high": 1.7}], ids=["low", "high", "both"])
@pytest.mark.parametrize("by", GROUPINGS)
@pytest.mark.parametrize("kind", SHARES)
def test_hard_shares_are_checked(kind: str, by: str, sides: dict[str, float]) -> None:
    """All leads to one rep breaks each hard share; a fair plan keeps it."""
    rule = SHARES[kind](**sides, by=GROUPINGS[by], name="fair")
    problem = _problem(equity=[rule], team=[5, 8], tier=[1, 0, 1, 0])
    assert breaks(problem, [0, 0, 1, 1]) == []
    assert breaks(problem, NOBODY) == []  # nothing given out is shared out fairly
    assert breaks(problem, ALL_TO_FIRST) == ["fair"]


@pytest.mark.parametrize("kind", SHARES)
def test_soft_shares_always_hold_and_cost(kind: str) -> None:
    """A soft share never breaks a plan; its price times the violation is taken off the objective."""
    rule = SHARES[kind](low=0.3, price=2.0)
    free = _problem(tier=[1, 0, 1, 0])
    problem = free.replace(equity=[rule])
    plan = claimed(problem, ALL_TO_FIRST)
    total = {"revenue": 10.0, "opportunity": 3.5 + 2.5 + 1.5 + 1.0, "leads": 4.0, "tier": 2.0}[kind]
    assert broken(problem, plan) == []
    assert plan.objective == pytest.approx(10.0 - 2.0 * 0.3 * 0.5 * total)


def test_share_weights_leads_and_earlier_count() -> None:
    """Weights move the fair share, a mask the leads that count, and earlier sums count on both sides."""
    assert breaks(_problem(equity=[LeadShare(0.5, weights=[1, 0])]), ALL_TO_FIRST) == []
    assert breaks(_problem(equity=[LeadShare(0.5, weights=[0, 1])]), ALL_TO_FIRST) == ["lead share"]
    assert breaks(_problem(equity=[LeadShare(0.5, leads=MASK)]), [0, 1, 0, 0]) == []
    assert breaks(_problem(equity=[LeadShare(0.5, leads=MASK)]), EVEN) == ["lead share"]
    assert breaks(_problem(equity=[LeadShare(0.5, earlier=[0, 4])]), ALL_TO_FIRST) == []
    assert breaks(_problem(equity=[LeadShare(0.5, earlier=[4, 0])]), ALL_TO_FIRST) == ["lead share"]


AMOUNT = {"leads": 4.0, "effort": 6.0, "revenue": 10.0, "opportunity": 8.5}  # of all four leads with the first rep


@pytest.mark.parametrize("by", ["rep", "team", "all", "labels"])
@pytest.mark.parametrize("measure", AMOUNT)
def test_limits_are_checked(measure: Any, by: str) -> None:
    """A limit on each measure is kept at its number and broken just beyond it, above and below; soft, it costs."""
    groups: Any = np.array(LABELS) if by == "labels" else by
    amount = AMOUNT[measure]

    def problem(**bounds: Any) -> AssignmentProblem:
        limit = Limit(measure=measure, by=groups, name="cap", **bounds)
        return _problem(limits=[limit], effort=[2, 2, 1, 1], team=[3, 3])

    assert breaks(problem(high=amount), ALL_TO_FIRST) == []
    assert breaks(problem(high=amount - 0.01), ALL_TO_FIRST) == ["cap"]
    low = [0.0, 0.01] if by == "rep" else [amount + 0.01]
    verdict = verify(problem(low=low), claimed(problem(low=low), ALL_TO_FIRST)).broken
    assert [rule.rule for rule in verdict] == ["cap"]
    assert verdict[0].where == {"rep": "y", "team": "team 3", "all": "all reps", "labels": "group 0"}[by]
    soft = problem(high=amount - 1, price=7.0)
    assert breaks(soft, ALL_TO_FIRST) == []
    assert claimed(soft, ALL_TO_FIRST).objective == pytest.approx(10.0 - 7.0)


def test_limit_counts_only_its_leads() -> None:
    """A limit over some leads does not see the others."""
    problem = _problem(limits=[Limit(high=1, leads=MASK)])
    assert breaks(problem, [0, 1, 0, 0]) == []
    assert breaks(problem, [0, 0, -1, -1]) == ["limit on leads"]


def test_max_min_is_held_to_its_promise() -> None:
    """Hard: the worst-off value that the certificate promises must be there. Soft: it is part of the objective."""
    problem = _problem(equity=[MaxMin(keep=0.5)])
    plan = solve(problem, gap=0)
    promised = plan.certificate.worst_off
    assert promised is not None
    assert verify(problem, plan)
    assert "max-min revenue" in broken(problem, claimed(problem, ALL_TO_FIRST, worst_off=promised))
    more = dataclasses.replace(plan.certificate, worst_off=promised * 1.01)
    assert "max-min revenue" in broken(problem, plan.replace(certificate=more))
    soft = _problem(equity=[MaxMin(price=0.5)])
    assert claimed(soft, EVEN).objective == pytest.approx(9.0 + 0.5 * min(7.0, 2.0) / 0.5)


# --- what a plan claims of itself


@pytest.fixture(params=["network", "prices"])
def solved(request: pytest.FixtureRequest) -> tuple[AssignmentProblem, Plan]:
    """A problem with its optimal plan, proved by a flow or by prices."""
    changes: dict[str, Any] = {"capacity": [2, 1], "nurture": 0.5}
    if request.param == "prices":
        changes |= {"equity": [LeadShare(0.2, 1.8)], "capacity": [2, 2]}
    problem = _problem(**changes)
    plan = solve(problem, gap=0)
    assert plan.certificate.proof == request.param
    assert verify(problem, plan)
    return problem, plan


def test_a_wrong_objective_is_caught(solved: tuple[AssignmentProblem, Plan]) -> None:
    """Too much, too little, or no number at all."""
    problem, plan = solved
    for objective in (plan.objective + 1e-6, plan.objective - 1e-6, math.nan, math.inf, -math.inf):
        assert "objective is what the plan earns" in broken(problem, plan.replace(objective=objective))


def test_a_bound_below_the_objective_is_caught(solved: tuple[AssignmentProblem, Plan]) -> None:
    """A bound that the plan itself exceeds bounds nothing."""
    problem, plan = solved
    for bound in (plan.objective - 1e-6, -math.inf):
        assert "bound is not below the objective" in broken(problem, plan.replace(bound=bound))
    assert broken(problem, plan.replace(bound=math.nan)) == ["bound is a number"]


def test_a_bound_that_its_prices_do_not_prove_is_caught(solved: tuple[AssignmentProblem, Plan]) -> None:
    """Prices of nothing, or prices too high, prove only a weaker bound than the plan states."""
    problem, plan = solved
    none = plan.replace(prices=Prices.none(problem.n_reps))
    assert broken(problem, none) == ["bound is proved by the prices"]
    rules = {name: RulePrice(price.low + 1, price.high + 2) for name, price in plan.prices.rules.items()}
    high = plan.replace(prices=Prices(plan.prices.capacity + 10, plan.prices.min_load, rules))
    assert broken(problem, high) == ["bound is proved by the prices"]


def test_a_plan_that_is_worse_is_not_proved(solved: tuple[AssignmentProblem, Plan]) -> None:
    """A feasible plan that earns less keeps every rule, and its honest bound shows the gap."""
    problem, plan = solved
    nobody = claimed(problem, NOBODY).replace(bound=plan.bound, prices=plan.prices)
    assert broken(problem, nobody) == []
    assert nobody.gap > 0.1


@pytest.mark.parametrize(
    "rep",
    [
        np.array([0, 0, 1]),
        np.array([0, 0, 1, 1, 1]),
        np.array([[0, 0, 1, 1]]),
        np.array([0.0, 0.0, 1.0, 1.0]),
        np.array([True, True, False, False]),
        np.array(["0", "0", "1", "1"]),
        np.array([0, 0, 1, 2]),
        np.array([0, 0, 1, -2]),
        np.array([0, 0, 1, 255], dtype=np.uint8),
        [0, 0, 1, 1],
        None,
    ],
    ids=str,
)
def test_wrong_shapes_dtypes_and_indices_are_caught(rep: Any) -> None:
    """What is no (L,) integer array of reps is refused by a verdict, never by an exception."""
    problem = _problem()
    assert broken(problem, claimed(problem, EVEN).replace(rep=rep)) == ["each lead exactly once"]


@pytest.mark.parametrize(
    "prices",
    [
        Prices(np.zeros(3), np.zeros(2)),
        Prices(np.zeros(2), np.zeros(1)),
        Prices(np.array([math.nan, 0.0]), np.zeros(2)),
        Prices(np.array([math.inf, 0.0]), np.zeros(2)),
        Prices(np.zeros(2), np.zeros(2), {"lead share": RulePrice(np.zeros(3), np.zeros(2))}),
        Prices(np.zeros(2), np.zeros(2), {"lead share": RulePrice(np.zeros(2), np.array([0.0, math.nan]))}),
        Prices(np.zeros(2), np.zeros(2), {"no such rule": RulePrice(np.zeros(2), np.zeros(2))}),
    ],
    ids=range(7),
)
def test_prices_of_another_problem_are_caught(prices: Prices) -> None:
    """Prices must fit the problem, one finite number a bound."""
    problem = _problem(equity=[LeadShare(0.2)])
    assert broken(problem, claimed(problem, EVEN).replace(prices=prices)) == ["prices fit the problem"]


@pytest.mark.parametrize("status", [Status.INFEASIBLE, Status.TIME_LIMIT])
def test_no_plan_is_no_approval(status: Status) -> None:
    """A status without a plan never passes."""
    problem = _problem()
    assert broken(problem, claimed(problem, EVEN).replace(status=status)) == ["has a plan"]


def test_a_large_capacity_elsewhere_excuses_nothing() -> None:
    """Each rep is held to their own numbers: beside an unlimited rep, one with room for one lead gets one."""
    problem = _problem(capacity=[1e12, 1.0])
    assert breaks(problem, [0, 0, 0, 1]) == []
    assert breaks(problem, [0, 0, 1, 1]) == ["capacity"]
    capped = _problem(limits=[Limit(high=[1e12, 1.0])])
    assert breaks(capped, [0, 0, 1, 1]) == ["limit on leads"]


def test_rounding_is_not_violation() -> None:
    """Ten times 0.1 fits into 1, and its sum into a share of exactly one half."""
    problem = AssignmentProblem.from_arrays(
        np.ones((20, 2)), capacity=[1.0, 1.0], effort=np.full(20, 0.1), equity=[RevenueShare(1.0, 1.0)]
    )
    assert breaks(problem, [0, 1] * 10) == []
