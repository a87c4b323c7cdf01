"""Worlds drawn from what the history allows: seeded, of the rep alone, as wide as the posterior, and saved whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apportion_models.fit import FitModel, Scene
from apportion_models.fit.variances import GRID, group_posteriors, group_variances
from apportion_models.registry import load_model, save_model
from tests.models.worlds import LAST, World

DRAWS = 600


@pytest.fixture(scope="module")
def strong() -> tuple[World, FitModel]:
    world = World(seed=2, rep_sd=0.6, segment_sd=0.5)
    return world, FitModel().fit(world.history(3000), world.reps())


def scene(model: FitModel, leads: pd.DataFrame, reps: pd.DataFrame, *, draws: int = DRAWS, seed: int = 0) -> Scene:
    return model.scene(model.worlds(draws=draws, seed=seed), leads, reps, at=LAST)


def all_rows(one: Scene, plan: np.ndarray) -> np.ndarray:
    return one.chances(plan, np.arange(plan.size))


def test_a_seed_is_a_set_of_worlds(strong: tuple[World, FitModel]) -> None:
    """The same seed, the same bytes; another seed, other worlds."""
    world, model = strong
    leads, plan = world.leads(40), np.arange(40) % 12
    first, again, other = (all_rows(scene(model, leads, world.reps(), draws=30, seed=k), plan) for k in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_rep_has_the_same_worlds_in_every_roster(strong: tuple[World, FitModel]) -> None:
    """With or without history: who else is there, and in which order, changes nothing of a rep's chances."""
    world, model = strong
    leads = world.leads(20)
    reps = pd.concat([world.reps(), world.reps().iloc[[5]].assign(rep_id=["R99"])], ignore_index=True)
    some = reps.iloc[[12, 3]].reset_index(drop=True)
    whole = scene(model, leads, reps, draws=30)
    part = scene(model, leads, some, draws=30)
    for row, place in ((12, 0), (3, 1)):
        np.testing.assert_allclose(
            all_rows(whole, np.full(20, row)), all_rows(part, np.full(20, place)), rtol=1e-5, atol=1e-7
        )


def test_rows_are_asked_for_one_by_one(strong: tuple[World, FitModel]) -> None:
    """Some rows of a plan have the chances that they have in the whole; nobody converts nothing."""
    world, model = strong
    one, plan = scene(model, world.leads(30), world.reps(), draws=20), np.arange(30) % 13 - 1
    rows = np.array([4, 9, 20])
    np.testing.assert_allclose(one.chances(plan[rows], rows), all_rows(one, plan)[:, rows], rtol=1e-6)
    assert not all_rows(one, plan)[:, plan < 0].any()


def test_they_lie_about_what_is_predicted_and_wider_than_the_reps_alone(strong: tuple[World, FitModel]) -> None:
    """The mean is near the prediction; what is not known of leads and variances comes on top of the reps' effects."""
    world, model = strong
    leads, plan = world.leads(200), np.arange(200) % 12
    drawn = all_rows(scene(model, leads, world.reps()), plan)
    chance = model.predict_fit(leads, world.reps(), at=LAST)[np.arange(200), plan]
    np.testing.assert_allclose(drawn.mean(axis=0), chance, atol=0.06)
    assert drawn.mean() == pytest.approx(chance.mean(), rel=0.05)
    alone = model.draw_pairs(leads, world.reps(), plan, at=LAST, draws=DRAWS)
    assert drawn.std(axis=0).mean() > 1.03 * alone.std(axis=0).mean()
    assert drawn.mean(axis=1).std() > 1.3 * alone.mean(axis=1).std()  # the level, shared by all leads


def test_an_unseen_rep_is_the_least_known(strong: tuple[World, FitModel]) -> None:
    """With the traits of a rep of long standing, a rep without history varies more from world to world."""
    world, model = strong
    reps = world.reps().iloc[[5, 5]].assign(rep_id=["R05", "R99"]).reset_index(drop=True)
    one = scene(model, world.leads(100), reps)
    known, stranger = (all_rows(one, np.full(100, place)) for place in (0, 1))
    assert stranger.std(axis=0).mean() > 1.4 * known.std(axis=0).mean()


@pytest.mark.parametrize("level", ["base rate", "lead"])
def test_simpler_levels_are_doubted_too(level: str) -> None:
    """A model that takes all reps for alike does not know that they are: in its worlds they differ."""
    world = World()
    model = FitModel(level=level).fit(world.history(800), world.reps())
    one = scene(model, world.leads(50), world.reps())
    first, second = (all_rows(one, np.full(50, rep)) for rep in (3, 4))
    assert (first - second).std(axis=0).mean() > 0.005


def test_a_history_of_nothing_is_the_widest() -> None:
    """With four past leads the worlds go far apart, and none fails."""
    world = World()
    history = world.history(800)
    little, much = (FitModel().fit(part, world.reps()) for part in (history.iloc[:4], history))
    leads, plan = world.leads(40), np.arange(40) % 12
    wide, narrow = (all_rows(scene(model, leads, world.reps()), plan).std(axis=0).mean() for model in (little, much))
    assert wide > 2 * narrow


def test_deal_values_are_drawn_as_unsure_as_they_are(strong: tuple[World, FitModel]) -> None:
    """They vary by the standard error at least, and by what no form says, but not at will; a value that is given
    stays."""
    world, model = strong
    leads = world.leads(50).assign(deal_value=np.where(np.arange(50) < 5, 1234.0, np.nan))
    drawn = scene(model, leads, world.reps()).values
    assert (drawn[:, :5] == 1234.0).all()
    spread, value = model.deal_value_.predict_spread(leads)[5:], model.predict_deal_value(leads)[5:]
    assert (drawn[:, 5:].std(axis=0) >= 0.9 * spread).all()
    assert (drawn[:, 5:].std(axis=0) <= 1.2 * spread + 0.35 * value).all()
    np.testing.assert_allclose(np.median(drawn[:, 5:], axis=0), value, rtol=0.1)


def test_a_saved_model_has_the_same_worlds(strong: tuple[World, FitModel], tmp_path: Path) -> None:
    """What the history leaves open is saved with the model."""
    world, model = strong
    leads, plan = world.leads(20), np.arange(20) % 12
    again = load_model(save_model(model, tmp_path))
    np.testing.assert_array_equal(
        all_rows(scene(again, leads, world.reps(), draws=20), plan),
        all_rows(scene(model, leads, world.reps(), draws=20), plan),
    )


def test_the_posterior_of_a_deviation_is_one() -> None:
    """It adds up to 1 over the grid, and more effects of the same size make it narrower."""
    rng = np.random.default_rng(0)
    widths = []
    for count in (5, 200):
        mean, variance = 0.5 * rng.normal(size=(1, count)), np.full((1, count), 0.01)
        given = (np.zeros(count, dtype=np.int64), mean, variance, np.array([0.3]), np.array([0.5]))
        weight = group_posteriors(*given)
        assert weight.shape == (1, GRID.size) and weight.sum() == pytest.approx(1.0)
        centre = weight[0] @ GRID
        widths.append(np.sqrt(weight[0] @ (GRID - centre) ** 2))
    assert group_variances(*given)[0] == pytest.approx(centre**2, rel=0.3)
    assert widths[1] < widths[0] / 2
