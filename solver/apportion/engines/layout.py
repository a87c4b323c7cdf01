"""Where each price stands in one flat vector, and what the vector charges.

A cell is a group of a family, or the reps outside its groups: what a rep's pairs are charged, and what they measure, is
kept cell by cell. A bound's price charges its own cell, and, where the bound follows a total, all cells of its family.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Family, Formulation
from apportion.engines.lagrangian import FamilyPrices, Multipliers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WORTHLESS = 1e-9  # of a typical value per typical measure: a rule whose violation costs less is left without a price


@dataclass(frozen=True, eq=False)
class _Side:
    """The prices of one side of a family's bounds: where they stand, their groups; sign +1 charges, -1 rewards."""

    family: int
    sign: int
    groups: Ints
    place: slice


class Layout:
    """n prices, each in units of typical value per typical measure; D cells.

    limit : (n,) the highest legal price. bound : (n,) what a unit of each price costs the dual. of_coupled : (n,)
    whether the bound follows a total or the worst-off. cell : (F, R) the cell of a rep in each family. worst_off : for
    each family with a worst-off value what a price charges it (n,), its reward, and the most that it could be.
    """

    def __init__(self, form: Formulation) -> None:
        self.form = form
        self.unit = [form.scale / family.scale for family in form.families]
        self.sides = list(_sides(form))
        self.size = sum(len(side.groups) for side in self.sides)
        first = np.concatenate([[0], np.cumsum([family.n_groups + 1 for family in form.families])]).astype(np.int64)
        self.n_cells = int(first[-1])
        self._first, self._family_of_cell = first[:-1], np.repeat(np.arange(len(form.families)), np.diff(first))
        self.cell = np.stack(
            [at + np.where(f.group < 0, f.n_groups, f.group) for at, f in zip(first, form.families, strict=False)]
        )
        self.limit, self.bound, self._sign, self._share = np.full(self.size, np.inf), *np.zeros((3, self.size))
        self.of_coupled = np.zeros(self.size, dtype=bool)
        self._family, self._cell = np.zeros((2, self.size), dtype=np.int64)
        for side in self.sides:
            self._enter(side, form.families[side.family], self.unit[side.family])
        self.worst_off = [self._worst_off(side) for side in self.sides if self._is_worst_off(side)]

    def _enter(self, side: _Side, family: Family, unit: float) -> None:
        bounds, shares = (family.low, family.low_share) if side.sign < 0 else (family.high, family.high_share)
        self._family[side.place], self._cell[side.place] = side.family, self._first[side.family] + side.groups
        self._sign[side.place] = side.sign * unit
        self._share[side.place] = shares[side.groups] if family.coupling == "total" else 0.0
        self.bound[side.place] = side.sign * bounds[side.groups] * unit
        self.of_coupled[side.place] = family.coupling is not None
        if not family.hard:
            self.limit[side.place] = family.price / unit

    def _is_worst_off(self, side: _Side) -> bool:
        return self.form.families[side.family].coupling == "worst" and side.sign < 0 and len(side.groups) > 0

    def _worst_off(self, side: _Side) -> tuple[Floats, float, float]:
        family = self.form.families[side.family]
        cost = np.zeros(self.size)
        cost[side.place] = family.low_share[side.groups] * self.unit[side.family]
        most = np.zeros(self.form.n_units)
        np.maximum.at(most, self.form.unit, family.measure)
        return cost, family.reward, float(most.sum() / family.low_share.sum())

    def charge(self, point: Floats) -> Floats:
        """(F, R) what a unit of each measure is charged at each rep."""
        priced = point * self._sign
        cells = np.bincount(self._cell, weights=priced, minlength=self.n_cells)
        totals = np.bincount(self._family, weights=priced * self._share, minlength=len(self.unit))
        charge: Floats = (cells - totals[self._family_of_cell])[self.cell]
        return np.ascontiguousarray(charge)

    def by_price(self, sums: Floats) -> Floats:
        """(n,) what each price charges in all, given (D,) sums of the measures."""
        totals = np.bincount(self._family_of_cell, weights=sums, minlength=len(self.unit))
        charged: Floats = self._sign * (sums[self._cell] - self._share * totals[self._family])
        return charged

    def curvature(self, by_cell: Floats) -> Curvature:
        """Read the (D, D) curvature by prices."""
        rows = np.add.reduceat(by_cell, self._first, axis=1)
        return Curvature(
            by_cell, rows, np.add.reduceat(rows, self._first, axis=0), self._sign, self._share, self._family, self._cell
        )

    def pack(self, multipliers: Multipliers) -> Floats:
        """Bring prices into the vector."""
        point = np.zeros(self.size)
        for side in self.sides:
            prices = multipliers[side.family]
            point[side.place] = (prices.low if side.sign < 0 else prices.high)[side.groups] / self.unit[side.family]
        return point

    def unpack(self, point: Floats) -> Multipliers:
        """Bring the vector back into prices."""
        low = [np.zeros(family.n_groups) for family in self.form.families]
        high = [np.zeros(family.n_groups) for family in self.form.families]
        for side in self.sides:
            prices = low if side.sign < 0 else high
            prices[side.family][side.groups] = point[side.place] * self.unit[side.family]
        return tuple(FamilyPrices(a, b) for a, b in zip(low, high, strict=True))


@dataclass(frozen=True, eq=False)
class Curvature:
    """The curvature by cells (D, D), its sums over each family's cells (D, F) and (F, F), and how prices read it."""

    by_cell: Floats
    to_total: Floats
    of_totals: Floats
    sign: Floats
    share: Floats
    family: Ints
    cell: Ints

    def diagonal(self) -> Floats:
        """(n,) by price."""
        own: Floats = self.by_cell[self.cell, self.cell] - 2 * self.share * self.to_total[self.cell, self.family]
        own += self.share**2 * self.of_totals[self.family, self.family]
        return self.sign * (self.sign * own)  # its square alone could be more than a number holds

    def among(self, prices: Ints) -> Floats:
        """(N, N) of the given prices."""
        sign, share, family, cell = (each[prices] for each in (self.sign, self.share, self.family, self.cell))
        block: Floats = self.by_cell[np.ix_(cell, cell)]
        if share.any():
            to_total = self.to_total[np.ix_(cell, family)]
            to_total -= 0.5 * share[:, None] * self.of_totals[np.ix_(family, family)]
            to_total *= share
            block -= to_total
            block -= to_total.T
        block *= sign
        block *= sign[:, None]
        return block


def _sides(form: Formulation) -> Iterator[_Side]:
    first = 0
    for index, family in enumerate(form.families):
        for sign, bounds in ((-1, family.low), (1, family.high)):
            groups = np.flatnonzero(np.isfinite(bounds) & _counts(form, family))
            yield _Side(index, sign, groups, slice(first, first + len(groups)))
            first += len(groups)


def _counts(form: Formulation, family: Family) -> bool:
    """Whether a price may rise above nothing: a soft rule's own price, or the reward of the worst-off, is its limit."""
    if family.coupling == "worst":
        return family.reward * family.scale > WORTHLESS * form.scale
    return family.price * family.scale > WORTHLESS * form.scale
