from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from apportion_models.fit import FitModel
from apportion_models.fit.spread import chance_spread, coefficient_draws, unpack
from tests.models.worlds import FIRST, LAST, World


@pytest.fixture(scope="module")
def strong() -> tuple[World, pd.DataFrame, FitModel]:
    world = World(seed=2, rep_sd=0.6, segment_sd=0.5)
    history = world.history(4000)
    return world, history, FitModel(level="rep x segment").fit(history, world.reps())


def on_the_logit(model: FitModel, leads: pd.DataFrame, reps: pd.DataFrame) -> np.ndarray:
    """(L, R) standard errors against p(1 − p), so that a rep who converts more is not less sure for that alone."""
    chance = model.predict_fit(leads, reps, at=LAST)
    return model.predict_spread(leads, reps, at=LAST) / (chance * (1 - chance))


@given(eta=st.floats(-6, 6), width=st.floats(0, 1.5))
@settings(deadline=None)
def test_the_spread_is_that_of_a_logit_normal(eta: float, width: float) -> None:
    """Within 3 % of the standard deviation by a fine sum over the normal density."""
    x = np.linspace(-8, 8, 4001)
    weight = np.exp(-0.5 * x**2)
    weight /= weight.sum()
    chance = expit(eta + width * x)
    exact = np.sqrt(weight @ (chance - weight @ chance) ** 2)
    found = chance_spread(np.array([[eta]]), np.array([[width**2]]))
    assert found.dtype == np.float32
    assert float(found[0, 0]) == pytest.approx(exact, rel=0.03, abs=2e-6)


def test_it_shrinks_with_history(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """Against a rep never seen, the same rep is less unsure with ten times the history."""
    world, history, much = strong
    little = FitModel(level="rep x segment").fit(history.iloc[::10], world.reps())
    leads = world.leads(200)
    stranger = world.reps().iloc[[5]].assign(rep_id=["R99"])
    before, after = (
        on_the_logit(model, leads, world.reps()) / on_the_logit(model, leads, stranger) for model in (little, much)
    )
    assert before.shape == after.shape == (200, 12) and (after > 0).all()
    assert after[:, 3:].mean() < 0.9 * before[:, 3:].mean()


def test_an_unseen_rep_is_the_least_known(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """With the traits of a rep of long standing, a rep without history has the larger standard error on every lead."""
    world, _, model = strong
    reps = world.reps().iloc[[5, 5]].assign(rep_id=["R05", "R99"])
    relative = on_the_logit(model, world.leads(200), reps)
    assert relative[:, 1].mean() > 1.5 * relative[:, 0].mean()


@pytest.mark.parametrize("level", ["base rate", "lead"])
def test_without_rep_effects_it_is_zero(level: str) -> None:
    """Where every rep gets the same chance, there is nothing that could move a lead from rep to rep."""
    world = World()
    model = FitModel(level=level).fit(world.history(800), world.reps())
    leads = world.leads(30)
    spread = model.predict_spread(leads, world.reps(), at=LAST)
    assert spread.shape == (30, 12) and spread.dtype == np.float32 and not spread.any()
    draws = model.draw_pairs(leads, world.reps(), np.arange(30) % 12, at=LAST, draws=3)
    chance = model.predict_fit(leads, world.reps(), at=LAST)
    np.testing.assert_allclose(draws, np.tile(chance[:, 0], (3, 1)), rtol=1e-5)


def test_order_of_leads_and_reps_only_permutes(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """The same bytes, whatever the order of the tables."""
    world, _, model = strong
    leads, reps = world.leads(50), world.reps()
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(50), rng.permutation(12)
    straight = model.predict_spread(leads, reps, at=LAST)
    mixed = model.predict_spread(leads.iloc[rows], reps.iloc[columns], at=LAST)
    np.testing.assert_array_equal(mixed, straight[np.ix_(rows, columns)])
    plan = rng.integers(-1, 12, 50)
    place = np.append(np.argsort(columns), -1)
    drawn = model.draw_pairs(leads, reps, plan, at=LAST, draws=5, seed=3)
    again = model.draw_pairs(leads.iloc[rows], reps.iloc[columns], place[plan[rows]], at=LAST, draws=5, seed=3)
    np.testing.assert_array_equal(again, drawn[:, rows])


def test_draws_spread_as_told(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """Mean and standard deviation of many draws are the chance and its standard error; nobody converts nothing."""
    world, _, model = strong
    leads, reps = world.leads(60), world.reps()
    plan = np.arange(60) % 13 - 1
    drawn = model.draw_pairs(leads, reps, plan, at=LAST, draws=4000, seed=1)
    placed = np.flatnonzero(plan >= 0)
    chance = model.predict_fit(leads, reps, at=LAST)[placed, plan[placed]]
    spread = model.predict_spread(leads, reps, at=LAST)[placed, plan[placed]]
    assert not drawn[:, plan < 0].any()
    np.testing.assert_allclose(drawn[:, placed].mean(axis=0), chance, atol=0.01)
    np.testing.assert_allclose(drawn[:, placed].std(axis=0), spread, rtol=0.1)


def test_draws_have_the_posterior_covariance() -> None:
    """Packed covariances come back whole, and the draws have them."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(2, 3, 3))
    covariance = root @ root.transpose(0, 2, 1)
    rows, columns = np.triu_indices(3)
    packed = covariance[:, rows, columns] * np.where(rows == columns, 1.0, 2.0)
    np.testing.assert_allclose(unpack(packed, 3), covariance)
    drawn = coefficient_draws(covariance, draws=20_000, seed=0)
    for one in range(2):
        np.testing.assert_allclose(np.cov(drawn[one].T), covariance[one], atol=0.1 * covariance[one].max())


def test_an_empty_table_gives_an_empty_matrix(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """No leads: (0, R)."""
    world, _, model = strong
    assert model.predict_spread(world.leads(5).iloc[:0], world.reps(), at=FIRST).shape == (0, 12)
