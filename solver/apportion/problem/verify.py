"""An independent checker: no OR-Tools, no code of the engines, one pass over the plan and one over the pairs.

Every sum is taken anew from the problem's arrays. A bound `a <= b` holds when it is broken by less than `TOLERANCE` of
the largest number in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from apportion.problem.bound import price_bound
from apportion.problem.plan import Plan, Prices, RuleVerdict, Verdict
from apportion.problem.problem import AssignmentProblem
from apportion.problem.rules import Limit, MaxMin, Rule, Share
from apportion.problem.sums import effort_of, fair_shares, measure_of, scaled, sum_by, typical

TOLERANCE = 1e-7

Floats = NDArray[np.float64]


def verify(problem: AssignmentProblem, plan: Plan) -> Verdict:
    """Check every rule of the problem on the plan, its objective and its bound.

    Soft rules always hold; what their violation costs is part of the objective that is recomputed. The bound must not
    lie below the objective, and a bound said to be proved by prices must not lie below what the prices prove.
    """
    if not plan.status.has_plan:
        return Verdict((RuleVerdict("has a plan", False, math.inf, str(plan.status)),), math.nan, math.inf)
    shape = _shape(problem, plan)
    if not shape.holds:
        return Verdict((shape,), math.nan, math.inf)
    fit = _prices_fit(problem, plan.prices)
    if not fit.holds:
        return Verdict((shape, fit), math.nan, math.inf)
    book = _Book(problem, plan)
    rules = [shape, fit, book.eligibility(), book.must_assign(), book.capacity(), book.min_load(), book.parcels()]
    rules += [book.rule(rule) for rule in problem.rules]
    objective = book.objective()
    bound = price_bound(problem, plan.prices, plan.certificate.worst_off)
    numbers = problem.entries("value").size + float(np.abs(problem.nurture).sum())
    rules += list(_claims(plan, objective, bound, numbers))
    return Verdict(tuple(rules), objective, bound)


def _shape(problem: AssignmentProblem, plan: Plan) -> RuleVerdict:
    rep = np.asarray(plan.rep)
    name = "each lead exactly once"
    if not isinstance(plan.rep, np.ndarray):
        return RuleVerdict(name, False, math.inf, f"plan.rep is {type(plan.rep).__name__}, no array")
    if rep.shape != (problem.n_leads,) or not np.issubdtype(rep.dtype, np.integer):
        return RuleVerdict(name, False, math.inf, f"plan.rep is {rep.dtype} of shape {rep.shape}")
    wrong = (rep < -1) | (rep >= problem.n_reps)
    return _first_lead(name, wrong, problem, np.abs(rep).astype(float))


def _prices_fit(problem: AssignmentProblem, prices: Prices) -> RuleVerdict:
    """Whether there is one finite price for each bound that is priced."""
    sizes = {str(rule.name): len(problem.groups(rule.by)[1]) for rule in problem.rules}
    given = [("capacity", prices.capacity, problem.n_reps), ("minimum load", prices.min_load, problem.n_reps)]
    for name, price in prices.rules.items():
        given += [(name, price.low, sizes.get(name, -1)), (name, price.high, sizes.get(name, -1))]
    for name, array, size in given:
        if np.shape(array) != (size,) or not np.isfinite(np.asarray(array, dtype=float)).all():
            return RuleVerdict("prices fit the problem", False, math.inf, name)
    return RuleVerdict("prices fit the problem", True)


def _first_lead(
    name: str, wrong: NDArray[np.bool_], problem: AssignmentProblem, amount: Floats | None = None
) -> RuleVerdict:
    """The lead that is most wrong, or the first: names are looked up only then."""
    if not wrong.any():
        return RuleVerdict(name, True)
    return _first(name, wrong, np.ones(len(wrong)) if amount is None else amount, problem.lead_ids)


def _first(name: str, wrong: NDArray[np.bool_], amount: Floats, names: tuple[str, ...]) -> RuleVerdict:
    if not wrong.any():
        return RuleVerdict(name, True)
    worst = int(np.argmax(np.where(wrong, amount, -np.inf)))
    return RuleVerdict(name, False, float(amount[worst]), names[worst])


class _Book:
    """The plan's pairs, entered once; each rule is read from the sums."""

    def __init__(self, problem: AssignmentProblem, plan: Plan) -> None:
        self.problem, self.plan = problem, plan
        leads = np.arange(problem.n_leads)
        pair = problem.pairs.position(leads, plan.rep)
        self.placed = plan.rep >= 0
        self.eligible = pair >= 0
        self.lead = leads[self.eligible]  # the leads whose pair counts
        self.rep = plan.rep[self.eligible]
        self.pair = pair[self.eligible]
        self.penalty = 0.0
        self.reward = 0.0

    def eligibility(self) -> RuleVerdict:
        wrong = self.placed & ~self.eligible
        return _first_lead("eligibility", wrong, self.problem)

    def must_assign(self) -> RuleVerdict:
        wrong = self.problem.must_assign & ~self.placed
        return _first_lead("must assign", wrong, self.problem)

    def _loads(self) -> Floats:
        return sum_by(self.rep, self.problem.entries("effort").at(self.pair, self.lead), self.problem.n_reps)

    @cached_property
    def _efforts(self) -> Floats:
        return typical(effort_of(self.problem), np.arange(self.problem.n_reps), self.problem.n_reps)

    def capacity(self) -> RuleVerdict:
        return _compare("capacity", self._loads(), self.problem.capacity, self.problem.rep_ids, self._efforts)

    def min_load(self) -> RuleVerdict:
        return _compare("minimum load", self.problem.min_load, self._loads(), self.problem.rep_ids, self._efforts)

    def parcels(self) -> RuleVerdict:
        labels, rep = self.problem.parcel, self.plan.rep
        if labels is None:
            return RuleVerdict("parcels stay together", True)
        _, first, member = np.unique(labels, return_index=True, return_inverse=True)
        wrong = rep != rep[first][member]
        return _first_lead("parcels stay together", wrong, self.problem)

    def rule(self, rule: Rule) -> RuleVerdict:
        """Whether the sums lie within the rule's bounds; a soft rule holds, and its price is added to the penalty."""
        index, names = self.problem.groups(rule.by)
        sums = self._sums(rule, index, len(names))
        if isinstance(rule, MaxMin):
            return self._max_min(rule, index, names, sums)
        low, high, size = self._bounds(rule, index, sums)
        short, over = np.maximum(low - sums, 0), np.maximum(sums - high, 0)
        if rule.price is not None:
            cost = float(rule.price * (short.sum() + over.sum()))
            self.penalty += cost
            return RuleVerdict(str(rule.name), True, float(max(short.max(initial=0), over.max(initial=0))))
        below = _compare(str(rule.name), low, sums, names, size)
        return below if not below.holds else _compare(str(rule.name), sums, high, names, size)

    def _sums(self, rule: Rule, index: NDArray[np.int64], n_groups: int) -> Floats:
        group = index[self.rep]
        inside = group >= 0
        return sum_by(group[inside], self._measured(rule)[inside], n_groups)

    def _measured(self, rule: Rule) -> Floats:
        return measure_of(self.problem, rule).at(self.pair, self.lead)

    def _bounds(self, rule: Limit | Share, index: NDArray[np.int64], sums: Floats) -> tuple[Floats, Floats, Floats]:
        """(G,) bounds of each group, and the size of what was added up to compare with them."""
        low = np.broadcast_to(-np.inf if rule.low is None else np.asarray(rule.low, dtype=float), sums.shape)
        high = np.broadcast_to(np.inf if rule.high is None else np.asarray(rule.high, dtype=float), sums.shape)
        size = self._size(rule, index, len(sums))
        if isinstance(rule, Limit):
            return low, high, size
        fair = fair_shares(self.problem, rule, index, len(sums))
        earlier = np.zeros(len(sums)) if rule.earlier is None else np.asarray(rule.earlier, dtype=float)
        total = math.fsum(self._measured(rule)) + earlier.sum()
        size = np.maximum(size, np.abs(earlier))
        return scaled(low, fair * total) - earlier, scaled(high, fair * total) - earlier, size

    def _size(self, rule: Rule, index: NDArray[np.int64], n_groups: int) -> Floats:
        """(G,) the size of what each group adds up; at least one typical entry: of the group, or of all that share a
        total."""
        measure = measure_of(self.problem, rule)
        group = index[self.rep]
        size = sum_by(group[group >= 0], np.abs(self._measured(rule))[group >= 0], n_groups)
        if isinstance(rule, Limit):
            return np.maximum(size, typical(measure, index, n_groups))
        return np.maximum(size, typical(measure, np.zeros(self.problem.n_reps, dtype=np.int64), 1))

    def _max_min(self, rule: MaxMin, index: NDArray[np.int64], names: tuple[str, ...], sums: Floats) -> RuleVerdict:
        fair = fair_shares(self.problem, rule, index, len(sums))
        worst = float(np.min(sums[fair > 0] / fair[fair > 0], initial=np.inf))
        if rule.price is not None:
            self.reward += 0.0 if math.isinf(worst) else rule.price * worst
            return RuleVerdict(str(rule.name), True)
        promised = self.plan.certificate.worst_off
        if promised is None or math.isinf(worst):
            return RuleVerdict(str(rule.name), promised is None or math.isinf(worst))
        size = self._size(rule, index, len(sums))
        return _compare(str(rule.name), np.where(fair > 0, promised * fair, -np.inf), sums, names, size)

    def objective(self) -> float:
        """Sum anew; call it after the rules, whose penalties it takes."""
        earned = self.problem.entries("value").at(self.pair, self.lead)
        value = math.fsum(earned.tolist()) + math.fsum(self.problem.nurture[~self.placed].tolist())
        return value - self.penalty + self.reward


