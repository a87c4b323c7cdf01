from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from apportion_models.validation.metrics import (
    area_under_curve,
    brier,
    calibration_error,
    log_losses,
    reliability,
    summary,
)

RNG = np.random.default_rng(0)
CHANCE = RNG.uniform(0.02, 0.9, 20_000)
LABEL = (RNG.random(20_000) < CHANCE).astype(float)


def test_measures_agree_with_scikit_learn() -> None:
    """Log loss and Brier score are the usual ones on whole labels."""
    assert log_losses(LABEL, CHANCE).mean() == pytest.approx(log_loss(LABEL, CHANCE))
    assert brier(LABEL, CHANCE) == pytest.approx(brier_score_loss(LABEL, CHANCE))


def test_true_chances_are_calibrated_and_wrong_ones_are_not() -> None:
    """The calibration error is near nothing for the truth and as large as the shift for shifted chances."""
    assert calibration_error(LABEL, CHANCE) < 0.01
    assert calibration_error(LABEL, np.clip(CHANCE + 0.1, 0, 1)) == pytest.approx(0.1, abs=0.02)


def test_reliability_parts_hold_every_row() -> None:
    """The parts are of equal size, in order, and add up."""
    table = reliability(LABEL[:1003], CHANCE[:1003])
    assert sum(part["rows"] for part in table) == 1003 and len(table) == 10
    assert [part["expected"] for part in table] == sorted(part["expected"] for part in table)
    assert reliability(np.zeros(0), np.zeros(0)) == []


def test_one_constant_chance_is_calibrated_when_it_is_the_rate() -> None:
    """Ties are not sorted by the label, which would fake an error."""
    label = RNG.permutation(np.repeat([0.0, 1.0], 5000))
    assert calibration_error(label, np.full(10_000, 0.5)) < 0.03


def test_shares_of_a_win_count_as_labels() -> None:
    """A share of a win lies between; the area under the curve looks at whole labels alone."""
    label = np.array([0.0, 1.0, 0.5])
    assert log_losses(label, np.full(3, 0.5)) == pytest.approx(np.log(2.0))
    assert area_under_curve(label, np.array([0.1, 0.9, 0.4])) == 1.0
    assert area_under_curve(np.zeros(3), np.full(3, 0.2)) is None
    assert summary(label, np.full(3, 0.5))["observed_rate"] == 0.5


def test_certainty_costs_much_but_not_everything() -> None:
    """A chance of 0 for a won lead has a finite loss."""
    assert np.isfinite(log_losses(np.array([1.0, 0.0]), np.array([0.0, 1.0]))).all()
