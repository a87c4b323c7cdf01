"""The sums of a plan in the making, and whether every hard bound holds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Family, Formulation, row_scales

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEASIBLE = 1e-9  # violation, against the numbers it is made of, that counts as none


class Ledger:
    """What each family's groups get when the units take `chosen` ((U,) options: a pair, or P + unit for rest)."""

    def __init__(self, form: Formulation, chosen: Ints) -> None:
        self.form, self.chosen = form, chosen
        taken = chosen[chosen < form.n_pairs]
        resting = chosen[chosen >= form.n_pairs] - form.n_pairs
        self.worth = math.fsum(form.value[taken]) + math.fsum(form.rest[resting])
        self._entries = [self._sums(family, taken) for family in form.families]

    def _sums(self, family: Family, taken: Ints) -> tuple[Floats, float]:
        measured, group = family.measure[taken], family.group[self.form.rep[taken]]
        sums = np.bincount(group + 1, weights=measured, minlength=family.n_groups + 1)[1:].astype(np.float64)
        return sums, math.fsum(measured)

    def violations(self, index: int) -> tuple[Floats, Floats]:
        """(G,) how far each group is out of its bounds, and how much of that counts as none."""
        family = self.form.families[index]
        sums, total = self._entries[index]
        z = total if family.coupling == "total" else 0.0
        low, high = family.low + family.low_share * z, family.high + family.high_share * z
        if family.coupling == "worst":
            low = np.full(family.n_groups, -np.inf)
        size = np.maximum(np.abs(sums), np.where(np.isfinite(low), np.abs(low), 0))
        size = np.maximum(size, np.where(np.isfinite(high), np.abs(high), 0))
        size = np.maximum(size, np.maximum(family.low_share, family.high_share) * abs(z))
        return np.maximum(low - sums, 0) + np.maximum(sums - high, 0), FEASIBLE * np.maximum(
            size, row_scales(self.form, family)
        )

    def feasible(self) -> bool:
        """Whether every unit that must be placed is, and every hard bound holds."""
        if math.isinf(self.worth):
            return False
        return not any(
            (violation > tolerated).any()
            for family, (violation, tolerated) in zip(
                self.form.families, map(self.violations, range(len(self.form.families))), strict=True
            )
            if family.hard
        )

    def worst_off(self, index: int) -> float:
        """The least sum per share of a family's groups; inf where no group counts."""
        family, (sums, _) = self.form.families[index], self._entries[index]
        counted = family.low_share > 0
        return float(np.min(sums[counted] / family.low_share[counted], initial=np.inf))

    def objective(self) -> float:
        """Worth less the price of soft violations, plus what the worst-off group's value earns."""
        total = self.worth
        for index, family in enumerate(self.form.families):
            if not family.hard:
                total -= family.price * float(self.violations(index)[0].sum())
            if family.coupling == "worst":
                worst = self.worst_off(index)
                total += 0.0 if math.isinf(worst) else family.reward * worst
        return total
