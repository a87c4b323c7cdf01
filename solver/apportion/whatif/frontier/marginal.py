"""What one more slot, or one more rep, is worth in each territory, and how surely.

The difference of two plans that are each within a gap of the best says nothing where the gap is larger than the
difference. So a change is told in three ways. By prices: how much the base's proved bound rises with it, at the base's
own prices; the best worth there is rises by no more than that and what these prices leave open. By plans: the
objective found with it less the base's. And the interval that is proved: with bounds and plans of both problems carried
over to each other, the gain of the best worth lies between low and high. Where that does not tell whether there is any
gain, and the prices say that there may be one, both are solved again to a gap by which it would show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem, Limit, MaxMin, Plan, Rule, Status, price_bound
from apportion.whatif.baselines import score
from apportion.whatif.compare.outcome import Outcome
from apportion.whatif.compare.solving import Solved, Solver, aligned, fitting
from apportion.whatif.frontier.shared import in_order
from apportion.whatif.scenarios import Scenario, apply, believed
from apportion.whatif.setting import pose
from apportion_models.policy_value.intervals import Interval

EVERYWHERE = "all reps"
NEW_REP, NEW_SLOT = "one more rep", "one more slot"
COLUMNS = ["territory", "what", "reps", "like", "slots", "by_prices", "by_plans", "low", "high", "meaning"]
NOTHING = 1e-9  # of the base's worth: what is less is rounding
SHOWS = 0.25  # of what the prices promise: what each of two solves may leave open so that a gain shows
FINEST = 1e-6  # relative gap below which no solve is asked for
FINE_PAIRS = 10_000  # above, a smaller gap costs far more than the solves before it, and seldom shows more
HALVINGS = 40  # steps in the search for a newcomer's price

Meaning = Literal["more", "less", "nothing", "unclear", "no plan"]
MEANINGS: dict[Meaning, str] = {
    "more": "a gain",
    "less": "a loss",
    "nothing": "nothing",
    "unclear": "not distinguishable from nothing",
    "no plan": "no plan keeps the rules",
}


def marginal_values(base: Outcome, solver: Solver, *, slots: float = 1.0, workers: int = 2) -> pd.DataFrame:
    """One row a territory and kind: `slots` more effort units for its primary rep whose slot has the highest price; and
    one more rep, like the primary rep whose price is the median, without history.

    by_prices, by_plans, low, high : what it adds to worth, in currency, for one slot (or for the rep); see the module.
    like : who gets the slot, or whom the new rep is like. slots : effort units that come. meaning : of `MEANINGS`.
    """
    ground = _Known.of(base.solved)
    crews = list(_crews(base))
    trials = [trial for crew in crews for trial in (_more(base, *crew, slots), _hire(base, *crew))]
    found = in_order(lambda trial: solver.solve(trial.problem, base.solved), trials, workers)
    known = [_Known.of(one) for one in found]
    ground, gains = _gains(base.solved, ground, trials, known)
    open_ones = [place for place, gain in enumerate(gains) if _meaning(gain, ground) == "unclear"]
    finer = _Finer(base.solved, solver, ground, [trials[place].first for place in open_ones])
    if finer.pays():
        pick = [place for place in open_ones if finer.may_show(trials[place].first)]
        again = in_order(lambda place: finer.solve(trials[place].problem, found[place]), pick, workers)
        for place, one in zip(pick, again, strict=True):
            known[place] = known[place].narrowed(_Known.of(one))
    ground, gains = _gains(base.solved, finer.ground, trials, known)
    return pd.DataFrame([_row(*pair, ground) for pair in zip(trials, gains, strict=True)], columns=COLUMNS)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Trial:
    """A change that is tried. problem : with it. first : what it adds at the base's prices. bound : that these prices
    prove of it. frees : it only gives room, so that the best worth cannot fall. each : by what gains are divided."""

    territory: str
    what: str
    reps: int
    like: str
    slots: float
    problem: AssignmentProblem
    first: float
    bound: float
    frees: bool
    each: float


@dataclass(frozen=True, eq=False)
class _Known:
    """What is known of the best worth of a problem: a plan that has `worth`, and a `bound` that is proved."""

    plan: Plan
    worth: float
    bound: float

    @classmethod
    def of(cls, solved: Solved) -> _Known:
        has = solved.plan.status.has_plan
        worth, bound = (solved.plan.objective, solved.plan.bound) if has else (np.nan, np.nan)
        return cls(solved.plan, worth, bound)

    def narrowed(self, other: _Known) -> _Known:
        """By what another solve of the same problem says."""
        if not other.plan.status.has_plan:
            return self
        return _Known(other.plan, max(self.worth, other.worth), min(self.bound, other.bound))


def _crews(base: Outcome) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each territory with the reps who cover it as primary and have capacity; all reps where there is no territory."""
    able = base.solved.problem.capacity > 0
    cover = base.batch.policy.territories.cover
    for index, item in enumerate(cover):
        reps = np.flatnonzero((np.asarray(base.batch.eligibility.covers)[index] == 2) & able)
        if len(reps):
            yield item.name, reps
    if not cover and able.any():
        yield EVERYWHERE, np.flatnonzero(able)


