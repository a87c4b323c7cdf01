"""The engine over partitions: prices from all parts, then a search among the few pairs that the parts gave away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apportion.engines import core
from apportion.engines.ascent import ascend
from apportion.engines.choose import Engine
from apportion.engines.clock import Clock
from apportion.engines.formulation import Formulation
from apportion.engines.known import NOTHING, Known
from apportion.engines.lagrangian import PricedOut, price_first_slots, price_out
from apportion.engines.outcome import Outcome
from apportion.engines.restrict import possible_pairs, restrict
from apportion.engines.search import SCHEDULES, Incumbent, search
from apportion.engines.solve import Progress
from apportion.engines.solve import solve as solve_here
from apportion.problem import AssignmentProblem, Plan, Status, relative_gap
from apportion_models.errors import UsageError

if TYPE_CHECKING:
    from apportion.engines.distributed.crew import Crew
    from apportion.engines.distributed.part import Part
    from apportion.engines.distributed.spread import Spread

Ints = NDArray[np.int64]
Report = Callable[[float, float], None]

NAME = "distributed"
PARTS = 8
WIDTH = max(schedule.width for schedule in SCHEDULES)


def solve(
    problem: AssignmentProblem,
    *,
    workers: int | None = None,
    parts: int = PARTS,
    gap: float = 1e-3,
    time_limit: float = 60.0,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    warm: Plan | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Plan:
    """Solve over partitions of the leads, with the same certificate as `apportion.solve`.

    workers : processes of a Ray cluster, each with its parts in its memory; None is threads of this process. A worker
    that dies is replaced, and what it was asked is asked again. parts : in how many the leads are cut. Any number of
    workers gives the same plan, byte for byte; another number of parts may give another one within the gap.
    The other arguments are those of `apportion.solve`.

    Raises UsageError for arguments out of range and where Ray is not installed, ServiceError where workers keep dying.
    """
    if parts < 1 or (workers is not None and workers < 1):
        raise UsageError(f"parts and workers must be 1 or more. Got parts={parts!r}, workers={workers!r}.")

    def solve_form(
        form: Formulation,
        *,
        gap: float,
        clock: Clock,
        seed: int,
        report: Report,
        known: Known = NOTHING,
    ) -> Outcome:
        """Solve one form with its units spread over the parts."""
        form = _with_scales(form)
        cuts = even_cuts(form, parts)
        with crew_of(_slices(form, cuts), workers) as crew:
            from apportion.engines.distributed.spread import Spread

            spread = Spread(form, cuts, crew)
            found = solve_spread(spread, gap=gap, clock=clock, seed=seed, report=report, known=known)
            return _over_all(found, form, cuts, gap)

    where = "threads" if workers is None else f"{workers} workers"
    why = f"asked for: the leads in up to {parts} parts, {where}"
    engine = Engine(NAME, core.supports, solve_form, lambda form: why)
    return solve_here(
        problem,
        gap=gap,
        time_limit=time_limit,
        seed=seed,
        engine=engine,
        on_progress=on_progress,
        warm=warm,
        cancelled=cancelled,
    )


class Found:
    """What `solve_spread` found. form, chosen : the gathered pairs and the options among them, None without a plan."""

    def __init__(self, spread: Spread, priced: PricedOut) -> None:
        self.spread, self.priced = spread, priced
        self.form = spread.form
        self.pair = self.part = np.zeros(0, dtype=np.int64)
        self.chosen: Ints | None = None
        self.objective = -np.inf
        self.bound = priced.bound

    def outcome(self, gap: float) -> Outcome:
        """The answer in terms of the gathered pairs."""
        if np.isneginf(self.bound):
            return Outcome.infeasible()
        if self.chosen is None:
            return Outcome.out_of_time(self.bound, self.priced)
        bound = max(self.bound, self.objective)
        near = bound - self.objective <= core.ROUNDING * self.form.scale
        near = near or relative_gap(self.objective, bound) <= gap
        return Outcome(Status.OPTIMAL if near else Status.FEASIBLE, self.chosen, bound, self.priced, "search")


def solve_spread(
    spread: Spread, *, gap: float, clock: Clock, seed: int, report: Report, known: Known = NOTHING
) -> Found:
    """Prices over all parts; then the best plan among the pairs that lose least at them."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # without any plan, prices run away
        priced = ascend(spread.form, known.prices, gap=gap, stop=clock.is_over, pairs=spread)
    found = Found(spread, priced)
    report(found.bound, found.objective)
    if np.isneginf(found.bound):
        return found
    gathered = spread.gather(priced.multipliers, WIDTH)
    kept = restrict(gathered.form, possible_pairs(gathered.form))
    found.form, found.pair, found.part = kept.form, gathered.pair[kept.pairs], gathered.part[kept.pairs]
    incumbent = Incumbent(found.form)

    def tell() -> None:
        found.objective = incumbent.objective
        report(max(found.bound, found.objective), found.objective)

    good_enough = found.bound - gap * abs(found.bound)
    if found.form.families and found.form.n_pairs > core.TINY:
        near = price_out(found.form, priced.multipliers)
        carried = known.options(found.form)
        search(
            found.form, near, incumbent, good_enough=good_enough, seed=seed, clock=clock, carried=carried, report=tell
        )
    if incumbent.objective < good_enough and not clock.is_over():
        start = known.with_prices(priced.multipliers)
        more = core.solve(found.form, gap=gap, clock=clock, seed=seed, report=lambda *_: None, known=start)
        incumbent.offer(more.chosen)
    tell()
    found.chosen = incumbent.chosen
    return found


