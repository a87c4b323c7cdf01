"""Looking for a good plan near the prices: annealing over the options of each unit that lose least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import PricedOut
from apportion.engines.ledger import FEASIBLE, Ledger
from apportion.engines.nearest import nearest_options

if TYPE_CHECKING:
    from apportion.engines.anneal import Arena

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OPTIONS_PER_UNIT = 12
FIRM = (30.0, 300.0, 3000.0)  # charges for violations while descending, each tried where the one before left some
SWEEPS = 8


@dataclass(frozen=True)
class Schedule:
    """One annealing run.

    moves : for each unit. hot, cold : temperatures, in typical values. weight, growth : charge for violations, and by
    how much it grows.
    """

    moves: int
    hot: float
    cold: float
    weight: float = 1.0
    growth: float = 30.0


# each is tried with another seed until the plan is good enough; later ones look longer
SCHEDULES = (
    Schedule(8_000, 0.03, 0.0003),
    Schedule(8_000, 0.01, 0.0001),
    Schedule(16_000, 0.1, 0.001),
    Schedule(32_000, 0.1, 0.0003),
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
    form: Formulation,
    priced: PricedOut,
    incumbent: Incumbent,
    *,
    good_enough: float,
    seed: int,
    stop: Callable[[], bool],
) -> None:
    """Anneal by one schedule after another until the incumbent is worth `good_enough`."""
    from apportion.engines.anneal import (
        anneal,
        descend,
    )  # compiles on first use; problems that never come here must not wait for it

    field = _Field(form, priced)
    for turn, schedule in enumerate(SCHEDULES):
        if incumbent.objective >= good_enough or stop():
            return
        best, worth, last = anneal(
            field.arena,
            field.weights(schedule.weight),
            field.nearest(),
            schedule.moves * form.n_units,
            schedule.hot * form.scale,
            schedule.cold * form.scale,
            schedule.growth,
            seed * len(SCHEDULES) + turn + 1,
        )
        if not np.isfinite(worth) and incumbent.chosen is not None:
            continue
        chosen = best if np.isfinite(worth) else last
        for firm in FIRM:
            chosen, _, holds = descend(field.arena, field.weights(firm), chosen, SWEEPS, 1e-9 * form.scale)
            if holds or stop():
                break
        incumbent.offer(field.option[chosen])


class _Field:
    """What the compiled search works on: the candidates, and bounds as flat arrays."""

    def __init__(self, form: Formulation, priced: PricedOut) -> None:
        self.form = form
        self.option = nearest_options(form, priced, OPTIONS_PER_UNIT)
        self.unit = np.concatenate([form.unit, np.arange(form.n_units)])[self.option]
        self.width = max(family.n_groups for family in form.families)
        at_price = [np.maximum(prices.low, prices.high) for prices in priced.multipliers]
        self.base = self._padded([form.scale / f.scale + p for f, p in zip(form.families, at_price, strict=True)], 0.0)
        self.arena = self._arena()

    def _padded(self, rows: list[Floats], fill: float) -> Floats:
        """(F, width + 1): the last column stands for reps outside, and for rest."""
        return np.stack([np.concatenate([row, np.full(self.width + 1 - len(row), fill)]) for row in rows])

    def weights(self, factor: float) -> Floats:
        """(F, width + 1) charge per unit of violation: a soft rule's own price, and a multiple of the base for hard
        ones.
        """
        families = self.form.families
        return np.stack(
            [factor * row if f.hard else np.full_like(row, f.price) for f, row in zip(families, self.base, strict=True)]
        )

    def _arena(self) -> Arena:
        from apportion.engines.anneal import Arena

        families = self.form.families
        units = np.concatenate([self.form.unit, np.arange(self.form.n_units)])
        nothing = np.zeros(self.form.n_units)
        free = np.full(self.width, -np.inf)  # the worst-off value is told by the objective alone
        return Arena(
            start=np.searchsorted(self.unit, np.arange(self.form.n_units + 1)),
            unit=units[self.option],
            rep=np.concatenate([self.form.rep, np.full(self.form.n_units, self.form.n_reps)])[self.option],
            value=np.concatenate([self.form.value, self.form.rest])[self.option],
            measure=np.ascontiguousarray(
                np.stack([np.concatenate([f.measure, nothing])[self.option] for f in families], axis=1)
            ),
            group=np.stack([np.append(np.where(f.group < 0, self.width, f.group), self.width) for f in families]),
            low=self._padded([free if f.coupling == "worst" else f.low for f in families], -np.inf),
            high=self._padded([f.high for f in families], np.inf),
            low_share=self._padded([f.low_share for f in families], 0.0),
            high_share=self._padded([f.high_share for f in families], 0.0),
            coupled=np.array([f.coupling == "total" for f in families]),
            hard=np.array([f.hard for f in families]),
            price=np.array([0.0 if f.hard else f.price for f in families]),
            tolerance=np.array([FEASIBLE * f.scale for f in families]),
        )

    def nearest(self) -> Ints:
        """(U,) the candidate of each unit that loses least."""
        return self.arena.start[:-1].copy()