def _more(base: Outcome, name: str, reps: NDArray[np.int64], slots: float) -> _Trial:
    """More room for the rep of the crew whose room is dearest, whole: shared out, it might make no whole lead."""
    problem, prices = base.solved.problem, base.plan.prices
    rep = int(reps[np.argmax(prices.capacity[reps])])
    extra = np.zeros(problem.n_reps)
    extra[rep] = slots
    limits = [_widened(rule, extra) for rule in problem.limits]
    changed = problem.replace(capacity=problem.capacity + extra, limits=limits)
    bound = price_bound(changed, prices, base.plan.certificate.worst_off)
    return _Trial(
        territory=name,
        what=NEW_SLOT,
        reps=len(reps),
        like=problem.rep_ids[rep],
        slots=slots,
        problem=changed,
        first=max(0.0, bound - _proved(base)),
        bound=bound,
        frees=not _has_target(problem),
        each=slots,
    )


def _widened(rule: Rule, extra: NDArray[np.float64]) -> Rule:
    """The rule that prices overtime begins where the capacity ends; every other limit stays."""
    if not isinstance(rule, Limit) or rule.name != "overtime" or rule.measure != "effort" or rule.high is None:
        return rule
    return replace(rule, high=np.asarray(rule.high, dtype=float) + extra)


