"""Plans of past leads in worlds whose truth is known: intervals must cover as they say, or there must be none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from apportion_models.errors import InputError
from apportion_models.policy_value import Estimate, Log, direct_method, policy_value, switch_dr
from tests.models.policy_value.cheap import Cheap

FULL = os.environ.get("APPORTION_TEST_SIZE") == "full"
DRAWS = 1000 if FULL else 200

WORLDS: dict[str, dict[str, Any]] = {
    "all of it is true": {},
    "none of it is true": {"kept": 0.0},
    "half of it, and more that nobody saw": {"kept": 0.5, "own": 0.15},
    "leads of an account are alike": {"accounts": 600},
    "ten reps": {"reps": 10},
}


def held(method: Callable[[Log], Estimate], **world: Any) -> tuple[float, float]:
    """The share of intervals that hold the truth, and the mean error of the uplift."""
    holds, errors = [], []
    for seed in range(DRAWS):
        log, truth, _, _ = Cheap(seed=seed, **world).draw()
        found = method(log).uplift
        holds.append(found.holds(truth))
        errors.append(found.value - truth)
    return float(np.mean(holds)), float(np.mean(errors))


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
@pytest.mark.parametrize("method", [direct_method, switch_dr])
def test_intervals_cover_as_they_say(method: Callable[[Log], Estimate], world: dict[str, Any]) -> None:
    """Over 200 worlds the 90 % interval holds the plan's true uplift in 85 to 95 %, and the mean error is small."""
    covered, error = held(method, **world)
    assert 0.85 <= covered <= 0.95
    assert abs(error) < 0.02


def test_hidden_selection_is_claimed_without_a_slice_and_mended_with_one() -> None:
    """Where managers gave trusted reps leads better than the table shows, the direct method takes that for skill; a
    fifth of the leads dealt at random brings the intervals back, and tells how much was claimed too much."""
    confounded, too_much = held(direct_method, hidden=0.4)
    mended, left = held(direct_method, hidden=0.4, slice_=0.2)
    assert confounded < 0.8 and too_much > 0.02
    assert 0.85 <= mended <= 0.95 and left < too_much / 2
    log, _, _, _ = Cheap(hidden=0.4, slice_=0.2, rows=20_000).draw()
    found = policy_value(log).discount
    assert found is not None and found.leads == int(log.randomised.sum())
    assert found.randomised.low < found.used < found.confounded


def test_a_slice_too_small_says_nothing() -> None:
    """Under 200 leads dealt at random there is no discount."""
    log, _, _, _ = Cheap(hidden=0.4, slice_=0.03).draw()
    assert 0 < log.randomised.sum() < 200 and policy_value(log).discount is None


def test_few_leads_are_not_applicable() -> None:
    """199 past leads are none to judge by, and the reason says how many it would take."""
    value = policy_value(Cheap(rows=199).draw()[0])
    assert value.direct is None and value.switch is None
    assert "199 past leads" in str(value.direct_fault) and "200 are the least" in str(value.direct_fault)


def test_a_plan_that_history_never_made_is_not_applicable() -> None:
    """Every region has its own reps in history, and the plan deals regions to the others: nothing can be told."""
    log, _, segment, _ = Cheap(rows=2000).draw()
    region = segment % 2
    rep = 2 * (log.rep // 2) + region
    apart = replace(log, rep=rep, planned=rep + 1 - 2 * region, chance=np.full(2000, 0.1))
    value = policy_value(apart, kinds={"region": region, "segment": segment})
    assert value.direct is None and value.switch is None
    assert str(value.direct_fault).endswith("never gave a lead with the same region")
    assert policy_value(replace(apart, planned=rep), kinds={"region": region}).direct is not None


def test_without_overlap_only_the_model_answers() -> None:
    """Where hardly a lead was dealt as planned, switch-DR is not applicable, and says by how little."""
    log, _, _, _ = Cheap(reps=60, rows=1500).draw()
    value = policy_value(log)
    assert value.direct is not None and value.switch is None
    assert "an effective sample of" in str(value.switch_fault)


def test_wrong_chances_are_noticed() -> None:
    """Weights that do not add up to the leads that they stand for are not used."""
    log, _, _, chance = Cheap(rows=6000, reps=8).draw()
    every = np.arange(log.size)
    right = replace(log, planned_chance=chance[every, log.planned])
    assert policy_value(right).switch is not None
    wrong = replace(right, chance=np.minimum(2.0 * right.chance, 1.0))
    assert "chance leads were dealt cannot be told" in str(policy_value(wrong).switch_fault)


def test_all_reps_alike_is_not_applicable() -> None:
    """A model that knows no differences between reps has no plan to be judged."""
    log, _, _, _ = Cheap().draw()
    flat = replace(log, advantage=np.zeros(log.size), planned_advantage=np.zeros(log.size))
    assert policy_value(flat).direct_fault == "to the model all reps are alike"


def test_order_of_leads_changes_nothing() -> None:
    """The same log in another order gives the same numbers, up to rounding."""
    log, _, _, _ = Cheap(accounts=500).draw()
    order = np.random.default_rng(0).permutation(log.size)
    mixed = replace(
        log,
        **{one.name: getattr(log, one.name)[order] for one in fields(log) if one.name != "agreement"},
    )
    assert direct_method(mixed).uplift.low == pytest.approx(direct_method(log).uplift.low, abs=1e-9)
    assert switch_dr(mixed).uplift.high == pytest.approx(switch_dr(log).uplift.high, abs=1e-9)


def test_what_a_log_must_be() -> None:
    """Every fault of a log is told at once."""
    log, _, _, _ = Cheap(rows=300).draw()
    with pytest.raises(InputError) as caught:
        replace(log, label=log.label + 1.0, chance=np.zeros(300))
    assert {finding.column for finding in caught.value.findings} == {"label", "chance"}
    with pytest.raises(InputError, match="one entry a lead"):
        replace(log, worth=np.ones(299))
