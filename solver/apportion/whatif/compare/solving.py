"""Solving many problems that are near one another: from the base's prices, each once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import apportion.engines as engines
from apportion.problem import (
    AssignmentProblem,
    MaxMin,
    Plan,
    Prices,
    RulePrice,
    Status,
    price_bound,
    relative_gap,
    verify,
)
from apportion.problem.rules import Rule
from apportion.whatif.baselines import score
from apportion.whatif.compare.fingerprint import problem_print
from apportion.whatif.compare.store import PlanStore, key_of

OnProgress = Callable[[engines.Progress], None]
AS_GOOD = 1e-3  # of the base's gap, by which rounding may make a gap larger


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How exactly each problem is solved: relative gap, seconds, seed."""

    gap: float
    time_limit: float
    seed: int


@dataclass(frozen=True, eq=False)
class Solved:
    """A problem and its plan. reused : the plan was stored, or is the base's own."""

    problem: AssignmentProblem
    plan: Plan
    fingerprint: str
    reused: bool


class Solver:
    """Solves problems beside a base. Each starts from the base's plan alone, so that order and number of workers change
    nothing."""

    def __init__(
        self,
        effort: Effort,
        *,
        store: PlanStore | None = None,
        cancelled: Callable[[], bool] | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.effort, self._store, self._cancelled = effort, store or PlanStore(None), cancelled
        self._on_progress = on_progress
        self._turns: dict[str, threading.Lock] = {}
        self._known: dict[str, Plan] = {}
        self._guard = threading.Lock()

    def solve(self, problem: AssignmentProblem, base: Solved | None = None) -> Solved:
        """The plan of a problem: the base's where the problem is the base's, else stored, else solved."""
        fingerprint = problem_print(problem)
        if base is not None and fingerprint == base.fingerprint:
            return Solved(problem, base.plan, fingerprint, True)
        effort = self.effort
        start = None if base is None else base.fingerprint
        key = key_of(_version(), fingerprint, start, effort.gap, effort.time_limit, effort.seed)
        with self._turn(key):  # whoever asks for the same problem meanwhile waits for the one answer
            held = self._known.get(key) or self._store.read(key, problem)
            plan = self._fresh(problem, base) if held is None else held
            if plan.certificate.stopped_by != "cancelled":
                self._known[key] = plan
            if held is None:
                self._store.write(key, plan)
        return Solved(problem, plan, fingerprint, held is not None)

    def finer(self, gap: float) -> Solver:
        """The same to another gap."""
        return Solver(replace(self.effort, gap=gap), store=self._store, cancelled=self._cancelled)

    def again(self, solved: Solved) -> Solved:
        """The same problem again, from its own plan: for another effort than it was solved with."""
        return self.solve(solved.problem, replace(solved, fingerprint=f"again {solved.fingerprint}"))

    def _turn(self, key: str) -> threading.Lock:
        with self._guard:
            return self._turns.setdefault(key, threading.Lock())

    def _fresh(self, problem: AssignmentProblem, base: Solved | None) -> Plan:
        effort = self.effort
        warm = None if base is None else aligned(base.plan, base.problem, problem)
        if base is not None and warm is not None:
            stays = _unmoved(base, problem, warm, effort.gap)
            if stays is not None:
                return stays
        plan = engines.solve(
            problem,
            gap=effort.gap,
            time_limit=effort.time_limit,
            seed=effort.seed,
            warm=warm,
            cancelled=self._cancelled,
            on_progress=self._on_progress,
        )
        if warm is not None and plan.status.has_plan:
            plan = better(plan, problem, warm.rep, effort.gap)
        return plan


def _version() -> str:
    from apportion import __version__

    return __version__


def aligned(plan: Plan, of: AssignmentProblem, to: AssignmentProblem) -> Plan | None:
    """The plan as a start for another problem: its reps by the ids of leads and reps, -1 where the other has none, and
    its prices over the other's reps; a rep it does not know gets the mean price. None where there is no plan.
    """
    if not plan.status.has_plan or not to.n_reps:
        return None
    plan = plan if of.lead_ids == to.lead_ids and of.rep_ids == to.rep_ids else plan.replace(rep=carried(plan, of, to))
    if of.rep_ids == to.rep_ids:
        return plan
    place = {rep: k for k, rep in enumerate(of.rep_ids)}
    index = np.array([place.get(rep, -1) for rep in to.rep_ids], dtype=np.int64)

    def moved(prices: Any) -> Any:
        return np.append(prices, prices.mean() if len(prices) else 0.0)[index]

    by_rep = {str(rule.name) for rule in of.rules if each_rep_alone(of, rule)}
    rules: Mapping[str, RulePrice] = {
        name: RulePrice(moved(price.low), moved(price.high)) if name in by_rep else price
        for name, price in plan.prices.rules.items()
    }
    prices = Prices(moved(plan.prices.capacity), moved(plan.prices.min_load), rules)
    return plan.replace(prices=prices)


def fitting(prices: Prices, problem: AssignmentProblem) -> Prices:
    """The prices of the rules that the problem has with as many groups; they prove something of it."""
    groups = {str(rule.name): len(problem.groups(rule.by)[1]) for rule in problem.rules}
    known = {name: price for name, price in prices.rules.items() if groups.get(name) == len(price.low)}
    return Prices(prices.capacity, prices.min_load, known)


def each_rep_alone(problem: AssignmentProblem, rule: Rule) -> bool:
    """Whether the rule's groups are the reps, one by one and in their order."""
    return bool(np.array_equal(problem.groups(rule.by)[0], np.arange(problem.n_reps)))


def group_names(problem: AssignmentProblem, rule: Rule) -> tuple[str, ...]:
    """What the rule's groups are called: the reps' ids where each stands alone."""
    return problem.rep_ids if each_rep_alone(problem, rule) else problem.groups(rule.by)[1]


def carried(plan: Plan, of: AssignmentProblem, to: AssignmentProblem) -> Any:
    """(L,) the plan's reps for the leads of another problem, by ids; -1 where the lead or its rep is not there."""
    reps = {rep: k for k, rep in enumerate(to.rep_ids)}
    given = {
        lead: reps.get(of.rep_ids[rep], -1) if rep >= 0 else -1
        for lead, rep in zip(of.lead_ids, plan.rep.tolist(), strict=True)
    }
    return np.array([given.get(lead, -1) for lead in to.lead_ids], dtype=np.int64)


def _unmoved(base: Solved, problem: AssignmentProblem, warm: Plan, gap: float) -> Plan | None:
    """The base's own assignment, where the base's prices prove it as good here as it is there: the change does not
    bind, and nothing is to be solved. None where it may. warm : the base's plan, `aligned`."""
    if any(isinstance(rule, MaxMin) for rule in problem.rules):
        return None
    mine = fitting(warm.prices, problem)
    own = score(problem, warm.rep)
    if own.broken_rules:
        return None
    proved = price_bound(problem, mine)
    bound = max(proved, own.objective)
    left = relative_gap(own.objective, bound)
    if left > min(base.plan.gap * (1.0 + AS_GOOD), gap) or base.plan.status is not Status.OPTIMAL:
        return None
    told = replace(
        base.plan.certificate, objective=own.objective, bound=bound, gap=left, price_bound=proved, proof="prices"
    )
    plan = base.plan.replace(rep=warm.rep, objective=own.objective, bound=bound, prices=mine, certificate=told)
    verdict = verify(problem, plan)
    return plan.replace(certificate=replace(told, verdict=verdict)) if verdict.ok else None


def better(plan: Plan, problem: AssignmentProblem, rep: Any, gap: float) -> Plan:
    """The plan, or another assignment under the same bound where that keeps every rule and is worth more."""
    other = score(problem, rep)
    if other.broken_rules or not other.objective > plan.objective:
        return plan
    bound = max(plan.bound, other.objective)
    left = relative_gap(other.objective, bound)
    told = replace(plan.certificate, objective=other.objective, bound=bound, gap=left, verdict=None)
    status = Status.OPTIMAL if left <= gap else plan.status
    found = plan.replace(rep=rep, objective=other.objective, bound=bound, certificate=told, status=status)
    verdict = verify(problem, found)
    if not verdict.ok:
        return plan
    return found.replace(certificate=replace(told, verdict=verdict))