def _over_all(found: Found, form: Formulation, cuts: Ints, gap: float) -> Outcome:
    """The answer in the numbering of a formulation that has all pairs."""
    answer = found.outcome(gap)
    if answer.priced is not None:
        answer = replace(answer, priced=price_out(form, price_first_slots(form, answer.priced.multipliers)))
    if answer.chosen is None:
        return answer
    chosen = answer.chosen - found.form.n_pairs + form.n_pairs
    taken = answer.chosen < found.form.n_pairs
    pair = answer.chosen[taken]
    chosen[taken] = form.start[cuts[found.part[pair]]] + found.pair[pair]
    return replace(answer, chosen=chosen)


def _with_scales(form: Formulation) -> Formulation:
    """The formulation with its scales written down, for its parts to have the same."""
    families = tuple(replace(family, known_scale=family.scale) for family in form.families)
    return replace(form, families=families, known_scale=form.scale)


def even_cuts(form: Formulation, parts: int) -> Ints:
    """(K + 1,) units at which up to so many parts begin, with about as many pairs each."""
    size = form.start + np.arange(form.n_units + 1)
    cuts = np.searchsorted(size, np.linspace(0, size[-1], parts + 1))
    cuts[-1] = form.n_units
    return np.unique(np.append(cuts, 0)).astype(np.int64)


def _slices(form: Formulation, cuts: Ints) -> list[Part]:
    from apportion.engines.distributed.part import Part

    return [Part(Slice(form, int(a), int(b)), int(a)) for a, b in pairwise(cuts.tolist())]


class Slice:
    """Some units in a row of a formulation. What goes to another process is the slice, not the whole."""

    def __init__(self, form: Formulation, first: int, last: int) -> None:
        begin, end = int(form.start[first]), int(form.start[last])
        self._form = replace(
            form,
            start=form.start[first : last + 1] - begin,
            unit=form.unit[begin:end] - first,
            rep=form.rep[begin:end],
            value=form.value[begin:end],
            rest=form.rest[first:last],
            unit_of_lead=np.zeros(0, dtype=np.int64),  # nobody asks a part for it
            families=tuple(replace(family, measure=family.measure[begin:end]) for family in form.families),
        )

    def __call__(self) -> Formulation:
        """The units with all of their pairs."""
        return self._form


@contextmanager
def crew_of(parts: Sequence[Part], workers: int | None) -> Iterator[Crew]:
    """Who answers for the parts: threads, or so many workers."""
    if workers is None:
        from apportion.engines.distributed.crew import Threads

        yield Threads(parts)
        return
    from apportion.engines.distributed.cluster import hired

    with hired(parts, workers) as crew:
        yield crew
