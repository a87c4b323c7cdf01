from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import chi2_contingency

from apportion_models.validation.homogeneity import (
    equal_given_leads,
    equal_rates,
    equal_within_reps,
    periods_of,
    rate_table,
    shrunk_rates,
)


def test_large_counts_agree_with_the_textbook() -> None:
    """With enough wins it is the chi-square test of the table of wins and losses."""
    wins, rows = np.array([30.0, 45.0, 28.0]), np.array([100.0, 110.0, 90.0])
    expected = chi2_contingency(np.array([wins, rows - wins]), correction=False)
    found = equal_rates(wins, rows)
    assert found.method == "chi-square" and found.p_value == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("rows", [4, 200])
def test_alike_reps_are_rarely_told_apart(rows: int) -> None:
    """At 5 %, about one in twenty worlds of identical reps is called different; small counts too."""
    rng = np.random.default_rng(0)
    p_values = [
        equal_rates(rng.binomial(rows, 0.1, 25).astype(float), np.full(25, float(rows))).p_value for _ in range(60)
    ]
    assert np.mean(np.array(p_values) < 0.05) <= 0.15


def test_different_reps_are_told_apart() -> None:
    """Rates of 10 % and 30 % over 200 leads each are no chance."""
    assert equal_rates(np.array([20.0, 60.0, 22.0, 58.0]), np.full(4, 200.0)).p_value < 1e-6


@pytest.mark.parametrize(
    ("wins", "rows"), [([5.0], [9.0]), ([0.0, 0.0], [5.0, 9.0]), ([5.0, 9.0], [5.0, 9.0]), ([], [])]
)
def test_nothing_to_compare(wins: list[float], rows: list[float]) -> None:
    """One rep, no win, or nothing but wins: the test says so with p = 1."""
    assert equal_rates(np.array(wins), np.array(rows)).p_value == 1.0


def test_rates_shrink_by_how_much_reps_really_differ() -> None:
    """A rep with one lead is at the mean, one with many at its own rate; alike reps all get the mean."""
    rng = np.random.default_rng(1)
    rates = rng.beta(4, 16, 40)
    rows = np.append(np.full(40, 300.0), 1.0)
    wins = np.append(rng.binomial(300, rates).astype(float), 1.0)
    shrunk, strength = shrunk_rates(wins, rows)
    assert 8 < strength < 60
    assert abs(shrunk[-1] - wins.sum() / rows.sum()) < 0.08
    assert np.abs(shrunk[:40] - wins[:40] / 300).max() < 0.04
    alike, infinite = shrunk_rates(np.full(10, 20.0), np.full(10, 100.0))
    assert infinite == np.inf and np.allclose(alike, 0.2, atol=0.001)


def test_rate_table_counts_closed_leads() -> None:
    """One row a rep in order of the id; open leads do not count."""
    table = rate_table(
        np.array(["b", "a", "b", "a"], dtype=object),
        np.array([1.0, 0.0, 0.0, 1.0]),
        np.array([True, True, True, False]),
    )
    assert table["rep_id"].tolist() == ["a", "b"] and table["leads"].tolist() == [1, 2]
    assert table["raw_rate"].tolist() == [0.0, 0.5]


def test_given_leads_a_difference_of_leads_is_no_difference_of_reps() -> None:
    """Reps with easier leads have higher rates; once the leads are accounted for, nothing is left."""
    rng = np.random.default_rng(2)
    rep = np.repeat(np.arange(10), 300)
    chance = np.where(rep < 5, 0.1, 0.4)
    label = (rng.random(3000) < chance).astype(float)
    ids = rep.astype(str).astype(object)
    wins = np.bincount(rep, weights=label)
    assert equal_rates(wins, np.full(10, 300.0)).p_value < 1e-6
    assert equal_given_leads(label - chance, chance * (1 - chance), ids).p_value > 0.01


def test_within_reps_segments_are_told_apart() -> None:
    """A rep who is good at one kind and bad at another is found; a rep who is good at all is not."""
    rng = np.random.default_rng(3)
    rep, kind = np.repeat(np.arange(10), 300), rng.integers(0, 2, 3000)
    ids = rep.astype(str).astype(object)
    for chance, different in ((np.where(rep % 2 == kind, 0.2, 0.4), True), (np.where(rep % 2 == 0, 0.2, 0.4), False)):
        label = (rng.random(3000) < chance).astype(float)
        p_value = equal_within_reps(label - 0.3, np.full(3000, 0.21), ids, {"kind": kind}).p_value
        assert (p_value < 1e-6) if different else (p_value > 0.01)
    assert equal_within_reps(label - 0.3, np.full(3000, 0.21), ids, {}).p_value == 1.0


def drifting(seed: int, lasting: float, passing: float) -> tuple[np.ndarray, ...]:
    """Residuals of 20 reps by 4 segments over 8 months: strengths that last, and others that come and go by month."""
    rng = np.random.default_rng(seed)
    rep, segment, month = (rng.integers(0, count, 12_000) for count in (20, 4, 8))
    strength = lasting * rng.normal(size=(20, 4))[rep, segment]
    strength = strength + passing * rng.normal(size=(20, 4, 8))[rep, segment, month]
    chance = expit(-1.0 + strength)
    p = expit(-1.0)
    return (rng.random(12_000) < chance) - p, np.full(12_000, p * (1 - p)), rep.astype(object), segment, month


def test_what_comes_and_goes_is_no_strength() -> None:
    """Strengths of a month pass for lasting ones when leads are taken for independent; against periods they do not."""
    found = np.zeros(2)
    for seed in range(20):
        residual, variance, rep, segment, month = drifting(seed, 0.0, 0.5)
        for place, period in enumerate((None, periods_of(month.astype(float)))):
            found[place] += equal_within_reps(residual, variance, rep, {"s": segment}, period).p_value < 0.05
    assert found[0] >= 12 and found[1] <= 3


def test_strengths_that_last_are_found() -> None:
    """Against periods they are still told from noise."""
    found = 0
    for seed in range(10):
        residual, variance, rep, segment, month = drifting(seed, 0.4, 0.2)
        period = periods_of(month.astype(float))
        found += equal_within_reps(residual, variance, rep, {"s": segment}, period).p_value < 0.05
        found += equal_given_leads(residual, variance, rep, period).p_value < 0.05
    assert found >= 18


def test_a_cell_of_one_period_is_left_out() -> None:
    """A kind of leads that a rep had for a while only shows nothing that lasts."""
    residual, variance, rep, segment, month = drifting(0, 0.0, 0.0)
    period = periods_of(month.astype(float))
    odd = (rep == 3) & (segment == 1)
    once = odd & (period == 0)
    residual = np.where(once, residual + 0.7, residual)
    kept = ~odd | once
    parts = [one[kept] for one in (residual, variance, rep, segment, period)]
    assert equal_within_reps(*parts[:3], {"s": parts[3]}).p_value < 0.01
    assert equal_within_reps(*parts[:3], {"s": parts[3]}, parts[4]).p_value > 0.05


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(1, 5))
def test_periods_hold_equally_many(times: list[int], count: int) -> None:
    """Later leads are never of an earlier period, leads of one time are together, and there are at most so many."""
    days = np.array(times, dtype=float)
    period = periods_of(days, count=count)
    order = np.argsort(days, kind="stable")
    assert (np.diff(period[order]) >= 0).all() and period.max() < count
    assert all(np.unique(period[days == day]).size == 1 for day in np.unique(days))
