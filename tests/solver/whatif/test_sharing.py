"""What scenarios share is what each would have come to alone: batches, estimates, worlds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from apportion.build.build import LATE, alike_early
from apportion.policy import Policy
from apportion.whatif import Comparison, compare, load_scenario
from apportion.whatif.compare.fingerprint import problem_print
from apportion.whatif.compare.moves import moved_leads
from apportion.whatif.compare.uncertainty import Judge
from apportion.whatif.estimates import Beliefs, estimate
from apportion.whatif.scenarios import apply
from apportion.whatif.setting import pose
from tests.solver.whatif.settings import QUICK, reps_of, small

TIERED = {"tiers": {"bands": [{"name": "hot", "above": 2000}, {"name": "cold"}]}}
EDITS: list[dict[str, Any]] = [
    {"set": {"nurture.value": 7, "nurture.share": 0.2}},
    {"set": {"equity[fair offer].low": 0.95, "solve.gap": 0.3}},
    {"drop": ["fair offer", "not too many"]},
    {"add": {"limits": [{"name": "few", "by": "team", "high": 4}]}},
    {"add": {"weights": [{"name": "w", "reps": "true", "weight": 2}]}},
    {"set": {"nurture.must_assign": "country == 'DE'"}},
    {"set": {"capacity.default": 3, "nurture.value": 1}},
    {"set": {"territories.cover": [{"name": "all", "when": True}]}},
    {"set": {"value.costs": [{"name": "travel", "per_lead": 5}]}},
]  # fmt: skip


@pytest.mark.parametrize("edits", EDITS, ids=lambda edits: str(edits)[:40])
def test_a_batch_like_another_is_the_batch_posed_alone(edits: dict[str, Any]) -> None:
    """Whatever section a scenario changes, taking from the base's batch what it does not touch changes no byte."""
    made = apply(load_scenario({"name": "x", "policy": edits}), small())
    base = pose(small())
    alone, shared = pose(made), pose(made, like=base)
    assert problem_print(shared.problem) == problem_print(alone.problem)
    assert shared.capacity.equals(alone.capacity)
    assert shared.policy == made.policy
    assert (shared.capacity is base.capacity) == alike_early(made.policy, small().policy)


def test_every_section_is_late_or_not() -> None:
    """A name in the list that the policy does not know would share too much some day."""
    assert set(LATE) <= set(Policy.model_fields)
    assert not {"capacity", "territories", "rules", "screening", "tiers", "value", "overrides"} & set(LATE)


@pytest.fixture(scope="module")
def beliefs() -> Beliefs:
    base = small()
    known = estimate(base.model, base.tables, base.policy, at=base.at)
    return Beliefs(base.model, base.tables, base.policy, known, at=base.at)


@pytest.mark.parametrize("kind", ["leave", "join", "change", "room"])
def test_beliefs_of_other_rosters_are_the_models(beliefs: Beliefs, kind: str) -> None:
    """Who stays keeps the base's estimates, who is new or other is asked about: as the model says of the whole."""
    first, second = reps_of(small())[:2]
    changes: dict[str, dict[str, Any]] = {
        "leave": {"leave": [first]},
        "join": {"join": [{"rep_id": "A00", "like": second, "columns": {"start_date": "2026-02-20"}}]},
        "change": {"change": {first: {"level": "senior", "start_date": "2019-01-01"}}},
        "room": {"change": {first: {"capacity": 3}}},
    }
    made = apply(load_scenario({"name": kind, "reps": changes[kind]}), small())
    assert beliefs.know(made.model, made.tables, made.policy)
    found = beliefs.of(made.tables)
    whole = estimate(made.model, made.tables, made.policy, at=made.at)
    np.testing.assert_allclose(found.fit, whole.fit, rtol=2e-5)
    np.testing.assert_array_equal(found.deal_value, whole.deal_value)
    before = estimate(small().model, small().tables, small().policy, at=small().at).fit
    if kind == "room":
        np.testing.assert_array_equal(found.fit, before)  # capacity is nothing that a model reads
    if kind == "change":
        assert not np.allclose(found.fit[:, 0], before[:, 0])


def test_beliefs_know_their_limits(beliefs: Beliefs) -> None:
    """Other leads, or standard errors, are not theirs to tell."""
    grown = apply(load_scenario({"name": "g", "leads": {"grow": [{"when": "true", "by": 0.2}]}}), small())
    assert not beliefs.know(grown.model, grown.tables, grown.policy)
    wary = apply(load_scenario({"name": "w", "policy": {"set": {"value.estimate": "lower"}}}), small())
    assert not beliefs.know(wary.model, wary.tables, wary.policy)


@pytest.fixture(scope="module")
def rosters() -> Comparison:
    first, second, third = reps_of(small())[:3]
    asked = [
        load_scenario({"name": "leaves", "reps": {"leave": [first]}}),
        load_scenario({"name": "joins", "reps": {"join": [{"rep_id": "A00", "like": second}]}}),
        load_scenario({"name": "other", "reps": {"change": {third: {"level": "senior", "start_date": "2019-01-01"}}}}),
    ]
    return compare(small(), asked, QUICK)


def test_a_roster_is_judged_by_the_leads_that_move(rosters: Comparison) -> None:
    """The short way, over leads whose rep is another or not the same any more, is the long way over all leads."""
    judge = Judge(rosters.base, draws=50, seed=0, level=0.9)
    for one in rosters.scenarios:
        batch = one.batch
        other = type(batch)(**{**batch.__dict__, "leads": batch.leads.copy()})  # the same, though not the same object
        long = judge.drawn(type(one)(**{**one.__dict__, "batch": other}))
        for short, whole in zip(judge.drawn(one), long, strict=True):
            np.testing.assert_allclose(short, whole, rtol=1e-5, atol=0.02)  # of totals near 1e5, in single precision


def test_moved_leads_are_those_of_the_table(rosters: Comparison) -> None:
    """The count beside a difference is the number of rows that tell of leads of both."""
    for one in rosters.scenarios:
        table = rosters.moves[rosters.moves["scenario"] == one.name]
        both = table["kind"].isin(["moved", "placed", "to nurture"]).sum()
        assert moved_leads(one, rosters.base) == both == rosters.differences[one.name].moves
