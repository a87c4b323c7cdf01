"""Each rule's conflict by a case made by hand, and what the diagnosis says of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from apportion.engines import solve
from apportion.problem import AssignmentProblem, LeadShare, Limit, OpportunityShare, RevenueShare
from apportion.reasons.diagnose import Diagnosis, diagnose
from apportion_models.errors import UsageError
from tests.solver.oracle import best_plan
from tests.solver.reasons.cases import batch_of

THREE = np.ones((3, 2))


def diagnosed(value: Any, **arguments: Any) -> tuple[AssignmentProblem, Diagnosis]:
    """The diagnosis, every way out of which was tried."""
    n_leads, n_reps = np.shape(value)
    names = {"lead_ids": [f"L{i}" for i in range(n_leads)], "rep_ids": [f"R{j}" for j in range(n_reps)]}
    problem = AssignmentProblem.from_arrays(value, **{**names, **arguments})
    answer = diagnose(problem)
    assert best_plan(problem) is None
    assert answer.minimal
    assert answer.relaxations
    for relaxation in answer.relaxations:
        assert best_plan(relaxation.apply(problem)) is not None
        assert solve(relaxation.apply(problem)).status.has_plan
    return problem, answer


def told(answer: Diagnosis) -> str:
    return "\n".join(sentence for way in answer.ways_out() for sentence in way)


def test_capacity_against_leads_that_must_be_placed() -> None:
    """More leads must be placed than the reps can take: all of them and all capacities are in conflict."""
    _, answer = diagnosed(THREE, capacity=[1, 1], must_assign=True)
    assert [element.kind for element in answer.conflict] == ["must_assign"] * 3 + ["capacity"] * 2
    assert answer.relaxations[0].cost == pytest.approx(1.0)
    assert "Raise the capacity of R1 by 1 effort unit, from 1 to 2." in told(answer)
    assert "go to nurture" in told(answer)
    assert "3 leads must go to a rep" in str(answer)


def test_minimum_load_against_the_leads_there_are() -> None:
    """A minimum load that the eligible leads cannot fill is in conflict with nothing else."""
    eligible = np.array([[True, False], [True, False], [True, True]])
    _, answer = diagnosed(THREE, capacity=[3, 3], min_load=[0, 2], eligible=eligible)
    assert [(element.kind, element.where) for element in answer.conflict] == [("min_load", "R1")]
    assert answer.ways_out()[0] == ("Lower the minimum load of R1 from 2 to 1 effort unit.",)


def test_a_parcel_larger_than_any_capacity() -> None:
    """Leads that stay together and must be placed fit nobody: the parcel, one lead and the capacities."""
    _, answer = diagnosed(THREE, capacity=[2, 2], parcel=[0, 0, 0], must_assign=[True, False, False])
    assert {element.kind for element in answer.conflict} == {"must_assign", "parcel", "capacity"}
    assert {relaxation.rules[0][0] for relaxation in answer.relaxations} == {"must_assign", "parcel", "capacity"}
    assert "These leads stay together: L0, L1 and L2." in answer.sentences()
    assert "Let L0, L1 and L2 go to different reps." in told(answer)


def test_a_lead_that_no_rep_may_take() -> None:
    """A lead that must be placed and has no eligible rep is a conflict of its own, and the answer says why."""
    eligible = np.array([[True, True], [False, False], [True, True]])
    _, answer = diagnosed(THREE, capacity=[3, 3], eligible=eligible, must_assign=True)
    assert [element.where for element in answer.conflict] == ["L1"]
    assert any("No rep may take lead L1" in note for note in answer.notes)


def test_floors_of_revenue_against_capacity() -> None:
    """A floor of revenue that tight capacities cannot reach; the relaxed floor is told as a multiple of the fair
    share."""
    value = np.array([[9.0, 1.0], [9.0, 1.0], [9.0, 1.0]])
    floors = RevenueShare(0.9, None, weights=[1, 1], name="fair revenue")
    _, answer = diagnosed(value, capacity=[3, 1], equity=[floors], must_assign=True)
    assert ("rule", "fair revenue") in answer.families
    assert "“fair revenue”" in str(answer)
    assert "of the fair share of expected revenue" in told(answer)


def test_share_of_a_tier() -> None:
    """Two leads of a tier cannot be shared by three reps that each need some of it."""
    tier = LeadShare(0.5, None, tier=1, weights=[1, 1, 1], name="hot for all")
    _, answer = diagnosed(np.ones((4, 3)), capacity=[4, 4, 4], tier=[1, 1, 0, 0], equity=[tier], must_assign=True)
    assert {element.kind for element in answer.conflict} == {"must_assign", "rule"}
    assert {element.rule for element in answer.conflict} == {"", "hot for all"}
    assert "of the leads of tier 1" in " ".join(answer.sentences())


def test_a_limit_that_asks_for_more_than_there_is() -> None:
    """A floor of a limit above all that exists is told with what exists."""
    _, answer = diagnosed(THREE, capacity=[9, 9], limits=[Limit(low=5, by="all", name="at least five")])
    assert [(e.rule, e.side, e.bound) for e in answer.conflict] == [("at least five", "low", 5.0)]
    assert answer.ways_out() == (("Lower the floor “at least five” of all reps together from 5 to 3 leads.",),)


def test_two_limits_in_contradiction() -> None:
    """A team's floor against the caps of its reps: either can give way."""
    limits = [Limit(low=3, by="team", name="a lot"), Limit(high=1, name="a little")]
    _, answer = diagnosed(THREE, capacity=[3, 3], team=[0, 0], limits=limits)
    assert set(answer.families) == {("rule", "a lot"), ("rule", "a little")}
    assert {relaxation.rules[0][1] for relaxation in answer.relaxations} == {"a lot", "a little"}


