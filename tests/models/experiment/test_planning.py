"""The plan says beforehand what the experiment then needs."""

from __future__ import annotations

import numpy as np
import pytest

from apportion_models.errors import InputError
from apportion_models.experiment import Past, confidence_sequence, forecast, past_of
from apportion_models.experiment.planning import FEWEST_BLOCKS, block_size, shared, shock_of

PAST = Past(mean=0.12, sd=float(np.sqrt(0.12 * 0.88)), leads_per_day=200.0)


def planned(effect: float, **changes: object) -> object:
    given = {"size": 50.0, "shock": 0.0, "block_days": 1.0, "within_days": 30.0, **changes}
    return forecast(PAST, effect=effect * 0.12, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("gain", [0.2, 0.3])
def test_the_planned_blocks_have_the_planned_power(gain: float) -> None:
    """Simulated with conversions, lead by lead, the plan's number of blocks finds the gain in about 80 % of cases."""
    plan = forecast(PAST, effect=gain * 0.12, size=50.0, shock=0.0, block_days=1.0, within_days=30.0)
    assert plan.blocks is not None and plan.days == plan.blocks + 30
    rng = np.random.default_rng(7)
    shape = (2000, plan.blocks)
    effect = rng.binomial(100, 0.12 * (1 + gain), shape) / 100 - rng.binomial(100, 0.12, shape) / 100
    found = confidence_sequence(effect, np.ones(plan.blocks), planned=float(plan.blocks))
    power = (found.low > 0)[:, FEWEST_BLOCKS - 1 :].any(axis=1).mean()
    assert 0.74 <= power <= 0.86


def test_fewer_blocks_would_not_do() -> None:
    """With two thirds of the planned blocks the power is clearly below 80 %."""
    plan = forecast(PAST, effect=0.024, size=50.0, shock=0.0, block_days=1.0, within_days=30.0)
    assert plan.blocks is not None
    less = forecast(
        PAST, effect=0.024, size=50.0, shock=0.0, block_days=1.0, within_days=30.0, blocks=plan.blocks * 2 // 3
    )
    assert less.power < 0.7 < plan.power


def test_looking_costs_less_than_twice_the_leads_and_the_end_comes_early() -> None:
    """Against one look at the end: more blocks at most, but half of the experiments are over before that many."""
    plan = forecast(PAST, effect=0.024, size=50.0, shock=0.0, block_days=1.0, within_days=30.0)
    assert plan.blocks is not None and plan.typical is not None
    assert plan.one_look < plan.blocks < 2 * plan.one_look
    assert plan.typical < 1.25 * plan.one_look


def test_one_look_agrees_with_the_textbook() -> None:
    """At 12 % and +10 %: about 12,000 leads an arm for one look (two proportions, 80 % power)."""
    plan = forecast(PAST, effect=0.012, size=50.0, shock=0.0, block_days=1.0, within_days=30.0)
    assert plan.one_look * 100 == pytest.approx(12_000, rel=0.06)


def test_clusters_cost() -> None:
    """Accounts and shocks lengthen the experiment; a shock that more leads do not lessen can make it impossible."""
    alone = forecast(PAST, effect=0.024, size=50.0, shock=0.0, block_days=1.0, within_days=30.0)
    past = Past(mean=0.12, sd=PAST.sd, leads_per_day=200.0, unit_inflation=1.5)
    grouped = forecast(past, effect=0.024, size=50.0, shock=0.0, block_days=1.0, within_days=30.0)
    assert alone.blocks is not None and grouped.blocks is not None
    assert grouped.blocks == pytest.approx(1.5 * alone.blocks, rel=0.12)
    hopeless = forecast(PAST, effect=0.0005, size=50.0, shock=0.1, block_days=1.0, within_days=30.0)
    assert hopeless.blocks is None and hopeless.days is None and hopeless.power == 0


def test_intraclass_correlation_is_found() -> None:
    """A known share of variance in common is estimated; independent leads have none."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(400), 10)
    common = rng.normal(0, 0.5, 400)[group] + rng.normal(0, 1, 4000)
    assert shared(common, group) == pytest.approx(0.2, abs=0.04)
    assert shared(rng.normal(size=4000), group) < 0.02
    assert shared(rng.normal(size=5), np.arange(5)) == 0.0


def test_the_past_is_measured() -> None:
    """Mean, leads a day and the inflation by accounts, as they were put in."""
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(1000), 4)
    account = rng.normal(0, 1, 1000)[unit]
    won = (rng.random(4000) < 1 / (1 + np.exp(2 - account))).astype(float)
    past = past_of(won, np.sort(rng.uniform(0, 100, 4000)), unit, window_days=1.0)
    assert past.leads_per_day == pytest.approx(40, rel=0.02) and past.mean == pytest.approx(won.mean())
    assert past.unit_inflation == pytest.approx(1 + 3 * shared(won, unit)) and past.unit_inflation > 1.15


@pytest.mark.parametrize(
    ("outcome", "why"), [(np.zeros(100), "no lead has converted"), (np.ones(100), "same outcome"), (np.ones(5), "20")]
)
def test_a_past_that_says_nothing_is_refused(outcome: np.ndarray, why: str) -> None:
    """No conversion, nothing but conversions, hardly a lead: a clear answer, and what to do."""
    with pytest.raises(InputError, match=why):
        past_of(outcome, np.arange(outcome.size, dtype=float), np.arange(outcome.size), window_days=1.0)


def test_designs_differ_in_what_they_need() -> None:
    """A switchback has twice the day's shock; arms side by side have none; many teams lessen it."""
    past = Past(mean=0.1, sd=0.3, leads_per_day=10, shock=0.04)
    assert shock_of("capacity_split", past, 2, 2) == 0.0
    assert shock_of("switchback", past, 2, 2) == pytest.approx(0.08)
    assert shock_of("by_team", past, 8, 2) == pytest.approx(0.01)
    assert block_size("switchback", 100.0, 2, 0.5, 0.5) == pytest.approx(50)
    assert block_size("capacity_split", 100.0, 1, 0.5, 0.5) == pytest.approx(25)
    assert block_size("by_team", 100.0, 2, 0.5, 0.5) == pytest.approx(50)


def test_a_gain_of_nothing_is_refused() -> None:
    """No experiment can be planned for an effect of 0."""
    with pytest.raises(InputError, match="above 0"):
        planned(0.0)
