from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion_models.errors import TableError, UsageError
from apportion_models.synthetic import BATCH_AT, World


def fit_of(world: World, n: int = 300) -> np.ndarray:
    return world.true_fit(world.leads(n), world.reps(), at=world.at)


def test_equal_parameters_give_equal_tables_and_truth():
    """Same seed, same bytes: tables and true fit; another seed gives others."""
    one, same, other = World(seed=5), World(seed=5), World(seed=6)
    for make in (lambda w: w.leads(50), lambda w: w.reps(), lambda w: w.history(500)):
        pd.testing.assert_frame_equal(make(one), make(same))
        assert not make(one).equals(make(other))
    assert fit_of(one).tobytes() == fit_of(same).tobytes()
    assert not np.array_equal(fit_of(one), fit_of(other))


def test_draws_of_leads_differ_and_leave_the_truth_alone():
    """Another draw gives other leads of the same world; the order of calls changes nothing."""
    world, fresh = World(seed=5), World(seed=5)
    first = world.leads(50)
    assert not world.leads(50, draw=1)["engagement"].equals(first["engagement"])
    fresh.history(100)
    pd.testing.assert_frame_equal(fresh.leads(50), first)


def test_strength_zero_makes_reps_identical():
    """With strength 0 no rep differs from another, not even by ramp: all columns are equal, bit for bit."""
    for misspecified in (False, True):
        fit = fit_of(World(seed=1, strength=0.0, misspecified=misspecified))
        assert np.array_equal(fit, np.repeat(fit[:, :1], fit.shape[1], axis=1))
        assert len(np.unique(fit[:, 0])) > 250


def test_strength_scales_what_reps_differ_by():
    """A stronger world has more spread between reps on the same lead."""
    spread = [fit_of(World(seed=1, strength=strength)).std(axis=1).mean() for strength in (0.2, 0.6, 1.2)]
    assert spread[0] < spread[1] < spread[2]


def test_misspecified_puts_skill_into_cells():
    """A misspecified world differs, and main effects and one-way effects no longer explain its reps."""
    plain, odd = World(seed=1), World(seed=1, misspecified=True)
    assert not np.allclose(fit_of(plain), fit_of(odd))
    assert not plain.rep_truth.cell.any()
    assert not plain.rep_truth.threshold.any()
    assert odd.rep_truth.cell.std() > 0.3
    assert odd.rep_truth.industry.std() < 0.5 * plain.rep_truth.industry.std()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100), st.randoms(use_true_random=False))
def test_row_order_permutes_the_truth(seed, random):
    """Shuffled leads and reps give the same probabilities, in the shuffled places."""
    world = World(seed=seed, n_reps=12, n_new=4, n_unseen=1)
    leads, reps = world.leads(20), world.reps()
    rows, columns = random.sample(range(20), 20), random.sample(range(12), 12)
    whole = world.true_fit(leads, reps, at=world.at)
    moved = world.true_fit(leads.iloc[rows], reps.iloc[columns], at=world.at)
    assert np.array_equal(moved, whole[np.ix_(rows, columns)])


def test_true_fit_is_a_probability_for_every_rep_also_the_unseen():
    """Every pair has a probability strictly between 0 and 1; reps without history are no exception, and ramp up."""
    world = World(seed=9, n_unseen=2)
    reps = world.reps()
    unseen = (reps["start_date"] == BATCH_AT.normalize()).to_numpy()
    assert unseen.sum() == 2
    fit = fit_of(world)
    assert fit.dtype == np.float64
    assert ((fit > 0) & (fit < 1)).all()
    later = world.true_fit(world.leads(300), reps, at=BATCH_AT + pd.Timedelta(days=120))
    assert (later[:, unseen] > fit[:, unseen]).all()


def test_true_revenue_is_fit_times_deal_value():
    """Expected revenue of a pair is the true fit times the true deal value of the lead."""
    world = World(seed=9)
    leads, reps = world.leads(40), world.reps()
    expected = world.true_fit(leads, reps, at=world.at) * world.true_deal_value(leads)[:, None]
    np.testing.assert_array_equal(world.true_revenue(leads, reps, at=world.at), expected)


def test_estimate_and_score_are_noisy_views_of_the_truth():
    """Deal-value estimates are unbiased but off; scores rank leads by true conversion, imperfectly."""
    world = World(seed=10)
    leads = world.leads(8000)
    ratio = leads["deal_value"] / world.true_deal_value(leads)
    assert ratio.mean() == pytest.approx(1, abs=0.02)
    assert ratio.std() > 0.25
    rank = leads["score"].corr(pd.Series(world.true_fit(leads, world.reps(), at=world.at).mean(axis=1)), "spearman")
    assert 0.6 < rank < 0.95


def test_roster_has_the_new_reps_that_were_asked_for():
    """n_new reps started in the last 90 days, all juniors; n_unseen of them on the batch day."""
    world = World(seed=2, n_reps=40, n_new=10, n_unseen=4)
    reps = world.reps()
    age = (BATCH_AT.normalize() - reps["start_date"]).dt.days
    assert (age < 90).sum() == 10
    assert (age == 0).sum() == 4
    assert set(reps.loc[age < 90, "level"]) == {"junior"}
    assert reps["rep_id"].is_unique
    assert reps["name"].is_unique


def test_bad_parameters_are_refused_all_at_once():
    """Each parameter out of range is named with what was got; a time without zone too."""
    with pytest.raises(UsageError) as caught:
        World(strength=-1, exploration=2, n_reps=3, n_new=3, at=pd.Timestamp("2026-03-02"))
    for word in ("strength", "exploration", "n_reps", "time zone"):
        assert word in str(caught.value)


def test_unknown_rep_is_refused_by_row_and_value():
    """A rep who is not of this world has no truth, and the error says which."""
    world = World(seed=1, n_reps=20)
    reps = world.reps()
    reps.loc[4, "rep_id"] = "R999"
    with pytest.raises(TableError, match=r"row 5.*rep_id.*R999"):
        world.true_fit(world.leads(3), reps, at=world.at)
