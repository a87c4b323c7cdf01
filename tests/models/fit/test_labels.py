from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion_models.fit.history import read_cases
from apportion_models.fit.labels import Delay, Labels, open_share
from tests.models.worlds import World


def test_delay_distribution_is_found_in_spite_of_truncation() -> None:
    """Young leads show quick wins only; the estimate is of all wins: exponential with mean 60 days."""
    cases, _ = read_cases(World(win_days=60.0, seed=1).history(20_000))
    delay = Delay.of_wins(cases)
    for days in (20.0, 60.0, 120.0):
        assert delay.by(np.array([days]))[0] == pytest.approx(1.0 - np.exp(-days / 60.0), abs=0.03)
    won = cases.outcome == 1
    naive = float(np.mean((cases.closed - cases.assigned)[won] <= 60.0))
    assert naive > 0.65 > delay.by(np.array([60.0]))[0]


def test_share_is_a_distribution() -> None:
    """G starts at 0, never falls, and reaches 1."""
    cases, _ = read_cases(World(win_days=30.0).history(800))
    delay = Delay.of_wins(cases)
    shares = delay.by(np.linspace(-1.0, 2000.0, 500))
    assert shares[0] == 0.0 and shares[-1] == 1.0 and (np.diff(shares) >= 0).all()
    assert delay.quantile(0.2) <= delay.quantile(0.8)


@given(st.floats(0.001, 0.999), st.floats(0.0, 1.0), st.floats(0.0, 0.99))
def test_open_share_moves_the_right_way(chance: float, came: float, gone: float) -> None:
    """An open lead is worth less the more wins have come, and more the more losses have been closed."""
    share = float(open_share(np.array([chance]), np.array([came]), np.array([gone]))[0])
    without = float(open_share(np.array([chance]), np.array([came]), np.zeros(1))[0])
    assert -1e-12 <= without <= share + 1e-12 <= 1.0 + 2e-12
    assert without == pytest.approx(chance * (1 - came) / (1 - chance * came), abs=1e-9)
    assert without <= chance + 1e-12
    assert open_share(np.array([chance]), np.zeros(1), np.zeros(1))[0] == pytest.approx(chance)


def test_losses_that_nobody_closes_are_noticed() -> None:
    """Where a part of the losses stays open for ever, H ends below 1 by that part."""
    history = World(seed=3).history(6000)
    forgotten = (history["outcome"] == "lost") & (np.arange(len(history)) % 4 == 0)
    history["closed_at"] = history["assigned_at"] + pd.Timedelta(days=10)
    history.loc[forgotten, ["outcome", "closed_at"]] = ["open", pd.NaT]
    cases, _ = read_cases(history)
    assert Delay.of_losses(cases, Delay.of_wins(cases)).total == pytest.approx(0.75, abs=0.03)


def test_rate_counts_open_leads_rightly() -> None:
    """With a third still open, the rate is the true one; "open is lost" and "closed only" are both off."""
    world = World(win_days=90.0, seed=2)
    history = world.history(20_000)
    truth = float(
        np.mean(1 / (1 + np.exp(-world.logit(world.draw(20_000), np.full(20_000, 6), np.full(20_000, 300.0)))))
    )
    cases, _ = read_cases(history)
    rate = Labels.of(cases).rate()
    closed_only = cases.wins / int(cases.resolved.sum())
    open_is_lost = cases.wins / len(cases)
    assert rate == pytest.approx(truth, abs=0.015)
    assert open_is_lost < rate - 0.02 and abs(closed_only - truth) > abs(rate - truth)


def test_rates_never_claim_certainty() -> None:
    """No win, or nothing but wins, still leaves the other possible."""
    history = World().history(40)
    for outcome in ("won", "lost"):
        cases, _ = read_cases(history.assign(outcome=outcome))
        rate = Labels.of(cases).rate()
        assert 0.0 < rate < 1.0 and abs(rate - (outcome == "won")) < 0.02
