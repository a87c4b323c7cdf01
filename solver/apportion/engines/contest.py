"""What is still open at given prices: the options that lose little, of the units that have more than one such."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import PricedOut
from apportion.engines.ledger import FEASIBLE
from apportion.engines.nearest import in_order, scattered

if TYPE_CHECKING:
    from apportion.engines.anneal import Arena

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPREAD = 6  # of the options looked at for each bound, one in so many may be of the same unit
OPTIONS_PER_REP = 40  # a rep with few slots needs a choice too
OPTIONS_PER_DEAR_REP = 100  # whose floor holds the total down: what it gets decides what all others get
OPTIONS_PER_SIZE = 8  # of each rep, for each power of two of a measure: as coins, so that any sum can be made up
SHORTLIST = 8  # times as many as are wanted are sorted at first
DITHER = 3e-4  # of a typical value: prices are no nearer, so options closer than this are alike
FLOOR = 0.2  # of a typical value, per typical measure: what a violation costs at the least
NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Contest:
    """The arena of the units with a choice; the others rest at what they lose least by.

    settled : (U,) options of all units at the start. active : units with a choice. option : (N,) what each candidate of
    the arena is.
    """

    settled: Ints
    active: Ints
    option: Ints
    arena: Arena
    base: Floats

    @property
    def open(self) -> bool:
        """Whether any unit has a choice."""
        return len(self.active) > 0

    def nearest(self) -> Ints:
        """The candidate of each active unit that loses least."""
        return self.arena.start[:-1].copy()

    def nearest_to(self, options: Ints) -> Ints:
        """The candidate of each active unit that is its option among `options` ((U,), -1 for none), else the one that
        loses least."""
        chosen = self.nearest()
        same = np.flatnonzero(self.option == options[self.active][self.arena.unit])
        chosen[self.arena.unit[same]] = same
        return chosen

    def settled_worth(self, form: Formulation) -> float:
        """What the units without a choice are worth."""
        settled = np.delete(self.settled, self.active)
        taken = settled[settled < form.n_pairs]
        return float(form.value[taken].sum() + form.rest[settled[settled >= form.n_pairs] - form.n_pairs].sum())

    def options(self, chosen: Ints) -> Ints:
        """(U,) options of all units, given the candidates of the active ones."""
        options = self.settled.copy()
        options[self.active] = self.option[chosen]
        return options

    def weights(self, factor: float) -> Floats:
        """(F, G + 1) charge per unit of violation: a soft rule's own price, and a multiple of the base for hard
        ones."""
        hard = self.arena.hard[:, None]
        return np.where(hard, factor * self.base, self.arena.price[:, None])


def contest(form: Formulation, priced: PricedOut, width: int, keep: Ints = NONE) -> Contest:
    """Gather what is open: some `width` options for each bound, the nearest first, and for each rep its own nearest.
    keep : options that are open whatever they lose."""
    unit = np.concatenate([form.unit, np.arange(form.n_units)])
    rep = np.concatenate([form.rep, np.full(form.n_units, form.n_reps)])
    loss = np.concatenate([priced.loss(form), np.where(np.isfinite(form.rest), priced.best - form.rest, np.inf)])
    loss += DITHER * form.scale * scattered(unit, rep)  # where all are alike, every unit and rep gets some of each
    option = _near(form, unit, rep, loss, width, np.union1d(keep, _of_dear_reps(form, priced, loss)))
    counts = np.bincount(unit[option], minlength=form.n_units)
    settled = option[np.cumsum(counts) - counts]
    contested = counts[unit[option]] > 1
    active = np.flatnonzero(counts > 1)
    option = option[contested]
    arena, base = _arena(form, priced, settled, active, option, unit, rep)
    return Contest(settled, active, option, arena, base)


def _near(form: Formulation, unit: Ints, rep: Ints, loss: Floats, width: int, keep: Ints) -> Ints:
    """The options within the reach of `width` for each bound, and those to keep."""
    wanted = form.n_units + width * n_bounds(form)
    losses = loss[np.isfinite(loss)]
    reach = float(np.partition(losses, wanted)[wanted]) if len(losses) > wanted else np.inf
    return near_options(form, unit, unit, rep, loss, reach, width, keep)


def near_options(
    form: Formulation, name: Ints, unit: Ints, rep: Ints, loss: Floats, reach: float, width: int, keep: Ints = NONE
) -> Ints:
    """Options in unit order, least loss first: each unit's nearest among them, and what a rep could hardly do
    without. name : of each option's unit, to break ties by. keep : options that are among them in any case."""
    near = np.flatnonzero(np.isfinite(loss))
    needed = np.zeros(len(loss), dtype=bool)
    needed[keep] = True
    if np.isfinite(reach):
        reach += DITHER * form.scale  # so that each unit has its nearest
        near = near[loss[near] <= reach]
        needed[_of_reps(form, rep, loss, reach)] = True
        near = np.union1d(near, np.flatnonzero(needed))
    near = near[in_order(name[near], rep[near], loss[near], form.scale)]
    of = unit[near]
    rank = np.arange(len(near)) - np.searchsorted(of, of)
    return near[(rank < width // SPREAD) | needed[near]]


def _of_reps(form: Formulation, rep: Ints, loss: Floats, reach: float) -> Ints:
    """The nearest options of each rep with few within reach, and of each rep with few leads in every size, for each
    measure.

    A floor under a rep's hot leads needs hot leads to choose from; and a relaxation fills the band of a rep with few
    leads by slivers of the largest, where a plan needs some of the right size.
    """
    finite = np.isfinite(loss[: form.n_pairs])
    held = form.rep[finite & (loss[: form.n_pairs] <= 2 * DITHER * form.scale)]
    small = np.bincount(held, minlength=form.n_reps) < OPTIONS_PER_REP
    chosen = [np.zeros(0, dtype=np.int64)]
    for family in form.families:
        counted = np.flatnonzero(finite & (family.measure != 0))
        of, at = form.rep[counted], loss[counted]
        few = (np.bincount(of[at <= reach], minlength=form.n_reps) < OPTIONS_PER_REP)[of]
        chosen.append(counted[few][_nearest_of_each(of[few], at[few], OPTIONS_PER_REP)])
        some = small[of]
        size = np.frexp(family.measure[counted[some]])[1].astype(np.int64)
        size -= size.min(initial=0)
        name = of[some] * (size.max(initial=0) + 1) + size
        chosen.append(counted[some][_nearest_of_each(name, at[some], OPTIONS_PER_SIZE)])
    return np.unique(np.concatenate(chosen))


def _of_dear_reps(form: Formulation, priced: PricedOut, loss: Floats) -> Ints:
    """The nearest options of each rep with a floor under its share of a total that costs more than it brings."""
    dear = np.zeros(form.n_reps, dtype=bool)
    for family, prices in zip(form.families, priced.multipliers, strict=True):
        if family.coupling == "total":
            dear |= np.append(prices.low * family.scale > form.scale, False)[family.group]
    of = np.flatnonzero(dear[form.rep] & np.isfinite(loss[: form.n_pairs]))
    return of[_nearest_of_each(form.rep[of], loss[of], OPTIONS_PER_DEAR_REP)]


def _nearest_of_each(name: Ints, loss: Floats, most: int) -> Ints:
    """Positions of the few of each name that lose least. What loses little is looked at first: sorting all is slow."""
    count = np.bincount(name)
    enough = SHORTLIST * most * len(count)
    if len(name) > 2 * enough:
        short = loss <= np.partition(loss, enough)[enough]
        lacking = np.bincount(name[short], minlength=len(count)) < np.minimum(most, count)
        rows = np.flatnonzero(short | lacking[name])
    else:
        rows = np.arange(len(name))
    rows = rows[np.lexsort((loss[rows], name[rows]))]
    named = name[rows]
    return rows[np.arange(len(rows)) - np.searchsorted(named, named) < most]


def n_bounds(form: Formulation) -> int:
    """How many groups have bounds: each makes some options worth a look."""
    return sum(f.n_groups for f in form.families if np.isfinite(f.low).any() or np.isfinite(f.high).any())


def _arena(
    form: Formulation, priced: PricedOut, settled: Ints, active: Ints, option: Ints, unit: Ints, rep: Ints
) -> tuple[Arena, Floats]:
    """The arena, and (F, G + 1) what a violation is charged at the least."""
    from apportion.engines.anneal import Arena

    families = form.families
    width = max(family.n_groups for family in families)

    def padded(rows: list[Floats], fill: float) -> Floats:
        """(F, width + 1): the last column stands for reps outside, and for rest."""
        return np.stack([np.concatenate([row, np.full(width + 1 - len(row), fill)]) for row in rows])

    group = np.stack([np.append(np.where(f.group < 0, width, f.group), width) for f in families])
    fixed = np.ones(form.n_units, dtype=bool)
    fixed[active] = False
    quiet = settled[fixed & (settled < form.n_pairs)]
    sums = np.zeros((len(families), width + 1))
    for row, family, of in zip(sums, families, group, strict=True):
        row += np.bincount(of[rep[quiet]], weights=family.measure[quiet], minlength=width + 1)
    taken = option < form.n_pairs
    measure = np.zeros((len(option), len(families)))
    for index, family in enumerate(families):
        measure[taken, index] = family.measure[option[taken]]
    value = np.where(taken, 0.0, form.rest[np.maximum(option - form.n_pairs, 0)])
    value[taken] = form.value[option[taken]]
    number = np.cumsum(~fixed) - 1
    free = np.full(width, -np.inf)  # the worst-off value is told by the objective alone
    at_price = [np.maximum(prices.low, prices.high) for prices in priced.multipliers]
    arena = Arena(
        start=np.searchsorted(unit[option], np.append(active, form.n_units)),
        unit=number[unit[option]],
        rep=rep[option],
        list_start=np.concatenate([[0], np.cumsum(np.bincount(rep[option], minlength=form.n_reps + 1))]),
        value=value,
        measure=measure,
        group=group,
        low=padded([free[: f.n_groups] if f.coupling == "worst" else f.low for f in families], -np.inf),
        high=padded([f.high for f in families], np.inf),
        low_share=padded([f.low_share for f in families], 0.0),
        high_share=padded([f.high_share for f in families], 0.0),
        sums=sums,
        totals=np.array([f.measure[quiet].sum() for f in families]),
        coupled=np.array([f.coupling == "total" for f in families]),
        hard=np.array([f.hard for f in families]),
        price=np.array([0.0 if f.hard else f.price for f in families]),
        tolerance=np.array([FEASIBLE * f.scale for f in families]),
    )
    least = [FLOOR * form.scale / f.scale + p for f, p in zip(families, at_price, strict=True)]
    return arena, padded(least, 0.0)
