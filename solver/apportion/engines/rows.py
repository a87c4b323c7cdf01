"""A formulation over some of its pairs as the matrix of a linear or integer program.

Columns: pairs, then each unit's rest, then the coupled totals, then violations. Rows: one a unit, then each family's
bounds, in typical measures so that coefficients are near one, then the totals' definitions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from apportion.engines.formulation import Family, Formulation, row_scales

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BoundRows:
    """Which rows hold one side of a family's bounds. row, group : (N,)."""

    row: Ints
    group: Ints


@dataclass(frozen=True, eq=False)
class Rows:
    """maximise objective @ x, row_lower <= matrix @ x <= row_upper, lower <= x <= upper."""

    objective: Floats
    lower: Floats
    upper: Floats
    matrix: sp.csr_matrix
    row_lower: Floats
    row_upper: Floats
    unit_row: Ints  # (U,)
    low_rows: tuple[BoundRows, ...]
    high_rows: tuple[BoundRows, ...]
    artificial: Ints  # columns that break a hard rule, in typical measures
    n_integer: int  # the first columns, which are 0 or 1


class _Builder:
    """Collects columns, rows and entries."""

    def __init__(self) -> None:
        self.entries: list[tuple[Ints, Ints, Floats]] = []
        self.cost: list[Floats] = []
        self.low: list[Floats] = []
        self.high: list[Floats] = []
        self.row_low: list[Floats] = []
        self.row_high: list[Floats] = []
        self.n_columns = self.n_rows = 0

    def columns(self, cost: Floats, low: float, high: float) -> Ints:
        index = np.arange(self.n_columns, self.n_columns + len(cost))
        self.cost.append(cost)
        self.low.append(np.full(len(cost), low))
        self.high.append(np.full(len(cost), high))
        self.n_columns += len(cost)
        return index

    def rows(self, low: Floats, high: Floats) -> Ints:
        index = np.arange(self.n_rows, self.n_rows + len(low))
        self.row_low.append(low)
        self.row_high.append(high)
        self.n_rows += len(low)
        return index

    def enter(self, row: Ints, column: Ints, coefficient: Floats) -> None:
        self.entries.append((row, column, coefficient))

    def matrix(self) -> sp.csr_matrix:
        row, column, coefficient = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        keep = coefficient != 0
        return sp.csr_matrix((coefficient[keep], (row[keep], column[keep])), shape=(self.n_rows, self.n_columns))


def build_rows(form: Formulation, pairs: Ints, *, penalty: float | None) -> Rows:
    """Write the program over the given pairs. With `penalty`, hard rules may be broken at that price (a typical measure
    each)."""
    build = _Builder()
    artificial: list[Ints] = []
    x = build.columns(form.value[pairs], 0.0, 1.0)
    unit_row = build.rows(np.ones(form.n_units), np.ones(form.n_units))
    build.enter(unit_row[form.unit[pairs]], x, np.ones(len(pairs)))
    may_rest = np.flatnonzero(np.isfinite(form.rest))
    rest = build.columns(form.rest[may_rest], 0.0, 1.0)
    build.enter(unit_row[may_rest], rest, np.ones(len(rest)))
    must = np.flatnonzero(~np.isfinite(form.rest))
    if penalty is not None and len(must):
        left_over = build.columns(np.full(len(must), -penalty * 10), 0.0, 1.0)
        build.enter(unit_row[must], left_over, np.ones(len(must)))
        artificial.append(left_over)
    low_rows, high_rows = [], []
    for family in form.families:
        low, high, broken = _family_rows(build, form, family, pairs, x, penalty)
        low_rows.append(low)
        high_rows.append(high)
        artificial += broken
    return Rows(
        objective=np.concatenate(build.cost),
        lower=np.concatenate(build.low),
        upper=np.concatenate(build.high),
        matrix=build.matrix(),
        row_lower=np.concatenate(build.row_low),
        row_upper=np.concatenate(build.row_high),
        unit_row=unit_row,
        low_rows=tuple(low_rows),
        high_rows=tuple(high_rows),
        artificial=np.concatenate(artificial) if artificial else np.zeros(0, dtype=np.int64),
        n_integer=len(x) + len(rest),
    )


def _family_rows(
    build: _Builder, form: Formulation, family: Family, pairs: Ints, x: Ints, penalty: float | None
) -> tuple[BoundRows, BoundRows, list[Ints]]:
    """Rows of both sides of one family; soft rules, and hard ones while `penalty` is given, get a column for their
    violation."""
    measure = family.measure[pairs] / family.scale
    group = family.group[form.rep[pairs]]
    coupled = _coupled_column(build, family, measure, x)
    scales = row_scales(form, family)
    sides, broken = [], []
    for low_side in (True, False):
        bound, share = (family.low, family.low_share) if low_side else (family.high, family.high_share)
        groups = np.flatnonzero(np.isfinite(bound))
        limit = bound[groups] / scales[groups]
        infinite = np.full(len(groups), np.inf)
        rows = build.rows(limit if low_side else -infinite, infinite if low_side else limit)
        row_of_group = np.full(family.n_groups + 1, -1)
        row_of_group[groups] = rows
        row = row_of_group[group]
        inside = row >= 0
        build.enter(row[inside], x[inside], family.measure[pairs][inside] / scales[group[inside]])
        if coupled is not None:
            build.enter(rows, np.full(len(rows), coupled), -share[groups])
        price = _violation_price(family, scales[groups], penalty)
        if price is not None and len(rows):
            violation = build.columns(-price, 0.0, np.inf)
            build.enter(rows, violation, np.full(len(rows), 1.0 if low_side else -1.0))
            if family.hard:
                broken.append(violation)
        sides.append(BoundRows(rows, groups))
    return sides[0], sides[1], broken


def _violation_price(family: Family, scale: Floats, penalty: float | None) -> Floats | None:
    """Currency per typical measure of violation; None: the rows must hold. The worst-off value always yields by
    itself."""
    if not family.hard:
        return family.price * scale
    return None if family.coupling == "worst" or penalty is None else np.full(len(scale), penalty)


def _coupled_column(build: _Builder, family: Family, measure: Floats, x: Ints) -> int | None:
    """The column of z: the total, tied to the pairs by a row of its own, or the worst-off value, which earns its
    reward."""
    if family.coupling is None:
        return None
    column = build.columns(np.array([family.reward * family.scale]), -np.inf, np.inf)
    if family.coupling == "total":
        row = build.rows(np.zeros(1), np.zeros(1))
        build.enter(np.full(len(x), row[0]), x, measure)
        build.enter(row, column, np.array([-1.0]))
    return int(column[0])