def test_offers_in_a_window_that_came_before() -> None:
    """A cap on a share that earlier batches have already broken is impossible by itself, and goes."""
    cap = OpportunityShare(None, 1.2, weights=[1, 1], earlier=[9.0, 0.0], name="no favourites")
    _, answer = diagnosed(np.zeros((2, 2)), capacity=[2, 2], opportunity=[1.0, 1.0], equity=[cap])
    assert answer.families == (("rule", "no favourites"),)


def test_bans_and_territories_by_name() -> None:
    """With a batch, the rules that forbid the pairs take part, and an exception from one of them is a way out."""
    blocked = [[0, 1], [-1, -1]]
    rules = ("ban: a person excluded this rep for this lead", "territory 'dach': the rep does not cover it")
    batch = batch_of(
        [[0.5, 0.5], [0.5, 0.5]],
        [100, 100],
        capacity=[2.0, 2.0],
        blocked_by=blocked,
        rules=rules,
        must_assign=[True, False],
    )
    answer = diagnose(batch.problem, batch=batch)
    assert answer.minimal
    assert {element.rule for element in answer.conflict} == {"", *rules}
    ways = told(answer)
    assert "Make an exception to “territory 'dach': the rep does not cover it”: allow lead L0 to R1." in ways
    for relaxation in answer.relaxations:
        assert best_plan(relaxation.apply(batch.problem)) is not None
    costs = {relaxation.rules[0]: relaxation.cost for relaxation in answer.relaxations}
    assert costs["eligibility", rules[0]] > costs["eligibility", rules[1]], "a person's ban outweighs a territory"


def test_a_lock_against_a_capacity() -> None:
    """Two leads that a person locked to a rep with room for one: the locks are told as locks."""
    rules = ("lock: a person gave this lead to another rep",)
    batch = batch_of(
        [[0.5, 0.5], [0.5, 0.5]],
        [100, 100],
        capacity=[1.0, 5.0],
        blocked_by=[[-1, 0], [-1, 0]],
        rules=rules,
        must_assign=True,
        lock=np.array([0, 0]),
    )
    answer = diagnose(batch.problem, batch=batch)
    assert answer.minimal
    assert [element.kind for element in answer.conflict] == ["lock", "lock", "capacity"]
    assert "A person locked L0 to R0 and L1 to R0." in answer.sentences()
    assert "Undo the lock of lead" in told(answer)
    for relaxation in answer.relaxations:
        assert best_plan(relaxation.apply(batch.problem)) is not None


def test_a_problem_with_a_plan_is_refused() -> None:
    """There is nothing to diagnose where a plan exists."""
    problem = AssignmentProblem.from_arrays(THREE, capacity=[2, 2], must_assign=True)
    with pytest.raises(UsageError, match="nothing to diagnose"):
        diagnose(problem)
    with pytest.raises(UsageError, match="time_limit"):
        diagnose(problem, time_limit=0.0)


def test_soft_rules_are_no_part_of_a_conflict() -> None:
    """A soft rule yields by itself and is never blamed."""
    soft = Limit(low=3, by="all", price=1.0, name="soft")
    _, answer = diagnosed(THREE, capacity=[1, 1], must_assign=True, limits=[soft])
    assert ("rule", "soft") not in answer.families


