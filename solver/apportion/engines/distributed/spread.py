"""All pairs of a problem, held part by part: prices go out to the parts, and their sums are added up in order.

Where the parts are cut depends on the problem alone, never on who answers for them, and so every sum has the same last
digit for any number of workers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from apportion.engines.contest import DITHER, n_bounds
from apportion.engines.distributed.crew import Crew
from apportion.engines.distributed.part import Near
from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import Multipliers, PricedOut, constant
from apportion.engines.passes import Smoothed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Gathered:
    """A formulation of the nearest pairs of all units. pair, part : (N,) the number of each pair within its part."""

    form: Formulation
    pair: Ints
    part: Ints


class Spread:
    """The pairs of a formulation, in parts. form : bounds, rests and scales of the whole; its own pairs are not looked
    at. cuts : (K + 1,) units at which the parts begin."""

    def __init__(self, form: Formulation, cuts: Ints, crew: Crew) -> None:
        self.form, self.cuts, self.crew = form, cuts, crew
        self._all = range(len(cuts) - 1)

    def smoothed(self, units: Ints, cell: Ints, n_cells: int, charge: Floats, temperature: float) -> Smoothed:
        """Soft sums and curvature of the given units, ascending."""
        at = np.searchsorted(units, self.cuts)
        asked = {
            k: (units[at[k] : at[k + 1]], cell, n_cells, charge, temperature) for k in self._all if at[k] < at[k + 1]
        }
        total, sums, curvature = 0.0, np.zeros(n_cells), np.zeros((n_cells, n_cells))
        for soft in self.crew.ask("smoothed", asked):
            total += soft.total
            sums += soft.sums
            curvature += soft.curvature
        return Smoothed(total, sums, curvature)

    def priced(self, multipliers: Multipliers) -> PricedOut:
        """The bound, exactly as one pass over all pairs would add it up."""
        sums = [part for found in self.crew.ask("priced", self._each(multipliers)) for part in found]
        bound = math.fsum(sums) + constant(self.form, multipliers) if all(map(math.isfinite, sums)) else -math.inf
        names, nothing = tuple(family.name for family in self.form.families), np.zeros(0)
        return PricedOut(names, multipliers, bound, nothing, nothing)

    def gather(self, multipliers: Multipliers, width: int) -> Gathered:
        """The pairs that are still open: some `width` for each bound, the nearest first, and each rep's own nearest."""
        count = width * n_bounds(self.form)
        losses = np.concatenate([np.zeros(0), *self.crew.ask("least_losses", self._each(multipliers, count + 1))])
        reach = float(np.partition(losses, count)[count]) if len(losses) > count else math.inf
        reach += 2 * DITHER * self.form.scale  # a contest looks at losses that are moved by so little
        return self._joined(list(self.crew.ask("near", self._each(multipliers, reach, width))))

    def _each(self, *arguments: object) -> dict[int, tuple[object, ...]]:
        return dict.fromkeys(self._all, arguments)

    def _joined(self, found: list[Near]) -> Gathered:
        none, whole = np.zeros(0, dtype=np.int64), self.form
        unit = np.concatenate([none, *(near.unit for near in found)])
        measure = np.concatenate([np.zeros((len(whole.families), 0)), *(near.measure for near in found)], axis=1)
        form = replace(
            whole,
            start=np.concatenate([[0], np.cumsum(np.bincount(unit, minlength=whole.n_units))]).astype(np.int64),
            unit=unit,
            rep=np.concatenate([none, *(near.rep for near in found)]),
            value=np.concatenate([np.zeros(0), *(near.value for near in found)]),
            families=tuple(
                replace(family, measure=own, known_scale=family.scale)
                for family, own in zip(whole.families, measure, strict=True)
            ),
            known_scale=whole.scale,
        )
        pair = np.concatenate([none, *(near.pair for near in found)])
        return Gathered(form, pair, np.repeat(np.arange(len(found)), [len(near.pair) for near in found]))
