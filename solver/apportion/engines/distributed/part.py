"""One partition: some units with all of their pairs, and what a pass wants to know of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from apportion.engines.contest import near_options
from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import Multipliers, price_out
from apportion.engines.partitions import Whole
from apportion.engines.passes import Smoothed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Near:
    """Pairs that lose little. unit, rep, value : (N,), units numbered over all parts. pair : (N,) their numbers within
    the part. measure : (F, N)."""

    unit: Ints
    rep: Ints
    value: Floats
    pair: Ints
    measure: Floats


class Part:
    """Answers for some units in a row. read : gives their formulation, whose scales are those of the whole. first : the
    number of the first unit. keep : whether what was read stays in memory."""

    def __init__(self, read: Callable[[], Formulation], first: int, *, keep: bool = True) -> None:
        self._read, self.first, self._keep = read, first, keep
        self._sample: Whole | None = None  # the few units that hot stages look at again and again are not forgotten
        self._sampled = b""

    @cached_property
    def _kept(self) -> Whole:
        return Whole(self._read())

    def _whole(self) -> Whole:
        return self._kept if self._keep else Whole(self._read())

    def smoothed(self, units: Ints, cell: Ints, n_cells: int, charge: Floats, temperature: float) -> Smoothed:
        """Soft sums of the part's units, given by their numbers over all parts."""
        asked = charge, temperature
        if self._keep:
            return self._kept.smoothed(units - self.first, cell, n_cells, *asked)
        whole = self._sample if self._sampled == units.tobytes() else None
        if whole is None:
            form = self._read()
            if len(units) == form.n_units:
                return Whole(form).smoothed(units - self.first, cell, n_cells, *asked)
            whole = self._sample = Whole(_only(form, units - self.first))
            self._sampled = units.tobytes()
        return whole.smoothed(np.arange(len(units)), cell, n_cells, *asked)

    def priced(self, multipliers: Multipliers) -> list[float]:
        """Numbers whose sum is, to the last digit, that of the units' best; -inf where a unit can be nowhere."""
        with np.errstate(over="ignore", invalid="ignore"):  # without any plan, prices run away
            best = price_out(self._whole().form, multipliers).best
        return exact_sum(best) if np.isfinite(best).all() else [-math.inf]

    def least_losses(self, multipliers: Multipliers, count: int) -> Floats:
        """Up to `count` least losses, each unit's nearest option left out (it loses nothing)."""
        form = self._whole().form
        loss = _options(form, multipliers)[2]
        loss = np.sort(loss[np.isfinite(loss)])
        return loss[form.n_units : form.n_units + count]

    def near(self, multipliers: Multipliers, reach: float, width: int) -> Near:
        """The pairs that lose up to `reach`, the nearest of each unit; and of each rep, where few do."""
        form = self._whole().form
        unit, rep, loss = _options(form, multipliers)
        near = near_options(form, unit + self.first, unit, rep, loss, reach, width)
        pair = np.sort(near[near < form.n_pairs])
        measure = np.array([family.measure[pair] for family in form.families]).reshape(len(form.families), len(pair))
        return Near(form.unit[pair] + self.first, form.rep[pair], form.value[pair], pair, measure)


def _only(form: Formulation, units: Ints) -> Formulation:
    """The formulation of some units, ascending."""
    count = np.diff(form.start)[units]
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    pairs = np.repeat(form.start[:-1][units] - start[:-1], count) + np.arange(start[-1])
    return replace(
        form,
        start=start,
        unit=np.repeat(np.arange(len(units)), count),
        rep=form.rep[pairs],
        value=form.value[pairs],
        rest=form.rest[units],
        families=tuple(replace(family, measure=family.measure[pairs]) for family in form.families),
    )


def _options(form: Formulation, multipliers: Multipliers) -> tuple[Ints, Ints, Floats]:
    """Unit, rep and loss of all pairs, then of each unit's rest."""
    priced = price_out(form, multipliers)
    rest = np.full(form.n_units, np.inf)
    finite = np.isfinite(form.rest)
    rest[finite] = priced.best[finite] - form.rest[finite]
    unit = np.concatenate([form.unit, np.arange(form.n_units)])
    rep = np.concatenate([form.rep, np.full(form.n_units, form.n_reps)])
    return unit, rep, np.concatenate([priced.loss(form), rest])


def exact_sum(amounts: Floats) -> list[float]:
    """A few numbers that add up to exactly the same: so a sum of sums does not depend on where it was cut."""
    left, parts = amounts.tolist(), []
    while (part := math.fsum(left)) != 0.0:
        parts.append(part)
        left.append(-part)
    return parts
