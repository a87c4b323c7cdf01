"""Deal values in an evaluation: the half that planned does not say what its plan's deals bring."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apportion.app.evaluate.values import DealValues
from apportion_models.policy_value.past import beforehand
from benchmarks.claims import PLAIN, Ungated, cross_fitted, small_world


@pytest.fixture(scope="module")
def model() -> Ungated:
    world = small_world(1, 1.0)
    fitted = Ungated(level="lead").fit(world.history(1500), world.reps(), until=world.at)
    assert isinstance(fitted, Ungated) and fitted.deal_value_.source == "regression"
    return fitted


def test_a_stated_value_is_believed_half_way(model: Ungated) -> None:
    """Half way between what the lead says and what such deals brought; draws span from none of it to all of it."""
    leads = small_world(1, 1.0).leads(3).assign(deal_value=[1e6, np.nan, 0.0])
    found = DealValues.of(leads, model, draws=50, seed=0)
    told = model.predict_deal_value(beforehand(leads))
    assert found.own == 1
    np.testing.assert_allclose(found.middle, [(1e6 + told[0]) / 2, told[1], told[2]])
    drawn = found.at(np.array([0.0, 1.0]), slice(0, 2))
    assert drawn[0, 0] == found.drawn[0, 0] and drawn[1, 0] == pytest.approx(1e6)
    np.testing.assert_array_equal(drawn[:, 1:], found.drawn[:2, 1:])


def test_without_won_deals_leads_are_worth_what_they_say() -> None:
    """Where no won deal has a value nothing contradicts the leads, and nothing is drawn."""
    world = small_world(1, 1.0)
    history = world.history(800).assign(deal_value=np.nan)
    model = Ungated(level="lead").fit(history, world.reps(), until=world.at)
    leads = world.leads(4)
    found = DealValues.of(leads, model, draws=5, seed=0)
    np.testing.assert_allclose(found.middle, leads["deal_value"])
    assert found.own == 0 and (found.at(np.linspace(0, 1, 5), slice(0, 5)) == found.middle).all()


def test_a_value_put_too_high_is_not_earned_by_being_planned(tmp_path: Path) -> None:
    """Leads whose own values are mostly noise: taken as they stand, the plan claims to gain by them. Part of that
    is taken back."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(PLAIN)
    noise = np.exp(np.random.default_rng(0).normal(size=(3, 150)))
    said = [
        cross_fitted(world, policy, rows=1500, leads=leads.assign(deal_value=leads["deal_value"] * noise[seed]))
        for seed in range(3)
        for world in [small_world(seed, 1.0)]
        for leads in [world.leads(150)]
    ]
    taken_back = [one.blunt.value - one.uplift.value for one in said]
    assert min(taken_back) > 0.0 and np.mean(taken_back) > 0.01


def test_the_half_that_planned_does_not_value(tmp_path: Path) -> None:
    """Also without values of the leads' own: each plan is valued by what deals brought in the other half."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(PLAIN)
    world = small_world(2, 1.0)
    leads: pd.DataFrame = world.leads(60).drop(columns="deal_value")
    said = cross_fitted(world, policy, rows=1200, level="rep", leads=leads)
    assert said.value.stated == 0
    assert said.value.cross_fitted != pytest.approx(said.naive.cross_fitted, rel=1e-6)
    assert said.value.predicted == said.naive.predicted
