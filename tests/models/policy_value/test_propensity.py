"""Chances of past dealing, estimated from leads that had no part in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from apportion_models.policy_value import estimate_propensities, policy_value
from tests.models.policy_value.cheap import Cheap


def test_chances_are_near_the_truth() -> None:
    """By segment, estimated chances follow the true ones, and weigh a plan as the true ones do."""
    log, truth, segment, chance = Cheap(rows=12_000, reps=8).draw()
    columns = np.eye(5)[segment]
    found = estimate_propensities(
        columns,
        rep=log.rep,
        planned=log.planned,
        period=np.arange(log.size) // 3000,
        fold=np.arange(log.size) % 2,
        reps=8,
    )
    every = np.arange(log.size)
    assert np.abs(found.dealt / chance[every, log.rep] - 1.0).mean() < 0.15
    estimated = replace(log, chance=found.dealt, planned_chance=found.planned)
    one, two = (policy_value(which).switch for which in (log, estimated))
    assert one is not None and two is not None and two.uplift.holds(truth)
    assert one.uplift.value == pytest.approx(two.uplift.value, abs=0.05)


def test_who_was_not_there_had_no_chance() -> None:
    """A rep without a lead in a period has the chance 0 of getting one then."""
    rng = np.random.default_rng(0)
    rep = np.concatenate([rng.integers(0, 3, 500), rng.integers(0, 4, 500)])
    found = estimate_propensities(
        rng.normal(size=(1000, 2)),
        rep=rep,
        planned=np.full(1000, 3),
        period=np.repeat([0, 1], 500),
        fold=np.arange(1000) % 2,
        reps=4,
    )
    assert (found.planned[:500] == 0).all() and found.planned[500:].mean() == pytest.approx(0.25, abs=0.05)
    assert ((found.dealt > 0) & (found.dealt <= 1)).all()


@pytest.mark.parametrize("width", [0, 2])
def test_a_single_rep_and_no_columns(width: int) -> None:
    """Nothing to learn is no fault: shares of the time are the chances."""
    none = np.zeros(10, dtype=np.int64)
    found = estimate_propensities(np.zeros((10, width)), rep=none, planned=none, period=none, fold=none, reps=1)
    np.testing.assert_allclose(found.dealt, 1.0)
