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
    return np.sort(_nearest(form.unit, form.rep, priced.loss(form), form.scale, count))


def nearest_options(form: Formulation, priced: PricedOut, count: int) -> Ints:
    """Up to `count` options of each unit (pairs, then P + unit for rest), in unit order and least loss first."""
    rest_loss = np.where(np.isfinite(form.rest), priced.best - form.rest, np.inf)
    unit = np.concatenate([form.unit, np.arange(form.n_units)])
    rep = np.concatenate([form.rep, np.full(form.n_units, form.n_reps)])
    return _nearest(unit, rep, np.concatenate([priced.loss(form), rest_loss]), form.scale, count)


def _nearest(unit: Ints, rep: Ints, loss: Floats, scale: float, count: int) -> Ints:
    """Ties are broken by a scatter of (unit, rep), not by rep: where all reps are alike, each unit looks at others of
    them.
    """
    finite = np.flatnonzero(np.isfinite(loss))
    unit, rep = unit[finite], rep[finite]
    scatter = (unit * 2_654_435_761 + rep * 40_503 * 65_537) % 1_000_003
    order = np.lexsort((scatter, np.rint(loss[finite] / (EQUAL * scale)), unit))
    ordered = unit[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    near: Ints = finite[order[rank < count]]
    return near
