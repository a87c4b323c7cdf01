"""The benchmark of what swaps teach: the same company with and without them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.swaps import Company, rows

SMALL = {"start": 300, "batch": 60, "batches": 1}


def test_swaps_change_who_gets_a_lead_and_nothing_else() -> None:
    """Without swaps no lead moves and nothing is given up; leads, luck and what is judged are the same for every share,
    and the same company lives the same life again."""
    one, two = Company(3, **SMALL), Company(3, **SMALL)
    plain = one.live(0.0)
    assert plain.moved == 0.0 and plain.given_up == 0.0 and -1.0 < plain.captured < 1.0
    swapped = two.live(0.4)
    assert 0.05 < swapped.moved <= 0.8
    np.testing.assert_array_equal(one.luck[0], two.luck[0])
    assert one.live(0.0) == plain


def test_rows_compare_with_the_first_share() -> None:
    """A row a share, with the difference from the first by seeds."""
    (first, other) = rows(range(2), shares=(0.0, 0.4), **SMALL)
    assert first["difference"] == [0.0, 0.0, 0.0] and first["seeds"] == 2
    captured, difference = other["captured"], other["difference"]
    assert isinstance(captured, list) and isinstance(difference, list) and isinstance(first["captured"], list)
    assert difference[0] == pytest.approx(captured[0] - first["captured"][0], abs=2e-4)
    assert difference[1] <= difference[0] <= difference[2]
