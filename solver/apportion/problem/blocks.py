"""One pass over the pairs, in blocks of leads: what the verifier and its bound look at, never all pairs at once.

Within a block numbers are float64 and shaped so that they broadcast: (n, R) where every pair is eligible, else one
a pair.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from apportion.problem.entries import Entries
from apportion.problem.pairs import Floats, Ints, Pairs

CELLS = 1 << 17  # pairs of a block: its numbers stay in the cache
THREADED = 32  # blocks from which threads pay

T = TypeVar("T")
Array = Any  # of numbers, float64 or float32


class Block:
    """Some leads with all of their pairs. leads : indices, or a slice where they stand in a row."""

    def __init__(self, pairs: Pairs, leads: slice | Ints) -> None:
        self.pairs, self.leads = pairs, leads
        if isinstance(leads, slice):
            self.n = leads.stop - leads.start
            self._at: Any = slice(int(leads.start), int(leads.stop)) if pairs.is_dense else self._run(leads)
        else:
            self.n = len(leads)
            self._at = leads if pairs.is_dense else self._gathered(leads)
        self.count = None if pairs.is_dense else pairs.count[leads]

    def _run(self, leads: slice) -> slice:
        return slice(int(self.pairs.start[leads.start]), int(self.pairs.start[leads.stop]))

    def _gathered(self, leads: Ints) -> Ints:
        count = self.pairs.count[leads]
        before = np.cumsum(count) - count
        return np.repeat(self.pairs.start[:-1][leads] - before, count) + np.arange(count.sum())

    def of(self, entries: Entries) -> Array:
        """The entries of the block's pairs, to be broadcast; float32 stays float32."""
        if entries.kind == "one":
            return entries.kept
        if entries.kind == "lead":
            return self.by_lead(entries.kept)
        if self.pairs.is_dense:
            return entries.kept.reshape(self.pairs.n_leads, self.pairs.n_reps)[self._at]
        return entries.kept[self._at]

    def by_rep(self, vector: Array) -> Array:
        """What each rep has, at the block's pairs."""
        return vector[None, :] if self.pairs.column is None else vector[self.pairs.column[self._at]]

    def by_lead(self, vector: Array) -> Array:
        """What each lead has, at the block's pairs."""
        own = vector[self.leads]
        return own[:, None] if self.count is None else np.repeat(own, self.count)

    def best(self, worth: Floats, floor: Floats) -> Floats:
        """(n,) the most of each lead's pairs, and at least its floor."""
        if self.count is None:
            highest: Floats = np.broadcast_to(worth, (self.n, self.pairs.n_reps)).max(axis=1, initial=-np.inf)
            return np.maximum(highest, floor)
        best = floor.copy()
        filled = np.flatnonzero(self.count)
        if len(filled):
            begins = (np.cumsum(self.count) - self.count)[filled]
            worth = np.broadcast_to(worth, (int(self.count.sum()),))
            best[filled] = np.maximum(best[filled], np.maximum.reduceat(worth, begins))
        return best

    def matrix(self, amounts: Array, fill: float) -> Floats:
        """(n, R) the amounts of the block's pairs, `fill` where a pair is not eligible."""
        if self.count is None:
            return np.array(np.broadcast_to(amounts, (self.n, self.pairs.n_reps)), dtype=np.float64)
        assert self.pairs.column is not None
        full = np.full((self.n, self.pairs.n_reps), fill)
        full[np.repeat(np.arange(self.n), self.count), self.pairs.column[self._at]] = amounts
        return full

    def sum_by_rep(self, amounts: Array) -> Floats:
        """(R,) sums of the amounts over each rep's pairs in the block."""
        if self.pairs.column is None:
            sums: Floats = np.broadcast_to(amounts, (self.n, self.pairs.n_reps)).sum(axis=0, dtype=np.float64)
            return sums
        rep = self.pairs.column[self._at]
        whole = np.broadcast_to(amounts, rep.shape)
        return np.bincount(rep, weights=whole, minlength=self.pairs.n_reps).astype(np.float64, copy=False)


def blocks(pairs: Pairs) -> list[Block]:
    """All leads in their order, in blocks of some CELLS pairs."""
    return [Block(pairs, slice(first, last)) for first, last in _cuts(pairs.start, CELLS)]


def parcel_blocks(pairs: Pairs, labels: Ints) -> Iterator[tuple[Block, Ints]]:
    """Leads by parcel, no parcel in two blocks; with each the first places of its parcels."""
    order = np.argsort(labels, kind="stable")
    first = np.flatnonzero(np.diff(labels[order], prepend=-1))
    size = np.append(first, len(order)) * pairs.n_reps
    for begin, end in _cuts(size, CELLS):
        stop = first[end] if end < len(first) else len(order)
        yield Block(pairs, order[first[begin] : stop]), first[begin:end] - first[begin]


def _cuts(start: Ints, cells: int) -> Iterator[tuple[int, int]]:
    """Cut rows with the given offsets into runs of about so many cells."""
    first, n = 0, len(start) - 1
    while first < n:
        last = int(np.searchsorted(start, start[first] + cells, side="right")) - 1
        last = min(max(last, first + 1), n)
        yield first, last
        first = last


def each_block(pairs: Pairs, look: Callable[[Block], T]) -> list[T]:
    """What `look` finds in each block, in their order; with threads where there are many. The order of the answers, and
    so every sum of them, is the same for any number of threads."""
    all_blocks = blocks(pairs)
    if len(all_blocks) < THREADED or workers() == 1:
        return [look(block) for block in all_blocks]
    with ThreadPoolExecutor(workers()) as pool:
        return list(pool.map(look, all_blocks))


_own = threading.local()


def scratch(shape: tuple[int, ...]) -> Floats:
    """Memory of this thread's own for one result of a block; it holds until the next call."""
    size = math.prod(shape)
    held: Floats | None = getattr(_own, "held", None)
    if held is None or len(held) < size:
        held = _own.held = np.empty(max(size, CELLS))
    return held[:size].reshape(shape)


def workers() -> int:
    """How many threads a pass may use: the cores that this process has, or OMP_NUM_THREADS where that is less."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, int(asked))) if asked.isdigit() else cores
