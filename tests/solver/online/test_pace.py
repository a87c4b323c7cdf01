from __future__ import annotations

import numpy as np

from apportion.online.pace import pace_of


def test_the_pace_is_when_the_plan_used_each_rep() -> None:
    """Columns add up to 1; a rep who was used late is paced late, and nobody's part is nothing."""
    rep = np.concatenate([np.zeros(400), np.ones(400)]).astype(np.int64)
    pace = pace_of(rep, np.ones(800), 2)
    assert pace.shape == (8, 2)
    assert np.allclose(pace.sum(axis=0), 1.0) and (pace > 0).all()
    assert pace[:4, 0].sum() > 0.95 and pace[4:, 1].sum() > 0.95


def test_few_leads_say_nothing_about_when() -> None:
    """Where a rep has a handful of leads, or none was placed, the pace is even."""
    assert pace_of(np.array([0, 1, -1]), np.ones(3), 2).tolist() == [[1.0, 1.0]]
    assert pace_of(np.full(50, -1), np.zeros(50), 2).tolist() == [[1.0, 1.0]]
    assert pace_of(np.zeros(0, dtype=np.int64), np.zeros(0), 3).tolist() == [[1.0, 1.0, 1.0]]


def test_leads_without_effort_are_no_pace() -> None:
    """A plan whose leads need no effort uses nobody's capacity."""
    assert pace_of(np.zeros(100, dtype=np.int64), np.zeros(100), 1).tolist() == [[1.0]]
