from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from apportion_models.deal_value import DealValue

COLUMNS = ["industry", "size", "x"]


def market(rows: int, seed: int, *, effect: float = 1.0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Won deals with log-normal values whose spread grows with size (so that logs mislead); values and true means."""
    rng = np.random.default_rng(seed)
    size, industry, x = rng.integers(0, 4, rows), rng.integers(0, 8, rows), rng.normal(size=rows)
    centre = 8.5 + effect * (0.7 * size + 0.3 * np.sin(industry) + 0.25 * x)
    spread = 0.5 + 0.15 * size
    table = pd.DataFrame(
        {
            "lead_id": [f"L{i}" for i in range(rows)],
            "industry": [f"i{i}" for i in industry],
            "size": [f"s{s}" for s in size],
            "x": x,
        }
    )
    return table, np.exp(centre + spread * rng.normal(size=rows)), np.exp(centre + spread**2 / 2)


def test_totals_are_unbiased() -> None:
    """Over five markets the predicted total is within 5 % of the true one; logs without smearing would be 30 % low."""
    biases = []
    for seed in range(5):
        table, value, mean = market(6000, seed)
        train, later = slice(0, 3000), slice(3000, 6000)
        model = DealValue.learn(table.iloc[train], COLUMNS, value[train], np.full(3000, np.nan))
        assert model.source == "regression"
        found = model.predict(table.iloc[later])
        biases.append(found.sum() / mean[later].sum() - 1.0)
        assert np.corrcoef(np.log(found), np.log(mean[later]))[0, 1] > 0.9
    assert abs(np.mean(biases)) < 0.05


def test_no_effect_no_regression() -> None:
    """Where attributes say nothing of the value, the mean is used and the sentence says so."""
    table, value, _ = market(1500, 1, effect=0.0)
    table["size"] = table["size"].sample(frac=1.0, random_state=0).to_numpy()
    model = DealValue.learn(table, COLUMNS, value, np.full(1500, np.nan))
    assert model.source == "mean" and "did not predict" in model.sentence
    assert np.allclose(model.predict(table), value.mean())


def test_a_leads_own_value_counts_as_given() -> None:
    """Above 0 it is used; 0, negative, missing and infinite ones are estimated."""
    table, value, _ = market(2000, 2)
    model = DealValue.learn(table, COLUMNS, value, np.full(2000, np.nan))
    leads = table.iloc[:5].assign(deal_value=[123.0, 0.0, -5.0, np.nan, np.inf])
    found = model.predict(leads)
    assert found[0] == 123.0
    assert found[1:].tolist() == model.predict(table.iloc[:5])[1:].tolist() and (found > 0).all()


def test_too_few_deals_give_the_mean() -> None:
    """Under 50 won deals with a value there is no regression."""
    table, value, _ = market(30, 3)
    model = DealValue.learn(table, COLUMNS, value, np.full(30, np.nan))
    assert model.source == "mean" and model.predict(table)[0] == pytest.approx(value.mean())


def test_without_won_values_estimates_are_next() -> None:
    """No won deal with a value: the mean of estimates on other rows, else of the batch, else 1."""
    table, _, _ = market(4, 4)
    nothing = np.full(4, np.nan)
    model = DealValue.learn(table, COLUMNS, nothing, np.array([100.0, 300.0, np.nan, 0.0]))
    assert model.source == "estimates" and model.predict(table).tolist() == [200.0] * 4
    bare = DealValue.learn(table, COLUMNS, nothing, nothing)
    assert bare.source == "none" and bare.predict(table).tolist() == [1.0] * 4
    some = table.assign(deal_value=[10.0, 30.0, np.nan, np.nan])
    assert bare.predict(some).tolist() == [10.0, 30.0, 20.0, 20.0]


def test_deals_won_for_nothing_lower_the_mean() -> None:
    """A tenth won at 0 lowers what a won lead is worth by a tenth; a negative value is no value."""
    table, value, _ = market(3000, 5)
    full = DealValue.learn(table, COLUMNS, value, np.full(3000, np.nan))
    free = value.copy()
    free[::10] = 0.0
    found = DealValue.learn(table, COLUMNS, free, np.full(3000, np.nan))
    assert found.predict(table).sum() / full.predict(table).sum() == pytest.approx(0.9, abs=0.03)
    negative = np.where(np.arange(3000) % 10 == 0, -1.0, value)
    kept = DealValue.learn(table, COLUMNS, negative, np.full(3000, np.nan))
    assert kept.predict(table).sum() / full.predict(table).sum() == pytest.approx(1.0, abs=0.05)


def test_predictions_stay_near_what_was_seen() -> None:
    """An outlandish lead does not get an outlandish value."""
    table, value, _ = market(2000, 6)
    model = DealValue.learn(table, COLUMNS, value, np.full(2000, np.nan))
    wild = pd.DataFrame({"lead_id": ["w"], "x": [1e12], "size": ["unheard of"]})
    assert 0 < model.predict(wild)[0] <= 3 * value.max()


@pytest.mark.parametrize("rows", [0, 30, 2000])
def test_json_round_trip(rows: int) -> None:
    """Whatever the source, a restored model predicts the same bytes."""
    table, value, _ = market(max(rows, 10), 7)
    earned = value if rows else np.full(10, np.nan)
    model = DealValue.learn(table, COLUMNS, earned, np.full(value.size, np.nan))
    state, arrays = model.state()
    again = DealValue.from_state(json.loads(json.dumps(state, allow_nan=False)), arrays)
    assert again.predict(table).tobytes() == model.predict(table).tobytes()
    assert again.source == model.source


@pytest.mark.slow
def test_intervals_of_the_expected_value_cover_as_they_say() -> None:
    """Over 200 histories the 90 % interval of a kind's mean value holds the truth in 85 to 95 %."""
    inside = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        kind, x = rng.integers(0, 3, 400), rng.normal(size=400)
        mean = 1000.0 * np.exp(0.8 * kind + 0.3 * x)
        frame = pd.DataFrame({"kind": np.array(["a", "b", "c"], dtype=object)[kind], "x": x})
        found = DealValue.learn(frame, ["kind", "x"], mean * rng.gamma(2.0, 0.5, 400), np.full(400, np.nan))
        assert found.source == "regression" and found.measures["dispersion"] == pytest.approx(0.5, abs=0.2)
        leads = pd.DataFrame({"kind": ["a", "b", "c"], "x": [0.0, 0.5, -0.5]})
        truth = 1000.0 * np.exp(np.array([0.0, 0.95, 1.45]))
        inside.append(np.abs(found.predict(leads) - truth) <= 1.645 * found.predict_spread(leads))
    assert 0.85 <= float(np.mean(inside)) <= 0.95


def test_a_given_value_has_no_spread_and_a_mean_has_one() -> None:
    """What is given is taken as given; the mean of few deals is unsure by its standard error."""
    value = np.random.default_rng(0).gamma(2.0, 500.0, 30)
    found = DealValue.learn(pd.DataFrame(index=range(30)), [], value, np.full(30, np.nan))
    leads = pd.DataFrame({"lead_id": ["a", "b"], "deal_value": [500.0, np.nan]})
    assert found.predict_spread(leads) == pytest.approx([0.0, value.std(ddof=1) / np.sqrt(30)])
