"""What is an error of κ, and what is not: noise of leads, and what reps are beyond what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from apportion_models.policy_value import Calibration, Log, calibrate

ROWS, REPS = 3000, 15


def drawn(own: float, draws: int) -> list[Calibration]:
    """κ of the same leads with the same reps, whose luck alone is drawn anew; `own` is what reps are beyond it."""
    rng = np.random.default_rng(7)
    believed = 0.5 * rng.normal(size=REPS)
    true = believed + own * rng.normal(size=REPS)
    rep, base = rng.integers(0, REPS, ROWS), rng.normal(-1.0, 0.5, ROWS)
    chance = expit(base + true[rep])
    same = {
        "worth": np.ones(ROWS),
        "rep": rep,
        "planned": rep,
        "base": base,
        "advantage": believed[rep],
        "planned_advantage": believed[rep],
        "given": np.zeros(ROWS),
        "unit": np.arange(ROWS).astype(str).astype(object),
        "chance": np.full(ROWS, 1 / REPS),
        "planned_chance": np.full(ROWS, 1 / REPS),
        "randomised": np.zeros(ROWS, dtype=bool),
        "fold": np.zeros(ROWS, dtype=np.int64),
    }
    found = [calibrate(Log(label=(rng.random(ROWS) < chance).astype(float), **same)) for _ in range(draws)]
    return [one for one in found if one is not None]


def test_the_noise_of_leads_is_told_apart_from_what_reps_are() -> None:
    """For given reps κ̂ varies by `noise`, however much they are beyond it; `error`, for reps drawn anew, is larger."""
    found = drawn(own=0.6, draws=200)
    spread = float(np.std([one.share.value for one in found]))
    assert np.mean([one.noise for one in found]) == pytest.approx(spread, rel=0.15)
    assert np.mean([one.error for one in found]) > 1.5 * spread


def test_with_nothing_beyond_both_say_the_same() -> None:
    """Where reps are what is said of them the two hardly differ."""
    found = drawn(own=0.0, draws=60)
    assert np.mean([one.error for one in found]) == pytest.approx(np.mean([one.noise for one in found]), rel=0.3)
