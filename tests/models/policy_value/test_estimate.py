"""Plans of past leads in worlds whose truth is known: intervals must cover as they say, or there must be none."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from apportion_models.policy_value import Estimate, Log, direct_method, switch_dr
from tests.models.policy_value.cheap import Cheap

FULL = os.environ.get("APPORTION_TEST_SIZE") == "full"
DRAWS = 1000 if FULL else 200

WORLDS: dict[str, dict[str, Any]] = {
    "all of it is true": {},
    "none of it is true": {"kept": 0.0},
    "half of it, and more that nobody saw": {"kept": 0.5, "own": 0.15},
    "leads of an account are alike": {"accounts": 600},
    "ten reps": {"reps": 10},
}


def held(method: Callable[[Log], Estimate], **world: Any) -> tuple[float, float]:
    """The share of intervals that hold the truth, and the mean error of the uplift."""
    holds, errors = [], []
    for seed in range(DRAWS):
        log, truth, _, _ = Cheap(seed=seed, **world).draw()
        found = method(log).uplift
        holds.append(found.holds(truth))
        errors.append(found.value - truth)
    return float(np.mean(holds)), float(np.mean(errors))


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
@pytest.mark.parametrize("method", [direct_method, switch_dr])
def test_intervals_cover_as_they_say(method: Callable[[Log], Estimate], world: dict[str, Any]) -> None:
    """Over 200 worlds the 90 % interval holds the plan's true uplift in 85 to 95 %, and the mean error is small."""
    covered, error = held(method, **world)
    assert 0.85 <= covered <= 0.95
    assert abs(error) < 0.02
