"""Intervals that hold at every look, tried on worlds whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion_models.experiment import confidence_sequence, single_look
from apportion_models.experiment.planning import FEWEST_BLOCKS

BLOCKS = 60
BASE = 0.12


def false_alarms(effect: np.ndarray, weight: np.ndarray, *, truth: float = 0.0) -> float:
    """Share of experiments in which the truth is outside the interval at some look from the fifth block on."""
    found = confidence_sequence(effect, weight, planned=BLOCKS)
    outside = (found.low > truth) | (found.high < truth)
    return float(outside[:, FEWEST_BLOCKS - 1 :].any(axis=1).mean())


def conversions(rng: np.random.Generator, n1: int, n0: int, base: float, lift: float, runs: int) -> np.ndarray:
    """(runs, BLOCKS) differences of conversion rates."""
    return rng.binomial(n1, base * (1 + lift), (runs, BLOCKS)) / n1 - rng.binomial(n0, base, (runs, BLOCKS)) / n0


def test_it_is_the_mixture_that_it_claims_to_be() -> None:
    """E_n(0) is the ratio of marginal likelihoods, by numerical integration over effect and spread."""
    x = np.array([0.7, -0.2, 1.4, 0.9])
    w = np.array([1.0, 2.0, 0.5, 1.5])
    found = confidence_sequence(x, w, planned=10.0, alpha=0.05)
    from apportion_models.experiment.sequence import mixture_precision

    phi = mixture_precision(10.0, 0.05)
    sigma = np.exp(np.linspace(-6, 6, 4001))[:, None]
    z = np.linspace(-12, 12, 4001)[None, :]
    delta = z * sigma / np.sqrt(phi)
    exponent = sum(-(wi * (xi - delta) ** 2) / (2 * sigma**2) for xi, wi in zip(x, w, strict=True))
    above = (np.exp(exponent - z**2 / 2) / np.sqrt(2 * np.pi)).sum(axis=1) * (z[0, 1] - z[0, 0]) / sigma[:, 0] ** 4
    below = np.exp(-(w * x**2).sum() / (2 * sigma[:, 0] ** 2)) / sigma[:, 0] ** 4
    step = np.log(sigma[1, 0] / sigma[0, 0])
    assert found.log_e[-1] == pytest.approx(np.log((above * step).sum() / (below * step).sum()), abs=1e-4)


def test_the_interval_is_where_the_evidence_is_small() -> None:
    """An end of the interval is a truth whose evidence against it is exactly 1/alpha."""
    x = np.random.default_rng(3).normal(0.3, 1.0, 30)
    found = confidence_sequence(x, np.ones(30), planned=30.0, alpha=0.05)
    for end in (found.low[-1], found.high[-1]):
        moved = confidence_sequence(x - end, np.ones(30), planned=30.0, alpha=0.05)
        assert moved.log_e[-1] == pytest.approx(np.log(1 / 0.05), rel=1e-9)


@pytest.mark.parametrize(("n", "base"), [(100, 0.12), (30, 0.12), (50, 0.02), (20, 0.5)])
def test_false_alarms_under_daily_looks(n: int, base: float) -> None:
    """No effect, a look after each block: at most 5 % alarms, for common and for rare conversions."""
    effect = conversions(np.random.default_rng(1), n, n, base, 0.0, 2000)
    assert false_alarms(effect, np.ones(BLOCKS)) <= 0.05


def test_false_alarms_with_heavy_tailed_revenue() -> None:
    """Lognormal deals on 10 % of the leads, never winsorised: at most 5 % alarms all the same."""
    rng = np.random.default_rng(2)

    def block() -> np.ndarray:
        return ((rng.random((600, BLOCKS, 50)) < 0.1) * np.exp(rng.normal(0, 1.2, (600, BLOCKS, 50)))).mean(axis=2)

    assert false_alarms(block() - block(), np.ones(BLOCKS)) <= 0.05


def test_false_alarms_with_blocks_of_unequal_size() -> None:
    """Weights are the sizes: at most 5 % alarms though some blocks are ten times as large as others."""
    rng = np.random.default_rng(3)
    size = rng.poisson(rng.gamma(2.0, 25.0, BLOCKS)) + 2
    effect = rng.standard_normal((2000, BLOCKS)) / np.sqrt(size)
    assert false_alarms(effect, size / size.mean()) <= 0.05


def test_a_z_test_with_daily_looks_would_fail() -> None:
    """What this replaces: the same data, judged by 1.96 standard errors every day, alarms in a quarter of all cases."""
    effect = conversions(np.random.default_rng(1), 100, 100, BASE, 0.0, 2000)
    days = np.arange(1, BLOCKS + 1)
    mean, sd = effect.cumsum(axis=1) / days, np.sqrt(2 * BASE * (1 - BASE) / 100)
    assert (np.abs(mean) > 1.96 * sd / np.sqrt(days))[:, FEWEST_BLOCKS - 1 :].any(axis=1).mean() > 0.2


def test_it_covers_the_truth_at_every_look_and_finds_an_effect() -> None:
    """With a true gain of 20 %: the interval holds it throughout in 95 % of cases, and excludes 0 in 80 %, early."""
    effect = conversions(np.random.default_rng(5), 100, 100, BASE, 0.2, 1000)
    assert false_alarms(effect, np.ones(BLOCKS), truth=0.2 * BASE) <= 0.05
    found = confidence_sequence(effect, np.ones(BLOCKS), planned=BLOCKS)
    better = (found.low > 0)[:, FEWEST_BLOCKS - 1 :]
    assert better.any(axis=1).mean() >= 0.8
    assert np.median(better.argmax(axis=1)[better.any(axis=1)]) < BLOCKS * 0.6


@pytest.mark.parametrize(("blocks", "seed"), [(10, 1), (40, 2)])
def test_one_look_covers_nine_of_ten(blocks: int, seed: int) -> None:
    """The 90 % interval for one planned look holds the truth in 85 to 95 % of 1,000 draws."""
    effect = conversions(np.random.default_rng(seed), 60, 60, BASE, 0.1, 1000)[:, :blocks]
    low, high = single_look(effect, np.ones(blocks))
    covered = float(((low <= 0.1 * BASE) & (high >= 0.1 * BASE)).mean())
    assert 0.85 <= covered <= 0.95


def test_equal_blocks_prove_nothing() -> None:
    """Blocks without any spread (nobody converted) give no certainty where the planned spread is a floor."""
    found = confidence_sequence(np.zeros(30), np.ones(30), planned=30.0, least_sd=0.02)
    assert found.low[-1] < -0.002 and found.high[-1] > 0.002
    assert found.log_e[-1] < 0


def test_a_single_block_says_nothing() -> None:
    """Before the second block the interval is the whole line, for every look and for one."""
    found = confidence_sequence(np.array([0.3]), np.ones(1), planned=30.0)
    assert found.low[0] == -np.inf and found.high[0] == np.inf and found.log_e[0] == 0
    low, high = single_look(np.array([0.3]), np.ones(1))
    assert low == -np.inf and high == np.inf


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-6, 1e6), shift=st.floats(-5, 5))
def test_units_do_not_matter(seed: int, scale: float, shift: float) -> None:
    """Euros or cents, the interval scales; a shift of all blocks shifts it."""
    x = np.random.default_rng(seed).normal(size=12)
    one = confidence_sequence(x, np.ones(12), planned=12.0)
    other = confidence_sequence((x + shift) * scale, np.ones(12), planned=12.0)
    known = np.isfinite(one.low)
    assert np.allclose(other.low[known], (one.low[known] + shift) * scale, rtol=1e-6, atol=1e-9 * scale)


@pytest.mark.slow
@pytest.mark.parametrize(("n1", "n0", "base"), [(20, 80, 0.12), (20, 80, 0.03), (10, 10, 0.05), (200, 200, 0.01)])
def test_false_alarms_at_length(n1: int, n0: int, base: float) -> None:
    """10,000 experiments, unequal arms too: at most 5 % alarms."""
    effect = conversions(np.random.default_rng(11), n1, n0, base, 0.0, 10_000)
    assert false_alarms(effect, np.ones(BLOCKS)) <= 0.05
