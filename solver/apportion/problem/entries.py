"""Numbers that belong to the pairs, kept as small as they come."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from apportion.problem.pairs import Floats, Ints, Pairs, frozen

SUM_CHUNK = 1 << 16

Kind = Literal["one", "lead", "pair"]


class Entries:
    """One number for all pairs, one a lead, or one a pair (float32 or float64).

    kept : () or (L,) or (P,). `whole` gives (P,) float64: a view where that can be, else worked out once.
    """

    def __init__(self, pairs: Pairs, kept: Any, kind: Kind = "pair") -> None:
        self.pairs, self.kind = pairs, kind
        self.kept: NDArray[Any] = frozen(np.asarray(kept))

    @cached_property
    def _whole(self) -> Floats:
        if self.kind == "one":
            return frozen(np.broadcast_to(self.kept.astype(np.float64), (self.pairs.n_pairs,)))
        if self.kind == "lead":
            return frozen(np.repeat(self.kept.astype(np.float64), self.pairs.count))
        return frozen(self.kept.astype(np.float64, copy=False))

    def whole(self) -> Floats:
        """(P,) float64."""
        return self._whole

    def at(self, pair: Ints, lead: Ints) -> Floats:
        """The entries of some pairs, given with their leads, as float64."""
        if self.kind == "one":
            return np.full(len(pair), float(self.kept))
        return self.kept[lead if self.kind == "lead" else pair].astype(np.float64)

    @property
    def size(self) -> float:
        """Sum of the absolute values over all pairs: what rounding is measured against."""
        return self._extent[0]

    @property
    def largest(self) -> float:
        """The largest absolute value of any pair; 0 without pairs."""
        return self._extent[1]

    @cached_property
    def _extent(self) -> tuple[float, float]:
        if self.kind == "one":
            amount = abs(float(self.kept))
            return amount * self.pairs.n_pairs, amount if self.pairs.n_pairs else 0.0
        if self.kind == "lead":
            amounts = np.abs(self.kept.astype(np.float64))
            return float(amounts @ self.pairs.count), float(amounts[self.pairs.count > 0].max(initial=0.0))
        size, largest, part = 0.0, 0.0, np.empty(min(SUM_CHUNK, len(self.kept)), dtype=self.kept.dtype)
        for at in range(0, len(self.kept), SUM_CHUNK):
            amounts = np.abs(self.kept[at : at + SUM_CHUNK], out=part[: len(self.kept) - at])
            size += float(amounts.sum(dtype=np.float64))
            largest = max(largest, float(amounts.max()))
        return size, largest

    @cached_property
    def constant(self) -> float | None:
        """The one number that all pairs have; None where they differ, or there is no pair."""
        if self.kind == "one":
            return float(self.kept)
        used = self.kept[self.pairs.count > 0] if self.kind == "lead" else self.kept
        if not len(used):
            return None
        parts = range(0, len(used), SUM_CHUNK)
        same = all(bool((used[at : at + SUM_CHUNK] == used[0]).all()) for at in parts)
        return float(used[0]) if same else None
