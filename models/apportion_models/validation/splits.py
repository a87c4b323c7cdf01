"""Splits by date: train on what was known at a moment, test on leads assigned later, with a gap in days between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class DateSplit:
    """Test leads are assigned in [first, last); training knows what was known at `known_at` = first − gap."""

    known_at: float  # days
    first: float
    last: float  # inf for the last split

    def test_rows(self, assigned: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,) whether each row is tested."""
        return (assigned >= self.first) & (assigned < self.last)


def date_splits(
    assigned: NDArray[np.float64], *, splits: int = 3, test_share: float = 0.5, gap_days: float = 7.0
) -> Iterator[DateSplit]:
    """Expanding windows: the last `test_share` of the rows, cut into `splits` by date; days that tie stay together.

    The gap is kept within a tenth of the history's span, so that a short history still has something to train on.
    """
    times = np.sort(assigned)
    if times.size == 0 or times[0] == times[-1]:
        return
    gap = min(gap_days, 0.1 * float(times[-1] - times[0]))
    marks = 1.0 - test_share * (1.0 - np.arange(splits) / splits)
    edges = np.unique(np.floor(times[np.minimum((marks * times.size).astype(int), times.size - 1)]))
    bounds = [*edges.tolist(), np.inf]
    for first, last in pairwise(bounds):
        if first - gap > times[0]:
            yield DateSplit(known_at=first - gap, first=first, last=last)
