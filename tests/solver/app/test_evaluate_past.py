"""Past leads as `evaluate` logs them: by which chance each could have been dealt otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion.app.evaluate.halves import split_history
from apportion.app.evaluate.past import Past
from benchmarks.claims import Ungated, small_world


def test_no_other_rep_has_more_than_what_a_logged_chance_leaves() -> None:
    """A lead that its rep had with chance 0.97 went to any other with 0.03 at most, and with 1 to no other."""
    world = small_world(4, 1.0)
    history = world.history(1200)
    history["propensity"] = np.tile([0.97, 1.0, np.nan], 400)
    halves = split_history(history, seed=0)
    parts = (halves.first, halves.second)
    one, two = (Ungated(level="rep").fit(part, world.reps(), until=world.at) for part in parts)
    past = Past.of((one, two), parts, world.reps(), world.at, halves.drawn_by)
    log, _ = past.planned(one, world.reps(), seed=0)
    logged = np.concatenate([seen.logged for seen in past.seen])
    away = log.rep != log.planned
    assert (log.planned_chance[away & (logged == 0.97)] <= 0.03 + 1e-12).all()
    assert (log.planned_chance[away & (logged == 1.0)] == 0.0).all()
    assert log.planned_chance[away & np.isnan(logged)].max() > 0.03
    assert (log.chance[logged == 0.97] == 0.97).all()
    assert pd.isna(logged).any() and log.hit.any() and log.size == pytest.approx(1200, abs=400)