def _hire(base: Outcome, name: str, reps: NDArray[np.int64]) -> _Trial:
    problem, prices = base.solved.problem, base.plan.prices.capacity
    like = reps[np.argsort(prices[reps], kind="stable")[len(reps) // 2]]
    twin = problem.rep_ids[like]
    fresh = f"{twin}~new"
    scenario = Scenario.model_validate({"name": NEW_REP, "reps": {"join": [{"rep_id": fresh, "like": twin}]}})
    setting = apply(scenario, base.setting)
    posed = pose(setting, estimates=believed(scenario, setting)).problem
    place = posed.rep_ids.index(fresh)
    bound = _with_newcomer(base, posed, place)
    return _Trial(
        territory=name,
        what=NEW_REP,
        reps=len(reps),
        like=twin,
        slots=float(posed.capacity[place]),
        problem=posed,
        first=bound - _proved(base),
        bound=bound,
        frees=False,
        each=1.0,
    )


def _with_newcomer(base: Outcome, posed: AssignmentProblem, place: int) -> float:
    """The least bound that the base's prices prove of the problem with a newcomer, over the price of their room: the
    bound is convex in it, so that the range is narrowed by thirds."""
    start = aligned(base.plan, base.solved.problem, posed)
    assert start is not None
    prices = fitting(start.prices, posed)
    capacity = prices.capacity.copy()

    def bound(price: float) -> float:
        capacity[place] = price
        return price_bound(posed, replace(prices, capacity=capacity), base.plan.certificate.worst_off)

    mine = posed.pairs.rep == place
    effort = posed.effort[mine]
    worth = np.divide(posed.value[mine], effort, out=np.zeros(len(effort)), where=effort > 0)
    low, high = 0.0, float(worth.max(initial=0.0))
    best = min(bound(low), bound(high))
    for _ in range(HALVINGS):
        third = (high - low) / 3
        left, right = bound(low + third), bound(high - third)
        best = min(best, left, right)
        low, high = (low, high - third) if left <= right else (low + third, high)
    return best


def _proved(base: Outcome) -> float:
    """What the base's prices prove of the base."""
    return price_bound(base.solved.problem, base.plan.prices, base.plan.certificate.worst_off)


def _has_target(problem: AssignmentProblem) -> bool:
    """Whether a rule asks for a share of what could be reached: more room then asks for more."""
    return any(isinstance(rule, MaxMin) for rule in problem.rules)


def _gains(
    base: Solved, ground: _Known, trials: Sequence[_Trial], known: Sequence[_Known]
) -> tuple[_Known, list[Interval]]:
    """What is known of the base in the end, and between what each gain lies: plans and prices of one problem say
    something of the other, too."""
    comparable = not _has_target(base.problem)
    for trial, one in zip(trials, known, strict=True):
        if comparable and one.plan.status.has_plan:
            ground = _informed(base.problem, ground, one.plan, trial.problem)
    gains = []
    for trial, one in zip(trials, known, strict=True):
        bound = min(one.bound, trial.bound) if comparable else one.bound
        low, high = one.worth - ground.bound, bound - ground.worth
        value = one.worth - ground.worth
        if trial.frees:
            low, value = max(0.0, low), max(0.0, value)
        gains.append(Interval(value=value, low=min(low, value), high=max(high, value)))
    return ground, gains


def _informed(problem: AssignmentProblem, ground: _Known, plan: Plan, of: AssignmentProblem) -> _Known:
    """The base, with what the plan of a changed problem says of it: its reps where they keep the base's rules, and its
    prices."""
    here = aligned(plan, of, problem)
    if here is None:
        return ground
    own = score(problem, here.rep)
    worth = ground.worth if own.broken_rules else max(ground.worth, own.objective)
    bound = min(ground.bound, price_bound(problem, fitting(here.prices, problem)))
    return replace(ground, worth=worth, bound=max(worth, bound))


class _Finer:
    """Solving again to a gap by which gains would show, where it pays: where the base can be known that well."""

    def __init__(self, base: Solved, solver: Solver, ground: _Known, promised: Iterable[float]) -> None:
        self._base, self.ground = base, ground
        most = max((first for first in promised if first > 0), default=0.0)
        worth_it = base.problem.pairs.n_pairs <= FINE_PAIRS
        wanted = SHOWS * most / max(abs(ground.worth), np.finfo(float).tiny)
        self._solver = solver.finer(max(wanted, FINEST)) if worth_it and FINEST <= wanted < solver.effort.gap else None

    def pays(self) -> bool:
        """Solve the base again; whether it came so near, so that the changed problems may too."""
        if self._solver is None:
            return False
        found = self._solver.again(self._base)
        self.ground = self.ground.narrowed(_Known.of(found))
        return found.plan.status is Status.OPTIMAL

    def may_show(self, first: float) -> bool:
        """Whether a gain as the prices promise it is more than what the base leaves open."""
        return first > self.ground.bound - self.ground.worth

    def solve(self, problem: AssignmentProblem, before: Solved) -> Solved:
        """The changed problem again, from its own plan."""
        assert self._solver is not None
        return self._solver.again(before) if before.plan.status.has_plan else self._solver.solve(problem, self._base)


def _meaning(gain: Interval, ground: _Known) -> Meaning:
    least = NOTHING * max(abs(ground.worth), 1.0)
    if np.isnan(gain.value):
        return "no plan"
    if gain.high <= least and gain.low >= -least:
        return "nothing"
    if gain.low > least:
        return "more"
    return "less" if gain.high < -least else "unclear"


def _row(trial: _Trial, gain: Interval, ground: _Known) -> dict[str, object]:
    amounts = [amount / trial.each for amount in (trial.first, gain.value, gain.low, gain.high)]
    told = (trial.territory, trial.what, trial.reps, trial.like, trial.slots, *amounts)
    return dict(zip(COLUMNS, (*told, MEANINGS[_meaning(gain, ground)]), strict=True))
