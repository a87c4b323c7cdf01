"""Engine for every rule, in five steps.

1. Drop the pairs that no plan can hold.
2. Find prices: those of the caller, or by Newton's method on a smoothed dual.
3. Small problems, and gaps that such prices cannot prove: the exact relaxation by column generation. Either way prices
   are the bound. What no plan of that worth can hold is dropped, and prices are found again.
4. Find a plan by annealing among the options that are near the prices.
5. Small problems: pairs that lose more than the gap are in no better plan; drop them, and search the rest by branch
   and bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apportion.engines.ascent import ascend, legal_all
from apportion.engines.clock import Clock
from apportion.engines.exact import branch_and_bound
from apportion.engines.formulation import Formulation
from apportion.engines.known import NOTHING, Known
from apportion.engines.lagrangian import PricedOut, no_prices, price_first_slots, price_out
from apportion.engines.nearest import nearest_pairs
from apportion.engines.outcome import Outcome
from apportion.engines.relaxation import relax
from apportion.engines.restrict import Restricted, possible_pairs, restrict
from apportion.engines.search import Incumbent, search
from apportion.problem import Status, relative_gap

Ints = NDArray[np.int64]

ALL_PAIRS = 5_000  # up to so many pairs the relaxation starts with all of them
FIRST_PAIRS_PER_UNIT = 6
EXACT = 1e-4  # a gap below which prices by Newton's method are not near enough
TINY = 400  # pairs up to which branch and bound closes the gap entirely, without a search before
SEARCHABLE = 6_000  # pairs up to which branch and bound is worth a try
NODES = 20_000
EFFORT = 1_500_000  # nodes × pairs of branch and bound where it need not come to an end
FEWEST_NODES = 100
TIGHTENINGS = 5  # times at most that a lower bound, which makes more pairs impossible, is looked for again
SOME_TIME = 0.05  # seconds for the relaxation of a small problem, however little is left
ROUNDING = 1e-9  # of a typical value: a gap that is none, for objective and bound are sums of many numbers


def supports(form: Formulation) -> str | None:
    """None: every problem."""
    return None


def solve(
    form: Formulation,
    *,
    gap: float,
    clock: Clock,
    seed: int,
    report: Callable[[float, float], None],
    known: Known = NOTHING,
) -> Outcome:
    """Solve to within `gap`, or as near as the clock allows. `report` is told each better bound and objective. known :
    of a similar problem, to start from."""
    kept = restrict(form, possible_pairs(form))
    state = _State(kept.form, gap=gap, clock=clock, seed=seed, report=report, known=known)
    feasible = state.relax()
    for _ in range(TIGHTENINGS):
        possible = possible_pairs(form, state.bound) if feasible and not clock.is_over() else None
        if possible is None or possible.sum() >= kept.form.n_pairs:
            break
        kept, start = restrict(form, possible), known.with_prices(state.priced.multipliers)
        state = _State(kept.form, gap=gap, clock=clock, seed=seed, report=report, known=start, bound=state.bound)
        feasible = state.relax()
    if not feasible:
        return Outcome.infeasible()
    if kept.form.n_pairs > TINY and form.families:
        state.search()
        if (
            state.incumbent.chosen is None
            and not clock.is_over()
            and not state.relax_exactly(nearest_pairs(kept.form, state.priced, FIRST_PAIRS_PER_UNIT))
        ):
            return Outcome.infeasible()
    if not state.done():
        state.close()
    return state.outcome(form, kept)


@dataclass
class _State:
    """Where the solve stands."""

    form: Formulation
    gap: float
    clock: Clock
    seed: int
    report: Callable[[float, float], None]
    known: Known = NOTHING
    incumbent: Incumbent = field(init=False)
    priced: PricedOut = field(init=False)
    bound: float = np.inf
    impossible: bool = False

    def __post_init__(self) -> None:
        self.incumbent = Incumbent(self.form)
        self.priced = price_out(self.form, legal_all(self.form, no_prices(self.form)))
        self.step = _step(self.form)
        self.to_the_end = self.form.n_pairs <= TINY or (self.step > 0 and self.form.n_pairs <= ALL_PAIRS)

    def relax(self) -> bool:
        """The bound: by prices alone, or by the exact relaxation where that is quick or prices do not say enough.

        False: nothing can keep the hard rules.
        """
        if self.form.n_pairs <= ALL_PAIRS:
            return self.relax_exactly(np.arange(self.form.n_pairs))
        self.priced = ascend(self.form, self.known.prices, gap=self.gap, stop=self.clock.is_over)
        if np.isneginf(self.priced.bound):
            return False  # a unit that needs a rep has no pair that could hold
        doubtful = self.gap < EXACT or self.priced.bound < _worst(self.form)
        if doubtful and not self.clock.is_over():
            return self.relax_exactly(nearest_pairs(self.form, self.priced, FIRST_PAIRS_PER_UNIT))
        self._lower(self.priced.bound)
        return True

    def relax_exactly(self, pairs: Ints) -> bool:
        """The bound of the linear program, and its plan where that is whole."""
        least = SOME_TIME if self.form.n_pairs <= ALL_PAIRS and not self.clock.called_off() else 0.0
        answer = relax(self.form, pairs, gap=self.gap * 1e-3, left=lambda: max(self.clock.left(), least))
        if answer.complete or answer.priced.bound < self.priced.bound:
            self.priced = answer.priced
        if not answer.feasible or np.isneginf(answer.priced.bound):
            return False
        self._lower(answer.priced.bound)
        whole = answer.pairs[answer.share > 0.5]
        chosen = self.form.n_pairs + np.arange(self.form.n_units)
        chosen[self.form.unit[whole]] = whole
        self._offer(chosen)
        return True

    def search(self) -> None:
        """Anneal until the plan is within the gap."""
        if not self.done():
            good_enough = self.bound - self.gap * abs(self.bound)
            search(
                self.form,
                self.priced,
                self.incumbent,
                good_enough=good_enough,
                carried=self.known.options(self.form),
                seed=self.seed,
                clock=self.clock,
                report=self._tell,
            )
            self._tell()

    def close(self) -> None:
        """Branch and bound on the pairs that a better plan could hold."""
        for nodes, gap in self._stages():
            pairs = self._survivors()
            if self.done(gap) or self.clock.is_over() or self._too_many(pairs):
                return
            answer = branch_and_bound(
                self.form,
                pairs,
                gap=gap,
                step=self.step,
                seconds=self.clock.left(),
                nodes=nodes,
                hint=self.incumbent.chosen,
            )
            self._offer(answer.chosen)
            self.impossible = answer.impossible and self.incumbent.chosen is None
            if self.impossible:
                return
            self._lower(max(self.incumbent.objective, -np.inf if answer.impossible else answer.bound))

    def _stages(self) -> Iterator[tuple[int | None, float]]:
        """Nodes and gap of each try.

        Where the end is near (few pairs, a whole objective) all the way to it; else by a fixed effort, so that a run
        ends by itself and gives the same plan on any machine; longer only where there is no plan yet.
        """
        if self.to_the_end:
            yield NODES, 0.0
            yield None, 0.0 if self.step else self.gap
            return
        yield max(FEWEST_NODES, EFFORT // max(self.form.n_pairs, 1)), self.gap
        if self.incumbent.chosen is None:
            yield None, self.gap

    def _too_many(self, pairs: Ints) -> bool:
        return len(pairs) > SEARCHABLE and self.incumbent.chosen is not None

    def done(self, gap: float | None = None) -> bool:
        """Whether the plan is within the gap (or, where the objective comes in steps, within one)."""
        if self.incumbent.chosen is None:
            return False
        if self.step and (self.to_the_end or self.bound - self.incumbent.objective < 0.99 * self.step):
            return self.bound - self.incumbent.objective < 0.99 * self.step
        if self.bound - self.incumbent.objective <= ROUNDING * self.form.scale:
            return True
        return relative_gap(self.incumbent.objective, self.bound) <= (self.gap if gap is None else gap)

    def _survivors(self) -> Ints:
        """The pairs that a better plan could hold: those that lose no more than the gap."""
        if self.incumbent.chosen is None:
            return np.arange(self.form.n_pairs)
        slack = self.priced.bound - self.incumbent.objective
        keep = self.priced.loss(self.form) <= slack * (1 + 1e-9) + 1e-9 * abs(self.priced.bound)
        keep[self.incumbent.chosen[self.incumbent.chosen < self.form.n_pairs]] = True
        return np.flatnonzero(keep)

    def _offer(self, chosen: Ints | None) -> None:
        self.incumbent.offer(chosen)
        self._tell()

    def _lower(self, bound: float) -> None:
        if self.step:
            bound = np.floor(bound / self.step + 1e-6) * self.step
        self.bound = max(min(self.bound, bound), self.incumbent.objective)
        self._tell()

    def _tell(self) -> None:
        self.report(self.bound, self.incumbent.objective)

    def outcome(self, form: Formulation, kept: Restricted) -> Outcome:
        """The answer in terms of the whole formulation."""
        if self.impossible:
            return Outcome.infeasible()
        if self.incumbent.chosen is None:  # no lead placed: a plan too, unless some must be
            self._offer(self.form.n_pairs + np.arange(self.form.n_units))
        priced = price_out(form, price_first_slots(form, self.priced.multipliers))
        if self.incumbent.chosen is None:
            return Outcome.out_of_time(self.bound, priced)
        status = Status.OPTIMAL if self.done() else Status.FEASIBLE
        bound = max(self.bound, self.incumbent.objective)
        return Outcome(status, kept.unrestricted(self.incumbent.chosen), bound, priced, "search")


def _worst(form: Formulation) -> float:
    """No plan is worth less, where no soft rule is broken: a bound below it says that there may be no plan."""
    least = np.where(np.isfinite(form.rest), form.rest, np.inf)
    filled = np.diff(form.start) > 0
    if filled.any():
        least[filled] = np.minimum(least[filled], np.minimum.reduceat(form.value, form.start[:-1][filled]))
    return -np.inf if not all(family.hard for family in form.families) else float(least.sum())


def _step(form: Formulation) -> float:
    """1 where every plan's objective is a whole number, else 0."""
    finite = form.rest[np.isfinite(form.rest)]
    whole = bool((form.value == np.rint(form.value)).all() and (finite == np.rint(finite)).all())
    exact = np.abs(form.value).sum() + np.abs(finite).sum() < 2.0**52
    hard = all(family.hard and family.coupling != "worst" for family in form.families)
    return 1.0 if whole and exact and hard else 0.0
