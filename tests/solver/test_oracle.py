"""The brute-force oracle and the independent verifier must agree: two codes, one meaning."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.problem import (
    AssignmentProblem,
    Certificate,
    LeadShare,
    Limit,
    MaxMin,
    OpportunityShare,
    Plan,
    Prices,
    RevenueShare,
    Status,
    verify,
)
from tests.solver.oracle import assignments, best_plan, objective

CLAIMS = ("objective is what the plan earns", "bound is not below the objective")


def _plan(problem: AssignmentProblem, rep: list[int], worth: float = math.nan) -> Plan:
    certificate = Certificate(
        objective=worth, bound=math.inf, gap=math.inf, proof="search", engine="x", why_engine="", price_bound=math.inf
    )
    prices = Prices.none(problem.n_reps)
    return Plan(np.array(rep, dtype=np.int64), Status.FEASIBLE, worth, math.inf, prices, certificate)


def test_it_finds_what_can_be_seen_by_hand() -> None:
    """Two leads, two reps with one slot each: the crossed plan is worth 5 + 4."""
    problem = AssignmentProblem.from_arrays([[6.0, 5.0], [4.0, 1.0]], capacity=[1, 1])
    found = best_plan(problem)
    assert found is not None
    assert found[0].tolist() == [1, 0]
    assert found[1] == 9.0


def test_no_plan_is_none() -> None:
    """A lead that must be assigned and fits nobody leaves no plan."""
    problem = AssignmentProblem.from_arrays([[6.0]], capacity=[1], effort=[2], must_assign=True)
    assert best_plan(problem) is None


def test_max_min_gives_up_no_more_than_it_may() -> None:
    """Hard MaxMin takes the fairer plan only within `keep` of the best objective."""
    value = [[10.0, 9.0], [10.0, 1.0]]
    for keep, expected in ((0.95, [1, 0]), (1.0, [0, 0])):
        problem = AssignmentProblem.from_arrays(value, capacity=[2, 2], equity=[MaxMin(keep=keep)])
        found = best_plan(problem)
        assert found is not None
        assert found[0].tolist() == expected


@st.composite
def problems(draw: st.DrawFn) -> AssignmentProblem:
    """Small problems with a rule of every kind."""
    n_leads, n_reps = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    price = draw(st.sampled_from([None, 2.0]))
    equity = draw(
        st.lists(
            st.sampled_from(
                [
                    RevenueShare(0.3, 2.0, price=price),
                    OpportunityShare(0.2, 9.0, by="team", price=price, earlier=[1.0, 2.0]),
                    LeadShare(0.0, 1.5, tier=1, price=price),
                    MaxMin(price=1.5, by="team"),
                ]
            ),
            max_size=2,
        )
    )
    limits = draw(
        st.lists(st.sampled_from([Limit(high=2, by="all"), Limit(measure="effort", low=1.0, price=3.0)]), max_size=1)
    )
    team = [0, 1, 1][:n_reps]
    if n_reps == 1:
        equity = [rule for rule in equity if not isinstance(rule, OpportunityShare)]
    return AssignmentProblem.from_arrays(
        np.round(rng.normal(5, 4, (n_leads, n_reps)), 2),
        capacity=rng.integers(0, 4, n_reps),
        effort=rng.integers(1, 3, n_leads),
        eligible=rng.random((n_leads, n_reps)) < 0.8,
        nurture=np.round(rng.random(n_leads), 2),
        must_assign=rng.random(n_leads) < 0.2,
        tier=rng.integers(0, 2, n_leads),
        team=team,
        parcel=rng.integers(0, 3, n_leads) if draw(st.booleans()) else None,
        equity=equity,
        limits=limits,
    )


@settings(max_examples=60, deadline=None)
@given(problems())
def test_every_assignment_is_judged_alike(problem: AssignmentProblem) -> None:
    """For each assignment, oracle and verifier agree on whether it keeps the rules and what it is worth."""
    for rep in assignments(problem):
        mine = objective(problem, rep)
        verdict = verify(problem, _plan(problem, rep))
        broken = [rule.rule for rule in verdict.broken if rule.rule not in CLAIMS]
        assert (mine is not None) == (not broken), (rep, mine, broken)
        if mine is not None:
            assert verdict.objective == pytest.approx(mine, abs=1e-9)
