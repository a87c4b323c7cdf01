from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from apportion_models.validation.homogeneity import (
    equal_given_leads,
    equal_rates,
    equal_within_reps,
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
