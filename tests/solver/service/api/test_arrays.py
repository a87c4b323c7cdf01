"""Plain arrays over HTTP: everything that `AssignmentProblem.from_arrays` takes, and each fault at its field."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from starlette.testclient import TestClient

from apportion import AssignmentProblem, LeadShare, MaxMin, OpportunityShare, RevenueShare, solve
from apportion.problem import Limit
from apportion.service.api.arrays import problem_of
from apportion.service.wire.arrays import Arrays, LimitRule, MaxMinRule, ShareRule
from tests.solver.service.api.bodies import ARRAYS


def test_every_argument_is_there() -> None:
    """Of the problem and of each rule, by its own name."""
    assert set(Arrays.model_fields) == set(inspect.signature(AssignmentProblem.from_arrays).parameters)
    assert set(LimitRule.model_fields) == set(inspect.signature(Limit).parameters)
    assert set(MaxMinRule.model_fields) == set(inspect.signature(MaxMin).parameters) | {"measure"}
    assert set(ShareRule.model_fields) == set(inspect.signature(LeadShare).parameters) | {"measure"}


def test_the_same_plan_as_in_this_process(api: TestClient) -> None:
    """With every argument given."""
    answer = api.post("/v1/plans", json={"problem": ARRAYS, "seed": 1})
    assert answer.status_code == 200, answer.text
    rules = [
        RevenueShare(low=0.2, high=[3.0, 3.0], price=1.0, weights=[1.0, 2.0]),
        LeadShare(tier=1, high=2.0, earlier=[0.0, 1.0], leads=[True, True, False]),
        MaxMin(keep=0.5, by="team"),
    ]
    limit = Limit(measure="effort", low=0.0, high=2.0, by=[0, 1], name="most")
    own = {name: given for name, given in ARRAYS.items() if name != "value"} | {"equity": rules, "limits": [limit]}
    plan = solve(AssignmentProblem.from_arrays(ARRAYS["value"], **own), seed=1)
    assert answer.json()["rep"] == plan.rep.tolist()
    assert "most" in {rule["rule"] for rule in answer.json()["certificate"]["rules"]}
    assert problem_of(Arrays(value=[[1.0]], capacity=[1.0], equity=[ShareRule(measure="opportunity")])).equity == (
        OpportunityShare(name="opportunity share"),
    )


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"capacity": [1.0]}, "problem.capacity"),
    ({"capacity": [1.0, -1.0]}, "problem.capacity.1"),
    ({"effort": -1.0}, "problem.effort"),
    ({"effort": [1.0, "x", 1.0]}, "problem.effort.1"),
    ({"effort": [[1.0, 1.0], [1.0], [1.0, 1.0]]}, "problem.effort"),
    ({"effort": {}}, "problem.effort"),
    ({"nurture": [0.0]}, "problem.nurture"),
    ({"must_assign": [True]}, "problem.must_assign"),
    ({"must_assign": 1}, "problem.must_assign"),
    ({"min_load": [0.0]}, "problem.min_load"),
    ({"tier": [1]}, "problem.tier"),
    ({"team": [1.5, 2]}, "problem.team.0"),
    ({"parcel": [0]}, "problem.parcel"),
    ({"opportunity": [1.0]}, "problem.opportunity"),
    ({"revenue": [[1.0, 2.0]]}, "problem.revenue"),
    ({"eligible": [[True, True], [True], [True, True]]}, "problem.eligible"),
    ({"lead_ids": ["a", "a", "b"]}, "problem.lead_ids"),
    ({"rep_ids": ["a"]}, "problem.rep_ids"),
    ({"equity": [{"measure": "revenue"}, {"measure": "revenue", "low": 2.0, "high": 1.0}]}, "problem.equity.1"),
    ({"equity": [{"measure": "revenue", "weights": [1.0]}]}, "problem.equity.0.weights"),
    ({"equity": [{"measure": "leads", "earlier": [1.0]}]}, "problem.equity.0.earlier"),
    ({"equity": [{"measure": "revenue", "by": [0]}]}, "problem.equity.0.by"),
    ({"equity": [{"measure": "revenue", "by": "house"}]}, "problem.equity.0.by"),
    ({"equity": [{"measure": "revenue", "low": "x"}]}, "problem.equity.0.low"),
    ({"equity": [{"measure": "fun"}]}, "problem.equity.0.measure"),
    ({"equity": [{"low": 1.0}]}, "problem.equity.0.measure"),
    ({"equity": [{"measure": "max_min", "keep": 2.0}]}, "problem.equity.0.keep"),
    ({"limits": [{"high": [1.0]}, {"measure": "fun"}]}, "problem.limits.1.measure"),
    ({"limits": [{}, {"high": [1.0]}]}, "problem.limits.1"),
    ({"limits": [{"price": -1.0}]}, "problem.limits.0.price"),
    ({"limits": {}}, "problem.limits"),
    ({"colour": 1}, "problem.colour"),
]


@pytest.mark.parametrize(("wrong", "field"), FAULTS)
def test_each_fault_names_its_field(api: TestClient, wrong: dict[str, Any], field: str) -> None:
    """Once, by its path in the body."""
    problem = {"value": ARRAYS["value"], "capacity": [2.0, 2.0]} | wrong
    answer = api.post("/v1/plans", json={"problem": problem})
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == [field], answer.text


def test_a_whole_number_may_be_written_with_a_point(api: TestClient) -> None:
    """JSON has one kind of number; what is no whole one is refused."""
    problem = {"value": [[1.0]], "capacity": [1], "tier": [2.0]}
    assert api.post("/v1/plans", json={"problem": problem, "seed": 1.0}).status_code == 200
    assert api.post("/v1/plans", json={"problem": problem, "seed": 1.5}).status_code == 422


def test_all_faults_are_told_at_once(api: TestClient) -> None:
    """Not one a request."""
    answer = api.post("/v1/plans", json={"problem": {"value": [[1.0]], "capacity": [1.0, 1.0], "tier": [1, 2]}})
    assert {fault["field"] for fault in answer.json()["errors"]} == {"problem.capacity", "problem.tier"}
