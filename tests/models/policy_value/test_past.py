"""Past leads as another half's model sees them."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from apportion_models.fit import FitModel
from apportion_models.policy_value.past import Seen, agreement, see
from tests.models.worlds import LAST, World


def seen(world: World, model: FitModel, half: int, **columns: object) -> Seen:
    history = world.history(2400).assign(**columns)
    mine = history[np.arange(2400) % 2 == half]
    return see(model, mine, world.reps(), valued_by=model, until=LAST, by_account=False, most=10_000)


@pytest.fixture(scope="module")
def model() -> FitModel:
    return FitModel(level="rep x segment").fit(World(seed=3, segment_sd=0.6).history(1200), World(seed=3).reps())


def test_what_was_earned_is_not_known_beforehand(model: FitModel) -> None:
    """The worth of a past lead is the model's estimate, whatever it brought."""
    world = World(seed=3, segment_sd=0.6)
    plain, rich = seen(world, model, 0), seen(World(seed=3, segment_sd=0.6), model, 0, deal_value=1e9)
    np.testing.assert_allclose(plain.worth, rich.worth)
    assert plain.advantage_of(plain.rep_id) is plain.advantage
    np.testing.assert_allclose(plain.advantage_of(plain.rep_id.copy()), plain.advantage)


def test_logged_chances_and_holdouts_are_read(model: FitModel) -> None:
    """A propensity below 1 and a holdout flag mark leads dealt by chance; nonsense is not read as a chance."""
    mixed = np.tile([0.5, 1.0, np.nan, 7.0], 600)
    log = seen(World(seed=3), model, 0, propensity=mixed)
    assert set(np.unique(log.logged[np.isfinite(log.logged)])) == {0.5}
    assert (log.randomised == np.isfinite(log.logged)).all()
    sure = seen(World(seed=3), model, 1, propensity=mixed)
    assert np.nanmax(sure.logged) == 1.0 and not sure.randomised.any()
    held = seen(World(seed=3), model, 0, holdout=np.tile([True, True, False, False], 600))
    assert held.randomised.mean() == pytest.approx(0.5)


def test_the_chance_of_an_arm_is_no_chance_of_a_rep(model: FitModel) -> None:
    """Beside an arm a propensity is the arm's: who got the lead within it was no draw. Without an arm it counts."""
    arm = np.tile(["joint", "joint", None, None], 600)
    log = seen(World(seed=3), model, 0, propensity=0.5, arm=arm)
    assert np.isfinite(log.logged).mean() == log.randomised.mean() == pytest.approx(0.5)


def test_the_model_that_plans_does_not_say_what_deals_are_worth(model: FitModel) -> None:
    """What is hoped for is the planning model's; what counts is the word of the model that is named for it."""
    world = World(seed=3, segment_sd=0.6)
    other = FitModel(level="lead").fit(World(seed=3).history(2400).assign(deal_value=70.0), world.reps())
    mine = World(seed=3).history(2400)
    log = see(model, mine, world.reps(), valued_by=other, until=LAST, by_account=False, most=10_000)
    assert log.worth.max() < 1_000 < log.hoped.max()
    rows = np.arange(5)
    assert (log.revenue(rows, world.reps()).max(axis=1) <= log.hoped[rows]).all()


def test_young_leads_are_left_out_and_say_nothing_of_reps(model: FitModel) -> None:
    """Leads whose outcome can hardly have come are left out by their age; an open one counts alike for every rep."""
    world = World(seed=3, win_days=40.0)
    log = seen(world, model, 0)
    assert log.cases.assigned.max() < world.history(10)["assigned_at"].max().timestamp() / 86_400
    still = ~log.cases.resolved
    assert still.any() and ((log.label[still] >= 0) & (log.label[still] < 1)).all()
    bolder = copy(model)
    bolder.scorer_ = replace(model.scorer_, b=5.0 * model.scorer_.b)
    again = seen(World(seed=3, win_days=40.0), bolder, 0)
    assert (again.advantage != log.advantage).any()
    np.testing.assert_array_equal(again.label, log.label)


def test_models_of_halves_agree_on_what_is_true() -> None:
    """Where reps differ much the halves' models agree, where they are alike they do not."""
    found = []
    for spread in (0.0, 0.8):
        world = World(seed=5, reps_count=24, rep_sd=spread, segment_sd=spread)
        history, reps = world.history(6000), world.reps()
        parts = [history[np.arange(6000) % 2 == half] for half in (0, 1)]
        models = [FitModel(level="rep x segment").fit(part, reps) for part in parts]
        one, two = (
            see(model, part, reps, valued_by=model, until=LAST, by_account=False, most=10_000)
            for model, part in zip(models, parts[::-1], strict=True)
        )
        found.append(agreement((one, two)))
    assert found[0] < 0.3 and found[1] > 0.6
