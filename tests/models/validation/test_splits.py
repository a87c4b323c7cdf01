from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion_models.validation.splits import date_splits


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.0, 1000.0), min_size=2, max_size=200), st.floats(0.0, 60.0))
def test_nothing_of_the_test_is_known_in_training(days: list[float], gap: float) -> None:
    """Every tested lead is assigned after what training knows; no lead is tested twice; days stay together."""
    assigned = np.array(days)
    tested = np.zeros(assigned.size, dtype=int)
    for split in date_splits(assigned, gap_days=gap):
        rows = split.test_rows(assigned)
        assert (assigned[rows] >= split.known_at).all() and split.known_at > assigned.min()
        assert split.first == np.floor(split.first)
        tested += rows
    assert tested.max(initial=0) <= 1


def test_windows_expand_and_keep_the_gap() -> None:
    """Three windows over the later half, each trained on everything up to a gap before it."""
    assigned = np.arange(400.0)
    splits = list(date_splits(assigned, splits=3, test_share=0.5, gap_days=14.0))
    assert len(splits) == 3
    assert [split.first - split.known_at for split in splits] == [14.0] * 3
    assert sum(int(split.test_rows(assigned).sum()) for split in splits) == 200
    assert splits[0].known_at < splits[1].known_at < splits[2].known_at


def test_a_single_moment_cannot_be_split() -> None:
    """Leads of one day give no split, rather than a wrong one."""
    assert list(date_splits(np.full(50, 3.0))) == [] and list(date_splits(np.zeros(0))) == []