def _compare(
    name: str, small: Floats, large: Floats, names: tuple[str, ...], size: Floats | float = 0.0
) -> RuleVerdict:
    """Whether small <= large everywhere, within the tolerance. size : of what was added up, which may have cancelled.

    Each row is measured against its own numbers only: a large capacity elsewhere excuses nothing here.
    """
    excess = np.where(np.isneginf(small) | np.isposinf(large), -np.inf, small - large)
    scale = np.maximum(np.where(np.isfinite(small), np.abs(small), 0), np.where(np.isfinite(large), np.abs(large), 0))
    allowed = TOLERANCE * np.maximum(scale, size)
    return _first(name, excess > allowed, excess, names)


def _claims(plan: Plan, objective: float, bound: float, numbers: float) -> Iterator[RuleVerdict]:
    """The plan's objective and bound against ours. `numbers` is the size of all that was added up: its last digits are
    noise."""
    noise = 1e-12 * numbers
    allowed = 1e-9 * abs(objective) + noise
    difference = abs(objective - plan.objective)
    yield RuleVerdict("objective is what the plan earns", difference <= allowed, difference, "objective")
    if math.isnan(plan.bound):
        yield RuleVerdict("bound is a number", False, math.nan, "bound")
        return
    below = objective - plan.bound
    yield RuleVerdict("bound is not below the objective", below <= allowed, max(below, 0.0), "bound")
    if plan.certificate.proof in ("network", "prices"):
        missing = bound - plan.bound
        allowed = 1e-9 * abs(bound) + noise + (plan.certificate.resolution or 0.0) * len(plan.rep)
        yield RuleVerdict("bound is proved by the prices", missing <= allowed, max(missing, 0.0), "bound")
