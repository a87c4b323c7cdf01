"""Hostile histories: each gives a clear answer, never a crash and never a silent guess."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion_models.fit import FitModel
from tests.models.worlds import FIRST, LAST, World


def fitted(history: pd.DataFrame, world: World | None = None) -> FitModel:
    world = world or World(seed=2)
    model = FitModel().fit(history, world.reps())
    chances = model.predict_fit(world.leads(20), world.reps(), at=LAST)
    assert np.isfinite(chances).all() and (chances > 0).all() and (chances < 1).all()
    return model


def told(model: FitModel) -> str:
    return " ".join((*model.evidence_.sentences, *(str(one) for one in model.findings_)))


@pytest.mark.parametrize(("outcome", "says"), [("lost", "none of the"), ("won", "all 1200 closed leads are won")])
def test_one_outcome_only(outcome: str, says: str) -> None:
    """No conversion at all, or every lead converts: the base rate, short of 0 and 1, and why."""
    model = fitted(World(seed=2).history(1200).assign(outcome=outcome))
    assert model.level_ == "base rate" and says in told(model)


def test_one_rep_and_a_rep_with_one_lead() -> None:
    """One rep: reps cannot be compared. A rep with a single lead stays near the peers."""
    world = World(seed=2)
    assert "Only one rep" in told(fitted(world.history(1200).assign(rep_id="R01")))
    history = world.history(3000)
    one = history.iloc[[-1]].assign(lead_id="star", rep_id="R00", outcome="won")
    model = fitted(pd.concat([history[history["rep_id"] != "R00"], one]))
    chances = model.predict_fit(world.leads(200), world.reps().assign(start_date=FIRST), at=LAST)
    assert abs(chances[:, 0].mean() - chances[:, 1:].mean()) < 0.08


def test_a_leak_is_flagged_and_a_constant_is_ignored() -> None:
    """A column that gives the outcome away is named and left out; so is one that never varies or is empty."""
    history = World(seed=2).history(1500)
    history["contract_signed"] = np.where(history["outcome"] == "won", "yes", "no")
    history["planet"], history["moons"], history["nothing"] = "earth", 1.0, None
    model = fitted(history)
    assert "contract_signed" in told(model) and "leak" in told(model)
    assert not {"contract_signed", "planet", "moons", "nothing"} & set(model.card_["features"]["lead"])
    alike = {one.column for one in model.findings_ if "the same value" in one.message}
    assert alike == {"planet", "moons", "nothing"}


def test_duplicate_leads_and_dates_in_the_future() -> None:
    """Duplicates count once and are told; a date far ahead of all others is told."""
    history = World(seed=2).history(1200)
    assert "count once" in told(fitted(pd.concat([history, history.iloc[:300]])))
    history.loc[5, ["assigned_at", "closed_at"]] = pd.Timestamp("2031-01-01", tz="UTC")
    assert "far after all others" in told(fitted(history))


def test_history_shorter_than_the_sales_cycle() -> None:
    """Wins take longer than the history is: what is open is not taken for lost, and the rate is not put near 0."""
    world = World(seed=2, win_days=400.0)
    model = fitted(world.history(4000), world)
    raw = (world.history(4000)["outcome"] == "won").mean()
    assert model.card_["training"]["open"] > 1000
    assert model.predict_fit(world.leads(400), world.reps(), at=LAST).mean() > raw
    assert "the history is short against the sales cycle" in told(model)
    assert "sales cycle" not in told(fitted(World(seed=2).history(1200)))


def test_a_shift_of_the_base_rate() -> None:
    """The rate halves in the later half: it shows out of time, and reps are not blamed for it."""
    world = World(seed=4)
    history = world.history(4000)
    late = (history["assigned_at"] > FIRST + pd.Timedelta(days=180)).to_numpy()
    half = np.random.default_rng(0).random(4000) < 0.5
    history["outcome"] = np.where(late & half, "lost", history["outcome"])
    model = fitted(history, world)
    measures = model.card_["out_of_time"][model.level_]
    assert measures["expected_rate"] > measures["observed_rate"] + 0.02
    assert "the base rate moved" in told(model)
    assert "base rate moved" not in told(fitted(World(seed=4).history(4000), World(seed=4)))
    assert not model.evidence_["rep x segment"].held
