"""The one form that all engines work on: units, pairs, and families of bounds.

A unit is a parcel of leads that must stay together (usually one lead). Each unit takes one of its pairs or rests with
nurture. A family sums one measure over groups of reps and bounds each group's sum:

    low_g + low_share_g · z  <=  S_g  <=  high_g + high_share_g · z

where z is the total of the measure over all pairs of the plan ("total"), or the worst-off group's value ("worst"), or
nothing. Every rule of the problem, capacity included, is such a family: engines know no other kind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from apportion.problem import MaxMin

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CAPACITY = "capacity"  # the family that capacity and minimum load make together


@dataclass(frozen=True, eq=False)
class Family:
    """Bounds on the sums of one measure over groups of reps.

    measure : (P,). group : (R,) group of each rep, -1 for none. low, high, low_share, high_share : (G,).
    price : currency per unit of violation; inf is hard. reward : currency per unit of z, for "worst". known_scale : of
    the whole, where these are the pairs of a part.
    """

    name: str
    measure: Floats
    group: Ints
    low: Floats
    high: Floats
    low_share: Floats
    high_share: Floats
    coupling: Literal["total", "worst"] | None = None
    price: float = np.inf
    reward: float = 0.0
    known_scale: float | None = None

    @property
    def n_groups(self) -> int:
        """G."""
        return len(self.low)

    @property
    def hard(self) -> bool:
        """Whether no violation is allowed."""
        return bool(np.isinf(self.price))

    @cached_property
    def scale(self) -> float:
        """A typical size of the measure, to make numbers comparable between families."""
        if self.known_scale is not None:
            return self.known_scale
        used = self.measure[self.measure != 0]
        return float(np.abs(used).mean()) if len(used) else 1.0


@dataclass(frozen=True, eq=False)
class Formulation:
    """U units, P pairs in unit order then rep order.

    start : (U + 1,) offsets of each unit's pairs. rest : (U,) value of nurture, -inf where the unit needs a rep.
    unit_of_lead : (L,). known_scale : of the whole, where this is a part.
    """

    start: Ints
    unit: Ints
    rep: Ints
    value: Floats
    rest: Floats
    n_reps: int
    unit_of_lead: Ints
    families: tuple[Family, ...]
    known_scale: float | None = None

    @property
    def n_units(self) -> int:
        """U."""
        return len(self.rest)

    @property
    def n_pairs(self) -> int:
        """P."""
        return len(self.rep)

    @cached_property
    def scale(self) -> float:
        """A typical size of the values, to make numbers comparable."""
        if self.known_scale is not None:
            return self.known_scale
        worth = np.concatenate([np.abs(self.value), np.abs(self.rest[np.isfinite(self.rest)])])
        worth = worth[worth > 0]
        return float(worth.mean()) if len(worth) else 1.0

    def best_of_unit(self, worth: Floats) -> Floats:
        """(U,) the best of each unit's pairs and its rest; -inf where there is neither."""
        best = self.rest.copy()
        filled = np.diff(self.start) > 0
        if filled.any():
            best[filled] = np.maximum(best[filled], np.maximum.reduceat(worth, self.start[:-1][filled]))
        return best

    def with_floor(self, rule: MaxMin, floor: float) -> Formulation:
        """Hold every group of a hard MaxMin rule to `floor` per fair share."""
        families = tuple(
            replace(
                family,
                low=np.where(family.low_share > 0, floor * family.low_share, -np.inf),
                low_share=np.zeros_like(family.low),
            )
            if family.name == rule.name
            else family
            for family in self.families
        )
        return replace(self, families=families)


def row_scales(form: Formulation, family: Family) -> Floats:
    """(G,) what a unit of each group's rows is: its own typical measure, so that a small group is held as exactly as a
    large one; one and the same for groups that share a total."""
    if family.coupling is not None:
        return np.full(family.n_groups, family.scale)
    group = family.group[form.rep] + 1
    used = family.measure != 0
    sums = np.bincount(group[used], weights=np.abs(family.measure[used]), minlength=family.n_groups + 1)[1:]
    count = np.bincount(group[used], minlength=family.n_groups + 1)[1:]
    return np.where(count > 0, sums / np.maximum(count, 1), family.scale)
