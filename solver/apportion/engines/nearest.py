"""The few options of each unit that lose least against the prices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import PricedOut

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EQUAL = 1e-9  # of a typical value: losses closer than this are ties


def nearest_pairs(form: Formulation, priced: PricedOut, count: int) -> Ints:
    """Up to `count` pairs of each unit, ascending."""
    loss = priced.loss(form)
    finite = np.flatnonzero(np.isfinite(loss))
    finite = finite[in_order(form.unit[finite], form.rep[finite], loss[finite], form.scale)]
    ordered = form.unit[finite]
    rank = np.arange(len(finite)) - np.searchsorted(ordered, ordered)
    return np.sort(finite[rank < count])


def in_order(unit: Ints, rep: Ints, loss: Floats, scale: float) -> Ints:
    """Order by unit, then loss. Ties are broken by a scatter of (unit, rep), not by rep: where all reps are alike, each
    unit looks at others of them.
    """
    order: Ints = np.lexsort((scattered(unit, rep), np.rint(loss / (EQUAL * scale)), unit))
    return order


def scattered(unit: Ints, rep: Ints) -> Floats:
    """A number of each (unit, rep) from 0 to below 1, with no pattern to speak of."""
    key = (unit * 2_654_435_761 + rep * 40_503 * 65_537) % 1_000_003
    return np.asarray(key * 7_368_787 % 1_000_003, dtype=np.float64) / 1_000_003
