from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion_models.synthetic import BATCH_AT, World
from apportion_models.synthetic.draws import Stream
from apportion_models.synthetic.market import MARKET_OF_REGION
from apportion_models.synthetic.past import _propensities, arrival_times, to_seconds, to_times


def deciles_agree(probability: np.ndarray, won: np.ndarray) -> None:
    """In each tenth by probability the share of wins is the mean probability, within four standard errors."""
    for tenth in np.array_split(np.argsort(probability, kind="stable"), 10):
        stated, seen = probability[tenth].mean(), won[tenth].mean()
        error = np.sqrt((probability[tenth] * (1 - probability[tenth])).sum()) / len(tenth)
        assert abs(seen - stated) < 4 * error


def marginal(world: World, logged) -> np.ndarray:
    """True fit of the logged pairs, each at the time of its assignment, by a route of its own: one lead at a time."""
    reps = world.reps()
    rows = np.arange(0, len(logged.frame), 60)
    fit = [
        world.true_fit(logged.frame.iloc[[row]], reps.iloc[[logged.rep[row]]], at=logged.frame["assigned_at"].iloc[row])
        for row in rows
    ]
    return rows, np.concatenate(fit).ravel()


def test_wins_agree_with_the_stated_probabilities(managed):
    """Under managers' choice too, leads convert as often as their probability given the unseen quality says."""
    _, logged = managed
    deciles_agree(logged.probability, logged.won)


def test_true_fit_is_calibrated_when_reps_were_drawn_at_random(explored):
    """With exploration=1 the true fit, quality integrated out, is what really happened, decile by decile."""
    world, logged = explored
    rows, fit = marginal(world, logged)
    deciles_agree(fit, logged.won[rows])
    assert logged.probability[rows].mean() == pytest.approx(fit.mean(), rel=0.03)


def test_confounding_exists_and_vanishes_with_exploration(managed, explored):
    """Seniors get the better leads by what no column tells; with exploration=1 they do not."""
    for (world, logged), confounded in ((managed, True), (explored, False)):
        level = world.roster.level[logged.rep]
        gap = logged.quality[level == 1].mean() - logged.quality[level == -1].mean()
        error = 0.5 * np.sqrt(1 / (level == 1).sum() + 1 / (level == -1).sum())
        assert (gap > 20 * error) if confounded else (abs(gap) < 4 * error)


def test_confounding_misleads_whoever_trusts_the_log(managed):
    """Under managers' choice seniors convert more often than their true fit, and juniors less often."""
    world, logged = managed
    rows, fit = marginal(world, logged)
    level = world.roster.level[logged.rep[rows]]
    over = logged.probability[rows] - fit
    assert over[level == 1].mean() > 0.01
    assert over[level == -1].mean() < 0


def test_propensities_are_those_of_the_choices(managed, explored):
    """Inverse propensities add up: Σ 1{rep = j} / propensity estimates the number of leads, for a rep always there."""
    for _, logged in (managed, explored):
        assert ((logged.propensity > 0) & (logged.propensity <= 1)).all()
    world, logged = explored
    always = np.flatnonzero(world.roster.start < to_seconds(logged.frame["created_at"])[0])
    for rep in always:
        weight = (1 / logged.propensity[logged.rep == rep]).sum()
        assert weight == pytest.approx(len(logged.rep), rel=0.2)


def test_a_lead_is_given_with_probability_one(managed):
    """The propensities that a choice is drawn from sum to 1 over the reps, and are 0 for who has not started."""
    world, logged = managed
    first = logged.frame.iloc[:50]
    everyone = ((0.6, lambda part: np.ones((len(part), world.n_reps), dtype=bool)),)
    nobody = ((0.6, lambda part: np.zeros((len(part), world.n_reps), dtype=bool)),)
    for pods in (everyone, nobody, ()):
        chance = _propensities(world.setting(pods=pods), first, logged.quality[:50], to_seconds(first["assigned_at"]))
        np.testing.assert_allclose(chance.sum(axis=1), 1)
        assert not chance[:, world.roster.start > world.midnight - 90 * 86400].any()


def test_home_pods_keep_most_leads_at_home(managed):
    """About 85 % of leads, and the odd one beyond, stay with the reps of their market."""
    world, logged = managed
    home = world.reps()["territories"].str[0].to_numpy()[logged.rep]
    share = (logged.frame["region"].map(MARKET_OF_REGION).to_numpy() == home).mean()
    assert 0.85 < share < 0.9


def test_history_obeys_its_contract(managed):
    """Times are in order, a win has a value, a lost or open lead has none, an open lead is not closed."""
    world, logged = managed
    frame = logged.frame
    won, is_open = frame["outcome"] == "won", frame["outcome"] == "open"
    assert set(frame["outcome"]) == {"won", "lost", "open"}
    assert isinstance(frame.index, pd.RangeIndex)
    assert frame["lead_id"].is_unique
    assert frame["created_at"].is_monotonic_increasing
    assert (frame["assigned_at"] >= frame["created_at"]).all()
    assert (frame["closed_at"] >= frame["assigned_at"])[~is_open].all()
    assert (frame["closed_at"] < BATCH_AT)[~is_open].all()
    assert (frame["assigned_at"] < BATCH_AT.normalize()).all()
    assert frame["closed_at"].isna().equals(is_open)
    assert frame["deal_value"].notna().equals(won)
    assert (frame["deal_value"].dropna() >= 1).all()
    start = frame["rep_id"].map(world.reps().set_index("rep_id")["start_date"])
    assert (frame["assigned_at"] >= start).all()


def test_reps_of_the_batch_day_have_no_history(managed):
    """Who starts on the batch day worked no lead; every other rep did."""
    world, logged = managed
    unseen = world.roster.start == world.midnight
    assert np.array_equal(np.bincount(logged.rep, minlength=world.n_reps) == 0, unseen)


def test_open_leads_are_the_late_ones(managed):
    """A lead is open because it was given late, not because of its fate: eventual wins are among the open ones."""
    _, logged = managed
    is_open = (logged.frame["outcome"] == "open").to_numpy()
    age = (BATCH_AT - logged.frame["assigned_at"]).dt.days.to_numpy()
    assert age[is_open].mean() < 0.3 * age[~is_open].mean()
    assert logged.won[is_open].mean() > logged.won[~is_open].mean()  # winning takes longer than losing


@pytest.mark.parametrize("misspecified", [False, True])
def test_earned_values_average_to_the_true_deal_value(misspecified):
    """Won deals earn their expected value on average, whatever the shape of the noise."""
    world = World(seed=13, misspecified=misspecified)
    frame = world.history(60_000)
    won = frame[frame["outcome"] == "won"]
    ratio = won["deal_value"].to_numpy() / world.true_deal_value(won)
    assert ratio.mean() == pytest.approx(1, abs=4 * ratio.std() / np.sqrt(len(ratio)))


def test_flow_grows():
    """Arrivals grow linearly by the stated share over the past, in whole minutes inside the interval."""
    times = arrival_times(Stream(1, "t"), 50_000, since=0, until=1e7, growth=1.0)
    assert times.min() >= 0
    assert times.max() < 1e7
    assert not (times % 60).any()
    assert (times < 5e6).mean() == pytest.approx(1.25 / 3, abs=0.01)


def test_times_survive_the_way_there_and_back():
    """Seconds become UTC times and seconds again; a missing one stays missing."""
    seconds = np.array([0.0, np.nan, BATCH_AT.timestamp()])
    times = to_times(seconds)
    assert times[2] == BATCH_AT
    assert times[1] is pd.NaT
    np.testing.assert_array_equal(to_seconds(times), seconds)
