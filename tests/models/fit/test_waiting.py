from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from apportion_models.errors import InputError
from apportion_models.fit import FitModel
from apportion_models.fit.waiting import Waiting, waited
from tests.models.worlds import LAST, World

RNG = np.random.default_rng(0)


def learned(slope: float, rows: int = 4000, seed: int = 0) -> Waiting:
    rng = np.random.default_rng(seed)
    hours, logit = rng.exponential(24.0, rows), rng.normal(-1.0, 0.8, rows)
    chance = expit(logit - slope * (np.log1p(hours) - np.log1p(hours).mean()))
    return Waiting.learn(hours, (rng.random(rows) < chance).astype(float), logit)


def test_decay_is_found() -> None:
    """The slope comes near the truth, and the sentence says what a day takes."""
    found = learned(0.4)
    assert found.slope == pytest.approx(0.4, abs=0.1) and "a day takes about" in found.sentence


def test_without_decay_nothing_is_taken_off() -> None:
    """No decay, and a rise: at most one world in ten is called decaying, and no rise ever is."""
    assert sum(learned(0.0, seed=seed).slope > 0 for seed in range(20)) <= 3
    assert learned(-0.4).slope == 0.0


@given(slope=st.floats(0, 2), hours=st.floats(0, 1e4), more=st.lists(st.floats(0, 1e4), min_size=2, max_size=5))
def test_what_is_left_never_rises_with_waiting(slope: float, hours: float, more: list[float]) -> None:
    """The share kept is within 0 and 1, 1 for no further wait, and falls."""
    found = Waiting(slope=slope, standard_error=0.1, typical=2.0, longest=500.0, rows=1000, sentence="")
    kept = [float(found.kept(np.array([0.2]), np.array([hours]), one)[0]) for one in sorted(more)]
    assert all(0.0 <= one <= 1.0 for one in kept) and all(a >= b - 1e-12 for a, b in pairwise(kept))
    assert float(found.kept(np.array([0.2]), np.array([hours]), 0.0)[0]) == pytest.approx(1.0)


def test_few_or_equal_waits_tell_nothing() -> None:
    """A history without waits that differ says so."""
    for hours in (np.full(1000, 3.0), np.full(1000, np.nan), np.arange(50.0)):
        found = Waiting.learn(hours, np.zeros(hours.size), np.zeros(hours.size))
        assert found.slope == 0.0 and "cannot be seen" in found.sentence


def test_a_model_knows_what_waiting_costs() -> None:
    """Leads that waited convert less, a longer wait keeps less of the chance, and the card says so."""
    world = World(seed=2)
    history = world.history(5000)
    hours = RNG.exponential(24.0, 5000)
    history["created_at"] = history["assigned_at"] - pd.to_timedelta(hours, unit="h")
    lost = RNG.random(5000) < 1.0 - np.exp(-0.4 * np.log1p(hours))
    history["outcome"] = np.where(lost & (history["outcome"] == "won"), "lost", history["outcome"])
    model = FitModel().fit(history, world.reps())
    leads = world.leads(50)
    fresh, stale = (leads.assign(created_at=LAST - pd.Timedelta(hours=h)) for h in (0, 48))
    early, late = (model.predict_fit(table, world.reps(), at=LAST) for table in (fresh, stale))
    assert (early > late).all() and "takes about" in model.card_["waiting"]["sentence"]
    day, week = (model.keep_waiting(fresh, world.reps(), at=LAST, hours=h) for h in (24, 168))
    assert ((week > 0) & (week < day) & (day < 1)).all()
    with pytest.raises(InputError, match="hours"):
        model.keep_waiting(fresh, world.reps(), at=LAST, hours=-1)


def test_unknown_arrival_counts_as_typical() -> None:
    """Without created_at nothing is taken off."""
    assert np.isnan(waited(pd.DataFrame(index=range(3)), 5.0)).all()
    found = Waiting(slope=0.5, standard_error=0.1, typical=2.0, longest=500.0, rows=1000, sentence="")
    assert (found.loss(np.array([np.nan])) == 0.0).all() and (
        found.kept(np.array([0.3]), np.array([np.nan]), 9.0) == 1
    ).all()
