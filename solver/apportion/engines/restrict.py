"""Leaving out pairs that no plan can hold, and finding the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Family, Formulation

Ints = NDArray[np.int64]

TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Restricted:
    """A formulation over some pairs of a larger one."""

    form: Formulation
    pairs: Ints  # of the larger one, in order
    n_pairs: int  # of the larger one

    def unrestricted(self, chosen: Ints) -> Ints:
        """(U,) options in the numbering of the larger formulation."""
        resting = chosen >= self.form.n_pairs
        answer = chosen - self.form.n_pairs + self.n_pairs
        answer[~resting] = self.pairs[chosen[~resting]]
        return answer


def restrict(form: Formulation, keep: NDArray[np.bool_]) -> Restricted:
    """Keep only the marked pairs."""
    pairs = np.flatnonzero(keep)
    start = np.concatenate([[0], np.cumsum(np.bincount(form.unit[pairs], minlength=form.n_units))]).astype(np.int64)
    smaller = replace(
        form,
        start=start,
        unit=form.unit[pairs],
        rep=form.rep[pairs],
        value=form.value[pairs],
        families=tuple(replace(family, measure=family.measure[pairs]) for family in form.families),
    )
    return Restricted(smaller, pairs, form.n_pairs)


def possible_pairs(form: Formulation, worth: float = np.inf) -> NDArray[np.bool_]:
    """Which pairs fit within every hard upper bound by themselves, where a measure is nowhere negative.

    worth : no plan is worth more. Where a bound is a share of a total, and the total is earned by what is placed, that
    limits the total too.
    """
    keep = np.ones(form.n_pairs, dtype=bool)
    for family in form.families:
        if family.hard and form.n_pairs and family.measure.min() >= 0:
            total = min(_largest_total(form, family), _earned_total(form, family, worth))
            high = np.append(family.high + family.high_share * total, np.inf)
            keep &= family.measure <= high[family.group][form.rep] * (1 + TOLERANCE) + TOLERANCE * family.scale
    return keep


def _largest_total(form: Formulation, family: Family) -> float:
    """No plan's total of the measure is larger: every unit at the pair where it measures most."""
    if family.coupling != "total":
        return 0.0
    most = np.zeros(form.n_units)
    np.maximum.at(most, form.unit, family.measure)
    return float(most.sum())


def _earned_total(form: Formulation, family: Family, worth: float) -> float:
    """No plan's total of the measure is larger, where no plan is worth more than `worth`: a plan's worth is at least
    what its pairs are worth, less what units at rest lose, and a pair is worth some least multiple of its measure."""
    plain = all(other.hard and other.coupling != "worst" for other in form.families)
    if family.coupling != "total" or not plain or not np.isfinite(worth):
        return np.inf
    counted = family.measure > 0
    if (form.value[counted] <= 0).any() or (form.value[~counted] < 0).any():
        return np.inf
    resting = np.where(np.isfinite(form.rest), form.rest, 0.0)
    most = worth - float(np.minimum(resting, 0.0).sum())
    ratio = float((family.measure[counted] / form.value[counted]).max(initial=0.0))
    return max(ratio * most, 0.0) if ratio < np.inf else np.inf
