"""The eligible pairs, lead by lead."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEAN_CHUNK = 1 << 20  # pairs whose mean is taken at once


class Pairs:
    """Which pairs are eligible: L leads, R reps, P pairs, lead by lead and ascending by rep within a lead.

    Where every pair is eligible nothing is stored. Else `offset` (L + 1,) and `column` (P,) are, the rep of each pair
    in 32 bits where that fits. `start`, `rep` and `lead` are worked out when they are asked for.
    """

    def __init__(self, *, start: Any, rep: Any, n_reps: int) -> None:
        """Store the pairs of each lead. start : (L + 1,) offsets. rep : (P,) ascending within a lead."""
        self.n_reps = n_reps
        self.n_leads = len(start) - 1
        self.offset: Ints | None = frozen(np.asarray(start, dtype=np.int64))
        narrow = np.int32 if n_reps <= np.iinfo(np.int32).max else np.int64
        self.column: NDArray[np.int32] | None = frozen(np.asarray(rep, dtype=narrow))

    @classmethod
    def every(cls, n_leads: int, n_reps: int) -> Pairs:
        """All pairs of L leads and R reps."""
        pairs = cls.__new__(cls)
        pairs.n_leads, pairs.n_reps, pairs.offset, pairs.column = n_leads, n_reps, None, None
        return pairs

    @property
    def is_dense(self) -> bool:
        """Whether every pair is eligible, and so P = L · R."""
        return self.column is None

    @property
    def n_pairs(self) -> int:
        """P."""
        return self.n_leads * self.n_reps if self.column is None else len(self.column)

    @cached_property
    def start(self) -> Ints:
        """(L + 1,) offsets: the pairs of lead i are `start[i]:start[i + 1]`."""
        return frozen(np.arange(self.n_leads + 1) * self.n_reps) if self.offset is None else self.offset

    @cached_property
    def rep(self) -> Ints:
        """(P,) rep of each pair."""
        if self.column is None:
            return frozen(np.tile(np.arange(self.n_reps), self.n_leads))
        return frozen(self.column.astype(np.int64))

    @cached_property
    def lead(self) -> Ints:
        """(P,) lead of each pair."""
        return frozen(np.repeat(np.arange(self.n_leads), self.count))

    @cached_property
    def count(self) -> Ints:
        """(L,) pairs of each lead."""
        if self.offset is None:
            return frozen(np.full(self.n_leads, self.n_reps, dtype=np.int64))
        return frozen(np.diff(self.offset))

    @cached_property
    def count_by_rep(self) -> Ints:
        """(R,) pairs of each rep."""
        if self.column is None:
            return frozen(np.full(self.n_reps, self.n_leads, dtype=np.int64))
        return frozen(np.bincount(self.column, minlength=self.n_reps).astype(np.int64))

    def position(self, lead: Any, rep: Any) -> Ints:
        """Index of the pairs (lead, rep), -1 where a pair is not eligible."""
        lead, rep = np.broadcast_arrays(np.asarray(lead, dtype=np.int64), np.asarray(rep, dtype=np.int64))
        inside = (rep >= 0) & (rep < self.n_reps)
        if self.column is None or self.offset is None:
            return np.where(inside, lead * self.n_reps + rep, -1)
        if not len(self.column):
            return np.full(lead.shape, -1, dtype=np.int64)
        low, end = self.offset[lead], self.offset[lead + 1]
        high = end.copy()
        while (open_ := low < high).any():  # all the searches at once
            middle = (low + high) // 2
            before = open_ & (self.column[np.minimum(middle, len(self.column) - 1)] < rep)
            low, high = np.where(before, middle + 1, low), np.where(open_ & ~before, middle, high)
        found = np.minimum(low, len(self.column) - 1)
        return np.where(inside & (low < end) & (self.column[found] == rep), found, -1)

    def mean_by_lead(self, entries: Any) -> Floats:
        """(L,) mean of the entries over each lead's pairs; 0 for a lead with none. The order of reps does not touch the
        last digit."""
        means = np.zeros(self.n_leads)
        many = max(1, int(self.count.max(initial=1)))
        step = max(1, MEAN_CHUNK // many)
        for first in range(0, self.n_leads, step):
            last = min(first + step, self.n_leads)
            begin, end = int(self.start[first]), int(self.start[last])
            means[first:last] = self._means(np.asarray(entries[begin:end]), first, last)
        return means

    def _means(self, entries: NDArray[Any], first: int, last: int) -> Floats:
        count = self.count[first:last]
        if self.is_dense:
            ordered = np.sort(entries.reshape(last - first, self.n_reps), axis=1).astype(np.float64).ravel()
        else:
            lead = np.repeat(np.arange(last - first), count)
            ordered = entries[np.lexsort((entries, lead))].astype(np.float64)
        filled = np.flatnonzero(count)
        if not len(filled):
            return np.zeros(last - first)
        begins = (np.cumsum(count) - count)[filled]
        means = np.zeros(last - first)
        with np.errstate(over="ignore"):
            means[filled] = np.add.reduceat(ordered, begins) / count[filled]
        large = ~np.isfinite(means[filled])
        if large.any():  # the sum is too large for a float, the mean is not
            means[filled[large]] = np.add.reduceat(ordered / np.repeat(count, count), begins)[large]
        return means

    def dense(self, entries: Any, fill: float) -> Floats:
        """(L, R) array of the entries, `fill` where a pair is not eligible."""
        if self.is_dense:
            return np.array(entries, dtype=np.float64).reshape(self.n_leads, self.n_reps)
        full = np.full((self.n_leads, self.n_reps), fill)
        full[self.lead, self.rep] = entries
        return full


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The same array, read-only."""
    array = array.view()
    array.setflags(write=False)
    return array
