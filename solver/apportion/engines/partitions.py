"""The seam between the prices and the pairs: what the ascent asks of all pairs, wherever they are.

Everything asked is a sum over units, so that the pairs may be here, in another process, or nowhere until they are
looked at: prices go out, and sums come back.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import Multipliers, PricedOut, price_out

if TYPE_CHECKING:
    from apportion.engines.passes import Smoothed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_AT_STAKE = 1e-3  # of a typical value


class Partitions(Protocol):
    """All pairs of a formulation."""

    def smoothed(self, units: Ints, cell: Ints, n_cells: int, charge: Floats, temperature: float) -> Smoothed:
        """Soft sums and curvature of the given units. cell : (F, R) where a rep's measures are added up. charge : (F,
        R). temperature : of what is at stake for a unit."""

    def priced(self, multipliers: Multipliers) -> PricedOut:
        """The bound that prices prove. `worth` and `best` may stay where the pairs are."""


class Whole:
    """The pairs of a formulation that is here."""

    def __init__(self, form: Formulation) -> None:
        self.form = form

    @cached_property
    def _rep(self) -> NDArray[np.int32]:
        return self.form.rep.astype(np.int32)

    @cached_property
    def _measures(self) -> Floats:
        return np.ascontiguousarray(np.stack([family.measure for family in self.form.families]))

    @cached_property
    def _at_stake(self) -> Floats:
        return np.maximum(_at_stake(self.form), LEAST_AT_STAKE * self.form.scale)

    def smoothed(self, units: Ints, cell: Ints, n_cells: int, charge: Floats, temperature: float) -> Smoothed:
        """One pass over the pairs of the units."""
        from apportion.engines.passes import smoothed_pass  # compiles; small problems never come here

        form = self.form
        return smoothed_pass(
            form.start,
            self._rep,
            form.value,
            self._measures,
            form.rest,
            units=units,
            cell=cell,
            n_cells=n_cells,
            charge=charge,
            temperature=temperature * self._at_stake,
        )

    def priced(self, multipliers: Multipliers) -> PricedOut:
        """The bound, with what each pair and each unit is worth."""
        return price_out(self.form, multipliers)


def _at_stake(form: Formulation) -> Floats:
    """(U,) the largest value that a unit could have."""
    most = np.where(np.isfinite(form.rest), np.abs(form.rest), 0.0)
    filled = np.diff(form.start) > 0
    if filled.any():
        largest = np.maximum.reduceat(np.abs(form.value), form.start[:-1][filled])
        most[filled] = np.maximum(most[filled], largest)
    return most
