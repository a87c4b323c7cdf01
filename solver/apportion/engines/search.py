"""Looking for a good plan near the prices: annealing over the options of each unit that lose least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import PricedOut
from apportion.engines.ledger import FEASIBLE, Ledger

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OPTIONS_PER_UNIT = 12


@dataclass(frozen=True)
class Schedule:
    """One annealing run. moves : for each unit. hot, cold : temperatures, in typical values. weight, growth : charge for violations, and by how much it grows."""

    moves: int
    hot: float
    cold: float
    weight: float
    growth: float


# each is tried with another seed until the plan is good enough; later ones look longer
SCHEDULES = (
    Schedule(4_000, 0.1, 0.001, 1.0, 30.0),
    Schedule(8_000, 0.03, 0.0001, 1.0, 30.0),
    Schedule(16_000, 0.1, 0.0005, 0.3, 100.0),
    Schedule(32_000, 0.1, 0.0003, 1.0, 30.0),
    Schedule(32_000, 0.3, 0.001, 0.3, 100.0),
)


class Incumbent:
    """The best plan so far that keeps every hard rule. chosen : (U,) options, None as long as there is none."""

    def __init__(self, form: Formulation) -> None:
        self.form = form
        self.chosen: Ints | None = None
        self.objective = -np.inf

    def offer(self, chosen: Ints | None) -> None:
        """Take the plan if it keeps the rules and is better."""
        if chosen is None:
            return
        ledger = Ledger(self.form, chosen)
        if ledger.feasible() and ledger.objective() > self.objective:
            self.chosen, self.objective = chosen, ledger.objective()


def search(
    form: Formulation, priced: PricedOut, incumbent: Incumbent, *, good_enough: float, seed: int, stop: Callable[[], bool]
) -> None:
    """Anneal by one schedule after another until the incumbent is worth `good_enough`."""
    from apportion.engines.anneal import anneal  # compiles on first use; problems that never come here must not wait for it

    arena = _Arena(form, priced)
    for turn, schedule in enumerate(SCHEDULES):
        if incumbent.objective >= good_enough or stop():
            return
        best, worth, _ = anneal(
            *arena.arguments(schedule),
            arena.start_from(incumbent.chosen if turn % 2 else None),
            schedule.moves * form.n_units,
            schedule.hot * form.scale,
            schedule.cold * form.scale,
            schedule.growth,
            seed * len(SCHEDULES) + turn + 1,
        )
        if np.isfinite(worth):
            incumbent.offer(arena.option[best])


class _Arena:
    """The candidates and bounds as the flat arrays that compiled code wants."""

    def __init__(self, form: Formulation, priced: PricedOut) -> None:
        self.form = form
        self.loss, self.option = _candidates(form, priced)
        units = np.concatenate([form.unit, np.arange(form.n_units)])
        self.unit = units[self.option]
        self.start = np.searchsorted(self.unit, np.arange(form.n_units + 1))
        self.rep = np.concatenate([form.rep, np.full(form.n_units, form.n_reps)])[self.option]
        self.value = np.concatenate([form.value, form.rest])[self.option]
        nothing = np.zeros(form.n_units)
        self.measure = np.ascontiguousarray(
            np.stack([np.concatenate([family.measure, nothing])[self.option] for family in form.families], axis=1)
        )
        self.width = max(family.n_groups for family in form.families)
        self.base = self._padded(
            [f.measure.dtype.type(form.scale / f.scale) + np.maximum(p.low, p.high) for f, p in zip(form.families, priced.multipliers, strict=True)],
            0.0,
        )

    def _padded(self, rows: list[Floats], fill: float) -> Floats:
        """(F, width + 1): the last column stands for reps outside, and for rest."""
        return np.stack([np.concatenate([row, np.full(self.width + 1 - len(row), fill)]) for row in rows])

    def arguments(self, schedule: Schedule) -> tuple[object, ...]:
        families = self.form.families
        outside = self.width
        group = np.stack([np.append(np.where(f.group < 0, outside, f.group), outside) for f in families])
        free = [f.coupling == "worst" for f in families]
        return (
            self.start, self.unit, self.rep, self.value, self.measure, group,
            self._padded([np.full_like(f.low, -np.inf) if skip else f.low for f, skip in zip(families, free, strict=True)], -np.inf),
            self._padded([f.high for f in families], np.inf),
            self._padded([f.low_share for f in families], 0.0),
            self._padded([f.high_share for f in families], 0.0),
            np.array([f.coupling == "total" for f in families]),
            np.array([f.hard for f in families]),
            np.array([0.0 if f.hard else f.price for f in families]),
            np.stack([np.full(self.width + 1, f.price) if not f.hard else schedule.weight * row for f, row in zip(families, self.base, strict=True)]),
            np.array([FEASIBLE * f.scale for f in families]),
        )  # fmt: skip

    def start_from(self, chosen: Ints | None) -> Ints:
        """(U,) candidate of each unit: of a plan where its option is a candidate, else the one that loses least."""
        order = np.lexsort((self.loss, self.unit))
        start = order[np.searchsorted(self.unit[order], np.arange(self.form.n_units))]
        if chosen is not None:
            match = np.flatnonzero(chosen[self.unit] == self.option)
            start[self.unit[match]] = match
        return start


def _candidates(form: Formulation, priced: PricedOut) -> tuple[Floats, Ints]:
    """The few options of each unit that lose least against the prices, in unit order, and what they lose."""
    rest_loss = np.where(np.isfinite(form.rest), priced.best - form.rest, np.inf)
    loss = np.concatenate([priced.loss(form), rest_loss])
    unit = np.concatenate([form.unit, np.arange(form.n_units)])
    order = np.lexsort((loss, unit))
    order = order[np.isfinite(loss[order])]
    sorted_unit = unit[order]
    first = np.searchsorted(sorted_unit, sorted_unit)
    near = order[np.arange(len(order)) - first < OPTIONS_PER_UNIT]
    near = near[np.lexsort((near, unit[near]))]
    return loss[near], near
