"""Standard errors by groups: against formulas, and against what repeated draws give."""

from __future__ import annotations

import numpy as np
import pytest

from apportion_models.policy_value import Groups
from apportion_models.policy_value.intervals import groups_of, interval, quantile


def groups(unit: np.ndarray, rep: np.ndarray, **more: float) -> Groups:
    return Groups(unit=groups_of(unit), rep=groups_of(rep), fold=np.zeros(unit.size, dtype=np.int64), **more)


def test_single_leads_of_many_reps_are_summed_by_rep() -> None:
    """Without accounts the variance is that of the reps' sums."""
    rng = np.random.default_rng(0)
    rep, influence = rng.integers(0, 30, 900), rng.normal(size=900)
    error, freedom = groups(np.arange(900), rep).error(influence)
    sums = np.bincount(rep, weights=influence)
    assert error == pytest.approx(np.sqrt((sums**2).sum() * 30 / 29)) and freedom == 29


def test_leads_that_are_alike_count_as_one() -> None:
    """Ten copies of each lead tell no more than one, if their unit says so."""
    rng = np.random.default_rng(1)
    one = rng.normal(size=300)
    unit, rep = np.repeat(np.arange(300), 10), np.zeros(3000, dtype=int)
    together = groups(unit, rep).error(np.repeat(one, 10))[0]
    apart = groups(np.arange(3000), rep).error(np.repeat(one, 10))[0]
    assert together == pytest.approx(np.sqrt(10) * apart, rel=0.01)


def test_folds_that_agree_on_nothing_err_together() -> None:
    """Two folds whose models agree have independent errors; if they do not, the errors add up."""
    influence, unit = np.tile(np.random.default_rng(2).normal(size=200), 2), np.arange(400)
    fold, rep = np.repeat([0, 1], 200), np.zeros(400, dtype=np.intp)
    errors = [
        Groups(unit=unit, rep=rep, fold=fold, agreement=agreement).error_by_unit(influence)
        for agreement in (1.0, 0.5, 0.0)
    ]
    assert errors[2] == pytest.approx(np.sqrt(2) * errors[0]) and errors[0] < errors[1] < errors[2]


def test_intervals_widen_with_few_groups() -> None:
    """The quantile is the normal's without degrees of freedom, and Student's with them."""
    assert quantile() == pytest.approx(1.6449, abs=1e-4) and quantile(4) == pytest.approx(2.1318, abs=1e-4)
    found = interval(1.0, 0.5, 4)
    assert found.low == pytest.approx(1.0 - 0.5 * quantile(4)) and found.has_zero and found.holds(2.0)