def test_json_holds_all_that_is_said() -> None:
    """The document is plain JSON, with the sentences of the terminal."""
    _, answer = diagnosed(THREE, capacity=[1, 1], must_assign=True)
    document = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert document["minimal"] is True
    assert document["sentences"] == list(answer.sentences())
    assert [len(way["changes"]) for way in document["relaxations"]] == [len(r.changes) for r in answer.relaxations]


def test_the_order_of_rows_changes_nothing() -> None:
    """Leads and reps in another order: the same words."""
    rng = np.random.default_rng(3)
    value = rng.uniform(1, 5, (6, 3))
    effort = rng.choice([0.5, 1.0, 2.0], 6)
    leads, reps = rng.permutation(6), rng.permutation(3)
    names = [f"L{i}" for i in range(6)], [f"R{j}" for j in range(3)]
    one = AssignmentProblem.from_arrays(
        value, capacity=[1.0, 2.0, 1.5], effort=effort, must_assign=True, lead_ids=names[0], rep_ids=names[1]
    )
    other = AssignmentProblem.from_arrays(
        value[np.ix_(leads, reps)],
        capacity=np.array([1.0, 2.0, 1.5])[reps],
        effort=effort[leads],
        must_assign=True,
        lead_ids=[names[0][i] for i in leads],
        rep_ids=[names[1][j] for j in reps],
    )
    assert str(diagnose(one)) == str(diagnose(other))


def test_the_words_fit_the_numbers() -> None:
    """One lead is no leads, nobody's capacity is no bound of 0, and what is alike is told once."""
    one = Limit(high=1, name="one each")
    mine = [[True, False, True], [True, False, True], [False, True, True], [False, True, True]]
    _, answer = diagnosed(np.ones((4, 3)), capacity=[9, 9, 0], eligible=mine, must_assign=True, limits=[one])
    text = str(answer)
    assert "must have at most 1 lead" in text and "R2 has no capacity." in answer.sentences()
    assert "Raise the cap “one each” of R0 and R1 from 1 to 2 leads." in text
    assert "1 leads" not in text and "1 effort units" not in text
    floors = Limit(low=1, measure="effort", name="some work")
    _, answer = diagnosed(np.ones((1, 2)), capacity=[9, 9], limits=[floors])
    assert answer.sentences() == ("“some work”: R0 and R1 must have at least 1 effort unit each.",)


def test_numbers_that_were_computed_are_rounded() -> None:
    """A capacity is told to two decimals, a bound that a person wrote as it was written."""
    _, answer = diagnosed(np.ones((1, 1)), capacity=[1 / 3], must_assign=True)
    assert "The capacity of R0 is 0.33 effort units." in answer.sentences()
    assert "Raise the capacity of R0 by 0.67 effort units, from 0.33 to 1." in told(answer)
    bit = Limit(high=0.125, measure="effort", name="a bit")
    _, answer = diagnosed(np.ones((1, 1)), capacity=[9], must_assign=True, limits=[bit])
    assert "“a bit”: R0 must have at most 0.125 effort units." in answer.sentences()


def test_groups_bear_the_names_of_the_reps_columns() -> None:
    """A rule by team, by a column or over all reps names them, and not a list of reps."""
    fits, deals = np.full((4, 4), 0.5), [100.0] * 4
    rules = [
        Limit(high=1, by=[0, 0, 1, 1], name="by team"),
        Limit(high=1, by=[0, 1, 1, 0], name="by language"),
        Limit(high=1, by=[0, 0, 0, 0], name="of all"),
        Limit(high=1, by=[0, 0, 0, 1], name="odd"),
    ]
    found = []
    for rule in rules:
        batch = batch_of(fits, deals, capacity=[4.0] * 4, must_assign=True, limits=[rule])
        batch.reps["first_language"], batch.reps["team_id"] = (
            ["sv", "de", "de", "sv"],
            ["north", "north", "south", "south"],
        )
        answer = diagnose(batch.problem, batch=batch)
        found.append({element.where for element in answer.conflict if element.kind == "rule"})
    assert found == [
        {"team north", "team south"},
        {"first language de", "first language sv"},
        {"all reps together"},
        {"the 3 reps R0, R1 and R2", "R3"},
    ]


def test_no_way_out_is_told_twice() -> None:
    """Whatever the rules, each way out is another one."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        value = rng.uniform(0, 9, (4, 2))
        limits = [Limit(high=int(rng.integers(0, 2)), name="cap"), Limit(high=1, by="all", name="house")]
        problem = AssignmentProblem.from_arrays(value, capacity=rng.integers(0, 3, 2), must_assign=True, limits=limits)
        ways = diagnose(problem).ways_out()
        assert len(set(ways)) == len(ways)
