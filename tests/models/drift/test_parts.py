"""The parts of monitoring, each on its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion_models.drift.calibration import recalibrate, rejected
from apportion_models.drift.observed import conversions, revenue
from apportion_models.drift.pairs import Pairs
from apportion_models.drift.population import shifts
from apportion_models.drift.segments import e_discoveries


def test_recalibration_finds_slope_and_intercept_and_covers() -> None:
    """The slope's 90 % interval holds the truth in 85 to 95 % of 300 windows; its p-value is uniform."""
    rng = np.random.default_rng(0)
    held, p_values = [], []
    for _ in range(300):
        x = rng.normal(-1.5, 1.0, 600)
        won = (rng.random(600) < 1 / (1 + np.exp(-(0.3 + 0.7 * x)))).astype(float)
        found = recalibrate(won, 1 / (1 + np.exp(-x)))
        assert found is not None
        held.append(abs(found[1] - 0.7) <= 1.645 * found[2])
        fair = (rng.random(600) < 1 / (1 + np.exp(-x))).astype(float)
        p_values.append(recalibrate(fair, 1 / (1 + np.exp(-x)))[3])  # type: ignore[index]
    assert 0.85 <= np.mean(held) <= 0.95
    assert 0.02 <= np.mean(np.array(p_values) < 0.05) <= 0.09


def test_windows_that_cannot_be_judged_are_not() -> None:
    """Hardly a win, or the same chance for all: no slope."""
    assert recalibrate(np.zeros(500), np.full(500, 0.1)) is None
    assert recalibrate(np.tile([0.0, 1.0], 250), np.full(500, 0.5)) is None


def test_the_false_discovery_rule_is_the_textbook_one() -> None:
    """Benjamini and Hochberg's own example of 15 p-values: four are rejected at 5 %."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1,
    ]
    assert rejected(list(p), 0.05) == [True] * 4 + [False] * 11
    assert rejected([None, 0.001, None], 0.05) == [False, True, False] and rejected([], 0.05) == []


def test_e_values_are_discovered_by_the_k_th_largest() -> None:
    """Four of ten e-values at 25: the fourth is at least 10 / (4 · 0.1), so that all four are found; three are not."""
    e = np.array([25.0] * 4 + [1.0] * 6)
    assert e_discoveries(np.log(e), 0.1).tolist() == [True] * 4 + [False] * 6
    assert not e_discoveries(np.log(np.array([25.0] * 3 + [1.0] * 7)), 0.1).any()
    assert e_discoveries(np.zeros(0), 0.1).size == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_equal_populations_have_an_index_near_none(seed: int) -> None:
    """Two draws of one population: no alarm on any of its columns, and an index far below the bound."""
    rng = np.random.default_rng(seed)

    def draw(n: int) -> pd.DataFrame:
        return pd.DataFrame({"x": rng.normal(size=n), "kind": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])})

    found = shifts(draw(1500), draw(400), extra={})
    assert {shift.column for shift in found} == {"x", "kind"}
    assert all(shift.index < 0.1 and not shift.alarmed for shift in found)


def test_keys_protected_columns_and_small_tables_are_not_compared() -> None:
    """No alarm ever speaks of a protected attribute, or of a table of a few leads."""
    table = pd.DataFrame({"lead_id": range(200), "gender": ["f", "m"] * 100, "x": np.arange(200.0)})
    found = shifts(table, table.assign(gender="f", x=0.0), extra={})
    assert [shift.column for shift in found] == ["x"] and found[0].alarmed
    assert shifts(table.iloc[:10], table.iloc[:10], extra={}) == []


@pytest.mark.parametrize("now", [np.full(300, np.nan), np.full(300, 7.0)])
def test_columns_that_hold_nothing_any_more(now: np.ndarray) -> None:
    """All missing, or all the same: an alarm, no error."""
    then = pd.DataFrame({"x": np.random.default_rng(0).normal(size=500)})
    assert shifts(then, pd.DataFrame({"x": now}), extra={})[0].alarmed


def stream(seed: int, *, days: int = 140, per_day: int = 6, deals: float = 1.0) -> Pairs:
    """Ripe pairs of a sound model, with lognormal deals. deals : what they bring against what was expected."""
    rng = np.random.default_rng(seed)
    n = days * per_day
    chance = rng.beta(1.5, 10.0, n)
    won = (rng.random(n) < chance).astype(float)
    value = np.exp(rng.normal(7.0, 0.8, n))
    return Pairs(
        leads=pd.DataFrame(index=range(n)),
        all_leads=pd.DataFrame(index=range(n)),
        assigned=20_000.0 + np.sort(rng.uniform(0, days, n)),
        chance=chance,
        revenue=chance * value,
        won=won,
        earned=won * value * deals * np.exp(rng.normal(-0.18, 0.6, n)),
        waiting=0,
        moved=0,
        missing=0,
        within_days=30.0,
        in_time=1.0,
        findings=(),
    )


def test_revenue_and_conversions_raise_few_false_alarms_at_any_look() -> None:
    """200 sound streams, judged after each pair and each week, tolerance 0: at most 5 % alarms on either."""
    found = [
        (conversions(s, tolerance=0.0, alpha=0.05), revenue(s, tolerance=0.0, alpha=0.05))
        for s in map(stream, range(200))
    ]
    assert np.mean([one is not None and one.alarmed for one, _ in found]) <= 0.05
    assert np.mean([one is not None and one.alarmed for _, one in found]) <= 0.05


def test_revenue_that_is_half_is_found() -> None:
    """Half of what was expected, over 20 weeks of a hundred wins: found in most of 60 streams, and said to be less."""
    found = [revenue(stream(seed, deals=0.45), tolerance=0.1, alpha=0.05) for seed in range(60)]
    assert np.mean([one is not None and one.alarmed and not one.above for one in found]) >= 0.8


def test_no_revenue_at_all_is_no_certainty_from_evenness() -> None:
    """Weeks without any revenue, all alike: the interval has a width, and the alarm comes after the fifth."""
    pairs = stream(1)
    none = Pairs(**{**pairs.__dict__, "earned": np.zeros(len(pairs))})
    found = revenue(none, tolerance=0.1, alpha=0.05)
    assert found is not None and found.alarmed and found.low < found.ratio == -1.0 < found.high
