"""What sharing rules come to for one batch: plain arrays, which `build` turns into rules of the problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class ResolvedLimit:
    """low[g] <= sum of `measure` over pairs of a lead in `leads` and a rep in group g <= high[g], for every group g."""

    name: str
    measure: str  # leads | effort | revenue | opportunity
    leads: NDArray[np.bool_]  # (L,) which leads count
    group: NDArray[np.int64]  # (R,) group of each rep, -1 outside
    group_names: tuple[str, ...]
    low: NDArray[np.float64]  # (G,), 0 where there is none
    high: NDArray[np.float64]  # (G,), inf where there is none
    price: float | None  # currency for each unit beyond a bound; None: hard


@dataclass(frozen=True, kw_only=True)
class ResolvedShare:
    """low × fair share <= a group's part of the measure's total <= high × fair share; or max-min, where `keep` is set.

    With `earlier`, group g has already earlier[g] of the measure, which counts in its part and in the total.
    """

    name: str
    measure: str  # leads | opportunity | revenue | max_min
    leads: NDArray[np.bool_]  # (L,) which leads count
    group: NDArray[np.int64]  # (R,) group of each rep, -1 outside
    group_names: tuple[str, ...]
    weights: NDArray[np.float64]  # (R,) factors on each rep's fair share
    low: float | None
    high: float | None
    keep: float | None  # max_min: the share of the best attainable total that is kept
    earlier: NDArray[np.float64]  # (G,) what earlier batches of the rolling window gave; 0 for the batch alone
    price: float | None  # currency for each missing or excess unit of the measure; None: hard
