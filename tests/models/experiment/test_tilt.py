"""Exact tests of stated chances, however often one looks."""

from __future__ import annotations

import numpy as np
import pytest

from apportion_models.experiment import tilt_interval, tilt_test

LEADS = 800


def draws(seed: int, factor: float, runs: int) -> tuple[np.ndarray, np.ndarray]:
    """(runs, LEADS) outcomes whose odds are `factor` times those stated, and the stated chances (LEADS,)."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(1.2, 8.0, LEADS)
    true = factor * chance / (1 - chance + factor * chance)
    return (rng.random((runs, LEADS)) < true).astype(float), chance


def alarms(won: np.ndarray, chance: np.ndarray, *, tolerance: float, restart: np.ndarray | None = None) -> float:
    found = [tilt_test(row, chance, tolerance=tolerance, restart=restart).log_e.max() for row in won]
    return float((np.array(found) >= np.log(20)).mean())


@pytest.mark.parametrize(("tolerance", "factor"), [(0.0, 1.0), (0.1, 1.0), (0.1, 1.1), (0.1, 1 / 1.1)])
@pytest.mark.parametrize("weekly", [False, True])
def test_false_alarms_after_each_outcome(tolerance: float, factor: float, weekly: bool) -> None:
    """Odds within the tolerance, even at its edge, and a look after every single lead: at most 5 % alarms."""
    won, chance = draws(1, factor, 200)
    won, chance = won[:, :400], chance[:400]
    assert alarms(won, chance, tolerance=tolerance, restart=np.arange(0, 400, 50) if weekly else None) <= 0.05


@pytest.mark.parametrize("factor", [2.0, 0.4])
def test_it_finds_a_shift(factor: float) -> None:
    """Odds that are doubled, or fall to two fifths, are found in nearly every stream of 800 leads."""
    won, chance = draws(2, factor, 100)
    assert alarms(won, chance, tolerance=0.1) >= 0.9


def test_starting_anew_finds_a_late_change_sooner() -> None:
    """After a long quiet time, restarts find a shift of the last third more often than one long test."""
    rng = np.random.default_rng(3)
    chance = np.full(3000, 0.15)
    true = np.where(np.arange(3000) < 2400, 0.15, 0.06)
    won = (rng.random((60, 3000)) < true).astype(float)
    once = alarms(won, chance, tolerance=0.1)
    anew = alarms(won, chance, tolerance=0.1, restart=np.arange(0, 3000, 200))
    assert anew >= 0.8 and anew > once


def test_the_mixture_has_mean_one() -> None:
    """Over all outcomes of a short stream, weighted by their chances, the e-value averages exactly 1 at the edge."""
    chance = np.array([0.2, 0.5, 0.05, 0.4])
    edge = 1.1 * chance / (1 - chance + 1.1 * chance)
    total_above, total = 0.0, 0.0
    for code in range(16):
        won = np.array([(code >> bit) & 1 for bit in range(4)], dtype=float)
        weight = float(np.prod(np.where(won == 1, edge, 1 - edge)))
        found = tilt_test(won, chance, tolerance=0.1)
        total_above += weight * float(np.exp(found.log_above[-1]))
        total += weight * float(np.exp(tilt_test(won, chance, tolerance=0.1, restart=np.array([2])).log_above[-1]))
    assert total_above == pytest.approx(1.0) and total == pytest.approx(1.0)


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.7])
def test_the_interval_covers_at_every_look(factor: float) -> None:
    """The interval of the factor on the odds holds the truth at each of four looks in 95 % of 200 draws."""
    won, chance = draws(4, factor, 200)
    held = [
        all(low <= factor * 1.021 and factor <= high * 1.021 for _, low, high in
            (tilt_interval(row[:upto], chance[:upto]) for upto in (50, 150, 400, LEADS)))
        for row in won
    ]  # fmt: skip
    assert np.mean(held) >= 0.95


def test_odd_streams_have_an_answer() -> None:
    """No outcome, all won, none won, chances of 0 and 1: numbers, and the right side."""
    assert tilt_test(np.zeros(0), np.zeros(0)).log_e.size == 0
    most = tilt_test(np.ones(200), np.full(200, 0.1))
    assert most.log_e[-1] > 10 and most.log_above[-1] > most.log_below[-1]
    none = tilt_test(np.zeros(200), np.full(200, 0.1))
    assert none.log_e[-1] > 3 and none.log_below[-1] > none.log_above[-1]
    sure = tilt_test(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert np.isfinite(sure.log_e).all() and abs(sure.log_e[-1]) < 1e-6
    estimate, low, high = tilt_interval(np.zeros(50), np.full(50, 0.3))
    assert low <= estimate <= high < 1


@pytest.mark.slow
def test_false_alarms_at_length() -> None:
    """2,000 streams at the edge of the tolerance, with restarts and a look after each lead: at most 5 % alarms."""
    won, chance = draws(9, 1.1, 2000)
    assert alarms(won, chance, tolerance=0.1, restart=np.arange(0, LEADS, 50)) <= 0.05
