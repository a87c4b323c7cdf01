"""Looking for a good plan near the prices: annealing over the few options that lose little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from apportion.engines.clock import Clock
from apportion.engines.contest import NONE, Contest, contest
from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import PricedOut
from apportion.engines.ledger import Ledger

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flag = NDArray[np.int8]

WORTHWHILE, PATIENCE = 0.03, 2  # of what is missing; so many turns that gain less end the search
ABREAST = 2  # runs at a time, each with a seed of its own; always so many, that cores change no plan
MOST_RUNS = 16  # of a search: each seed's runs have random numbers of their own
AGAIN = 0.2  # of the heat of a run that begins anew, for one that goes on
SHORT = 2_000_000  # moves, a tenth of a second: where a run is shorter, the second is spared if the first will do
FIRM = (30.0, 300.0, 3000.0)  # charges for violations while descending, each tried where the one before left some
SWEEPS = 8
WAYS = 4  # of mending a run, each with other random numbers
MENDING, MENDINGS, DEARER = 30, 8, 2.0  # moves for each candidate, turns, and what each turn does to broken bounds
MOST_MOVES = 30_000_000  # of a run, a second or two
LUKEWARM = 3.0  # times as warm as the end of the run before
DESCENDED = 12_000  # candidates up to which the whole neighbourhood is searched in the end


@dataclass(frozen=True)
class Schedule:
    """One annealing run.

    moves : for each candidate. width : candidates looked at, for each bound. hot, cold : temperatures, in typical
    values over the leads of a rep: of many leads, each needs to move the less. weight, growth : charge for violations,
    and by how much it grows.
    """

    moves: int
    width: int
    hot: float = 0.5
    cold: float = 0.02
    weight: float = 1.0
    growth: float = 20.0

    def going_on(self) -> Schedule:
        """From a plan that is nearly right: no hotter than keeps most of it, and firm from the start."""
        return replace(self, hot=AGAIN * self.hot, weight=self.weight * self.growth, growth=1.0)


# each is tried until the plan is good enough; later ones look longer and farther
SCHEDULES = (
    Schedule(30, 80),
    Schedule(100, 80),
    Schedule(400, 160),
    Schedule(1_000, 320),
    Schedule(4_000, 320),
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
    clock: Clock,
    carried: Ints | None = None,
    report: Callable[[], None] = lambda: None,
) -> None:
    """Anneal by one schedule after another until the incumbent is worth `good_enough`, or longer runs hardly help.

    carried : (U,) options of a similar problem's plan, -1 for none; they may break rules. report : called after each
    turn. Of the runs of a turn one begins anew, and one goes on from the incumbent, or from what is carried as long as
    there is none.
    """
    seeds = iter(range(seed * MOST_RUNS + 1, (seed + 1) * MOST_RUNS + 1))

    def turn(schedule: Schedule, starts: Sequence[Ints | None]) -> None:
        """One run from each start (None: from the prices); what is found is offered to the incumbent."""
        near = contest(form, priced, schedule.width, _held(starts))
        if not near.open:
            incumbent.offer(near.options(near.nearest()))
            return

        def run(start: Ints | None, own_seed: int) -> Ints:
            way = schedule if start is None else schedule.going_on()
            first = near.nearest() if start is None else near.nearest_to(start)
            return _run(form, near, way, first, good_enough, own_seed, over)

        long = schedule.moves * len(near.arena.rep) > SHORT
        with clock.flag() as over, ThreadPoolExecutor(len(starts)) as pool:
            for found in (pool.map if long else map)(run, starts, seeds):
                incumbent.offer(found)
                if not long and incumbent.objective >= good_enough:
                    break
        report()

    if carried is not None:
        incumbent.offer(carried if (carried >= 0).all() else None)
    poor = 0
    for schedule in SCHEDULES:
        before = incumbent.objective
        if poor == PATIENCE or before >= good_enough or clock.is_over():
            return
        turn(schedule, [None] * (ABREAST - 1) + [carried if incumbent.chosen is None else incumbent.chosen])
        gained = not np.isfinite(before) or incumbent.objective - before > WORTHWHILE * (good_enough - before)
        poor = 0 if gained else poor + 1


def _held(starts: Sequence[Ints | None]) -> Ints:
    """The options of all plans to go on from."""
    held = [start[start >= 0] for start in starts if start is not None]
    return np.unique(np.concatenate(held)) if held else NONE


def _run(
    form: Formulation, near: Contest, schedule: Schedule, start: Ints, good_enough: float, seed: int, over: Flag
) -> Ints:
    """Anneal once; where that ends outside the rules, mend it in some ways and take the best."""
    from apportion.engines.anneal import anneal  # compiles on first use; small problems must not wait for it

    wanted = good_enough - near.settled_worth(form)
    best, worth, last = anneal(
        near.arena,
        near.weights(schedule.weight),
        start,
        min(schedule.moves * len(near.arena.rep), MOST_MOVES),
        schedule.hot * _warmth(form),
        schedule.cold * _warmth(form),
        schedule.growth,
        seed,
        over,
    )
    for way in range(WAYS):
        if worth >= wanted:
            break
        mended, value = _mended(form, near, schedule, last, WAYS * seed + way, over)
        if value > worth:
            best, worth = mended, value
    return near.options(best) if np.isfinite(worth) else _descended(form, near, last, over)


def _warmth(form: Formulation) -> float:
    """A typical value over the typical number of units of a rep: what a temperature is measured in."""
    return form.scale * min(1.0, form.n_reps / form.n_units)


def _mended(
    form: Formulation, near: Contest, schedule: Schedule, chosen: Ints, seed: int, over: Flag
) -> tuple[Ints, float]:
    """Anneal on, cold, at the charge of the run's end, with the bounds that are broken dearer each time. Gives the
    choice and its worth; -inf where it still breaks a rule."""
    from apportion.engines.anneal import anneal

    weights = near.weights(schedule.weight * schedule.growth)
    for _ in range(MENDINGS):
        best, worth, chosen = anneal(
            near.arena,
            weights,
            chosen,
            MENDING * len(near.arena.rep),
            LUKEWARM * schedule.cold * _warmth(form),
            schedule.cold * _warmth(form),
            1.0,
            seed,
            over,
        )
        if np.isfinite(worth) or over[0]:
            break
        ledger = Ledger(form, near.options(chosen))
        for index, family in enumerate(form.families):
            violation, tolerated = ledger.violations(index)
            if family.hard:
                weights[index, : family.n_groups][violation > tolerated] *= DEARER
    return best, worth


def _descended(form: Formulation, near: Contest, chosen: Ints, over: Flag) -> Ints:
    """Go down to a local optimum at firm charges, where the whole neighbourhood is not too large."""
    from apportion.engines.anneal import descend

    if len(near.arena.rep) > DESCENDED:
        return near.options(chosen)
    for firm in FIRM:
        chosen, _, holds = descend(near.arena, near.weights(firm), chosen, SWEEPS, 1e-9 * form.scale, over)
        if holds:
            break
    return near.options(chosen)
