"""solve: from a problem to a verified plan."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from apportion.engines.choose import TRANSPORT, Engine, choose, choose_transport
from apportion.engines.clock import Clock
from apportion.engines.formulate import formulate
from apportion.engines.formulation import CAPACITY, Formulation
from apportion.engines.known import Known
from apportion.engines.lagrangian import Multipliers, legal
from apportion.engines.ledger import Ledger
from apportion.engines.maxmin import solve_max_min
from apportion.engines.memory import check_memory
from apportion.engines.outcome import Outcome
from apportion.problem import (
    AssignmentProblem,
    Certificate,
    MaxMin,
    Plan,
    Prices,
    RulePrice,
    Status,
    price_bound,
    relative_gap,
    verify,
)
from apportion.problem.plan import Proof, StoppedBy
from apportion.problem.reorder import canonical_order, reorder
from apportion_models.errors import UnverifiedPlanError, UsageError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Progress:
    """How far a solve has come: the bound, and the objective of the best plan so far (-inf before the first)."""

    bound: float
    objective: float

    @property
    def gap(self) -> float:
        """(bound − objective) / |bound|; inf before the first plan."""
        return math.inf if math.isinf(self.objective) else relative_gap(self.objective, self.bound)


def solve(
    problem: AssignmentProblem,
    *,
    gap: float = 1e-3,
    time_limit: float = 60.0,
    seed: int = 0,
    engine: str | Engine = "auto",
    on_progress: Callable[[Progress], None] | None = None,
    warm: Plan | None = None,
    cancelled: Callable[[], bool] | None = None,
    memory_limit: float | None = None,
) -> Plan:
    """Find the plan with the largest objective that keeps every hard rule, and prove how good it is.

    gap : relative gap at which to stop. time_limit : seconds; at the limit the best verified plan is returned. seed :
    of the search; the same problem, seed and version give the same plan, unless the limit cuts it short. engine :
    "auto" picks by structure; one of your own is taken as it is.
    on_progress : called with each better bound or plan. warm : a plan of a similar problem over the same reps (a
    capacity moved, leads added) to start from: its prices and, where the leads are as many, who had which; another
    start may end in another plan within the gap.
    cancelled : asked as it runs; when it says True, the best verified plan so far is returned. memory_limit : bytes
    beside the problem itself; by default what the machine, its control group or the process's own limit leaves. A
    problem that may need more (`memory_needed`) is refused before anything large is built.

    The plan's status says how it ended; no exception is raised for an infeasible problem. Raises UsageError for
    arguments out of range, ProblemError where the problem will not fit in memory, and UnverifiedPlanError, which is a
    bug, where a plan fails verification.
    """
    _check_arguments(problem, gap, time_limit, seed, warm)
    check_memory(problem, engine if isinstance(engine, str) else "core", memory_limit)
    leads, reps = canonical_order(problem)
    clock, teller = Clock(time_limit, cancelled), _Teller(on_progress)
    taken, why = choose_transport(problem, engine)
    if taken:
        from apportion.engines.transport.solve import solve as solve_counts  # small problems never load a compiler

        plan = solve_counts(problem, leads, reps, clock=clock, seed=seed, report=teller, gap=gap)
        return told(_settled(_verified(problem, plan), gap), TRANSPORT, why, clock)
    ordered = reorder(problem, leads, reps)
    form = formulate(ordered)
    hard = next((rule for rule in ordered.equity if isinstance(rule, MaxMin) and rule.price is None), None)
    choice = choose(form if hard is None else form.with_floor(hard, 0.0), engine, why)

    known = Known() if warm is None else _known(ordered, form, warm, leads, reps)

    def solve_form(one: Formulation) -> Outcome:
        fits = known.prices is not None and len(known.prices) == len(one.families)
        start = known if fits else replace(known, prices=None)
        return choice.engine.solve(one, gap=gap, clock=clock, seed=seed, report=teller, known=start)

    outcome = solve_form(form) if hard is None else solve_max_min(form, hard, solve_form)
    plan = plan_of(problem, ordered, form, outcome, leads, reps)
    return _verified(problem, told(plan, choice.engine.name, choice.why, clock))


def told(plan: Plan, engine: str, why: str, clock: Clock) -> Plan:
    """The plan with the engine that found it, and what stopped it."""
    ended = plan.status in (Status.OPTIMAL, Status.INFEASIBLE)
    stopped_by: StoppedBy = "gap" if ended else "effort"
    if not ended and clock.is_over():
        stopped_by = "cancelled" if clock.called_off() else "time"
    told = replace(plan.certificate, engine=engine, why_engine=why, stopped_by=stopped_by)
    return replace(plan, certificate=told)


def _settled(plan: Plan, gap: float) -> Plan:
    """The plan with the bound that the verifier found its prices to prove: one pass over the pairs serves both."""
    verdict = plan.certificate.verdict
    if verdict is None:
        return plan
    bound = max(verdict.price_bound, plan.objective)
    told = replace(
        plan.certificate, bound=bound, gap=relative_gap(plan.objective, bound), price_bound=verdict.price_bound
    )
    near = plan.status is Status.OPTIMAL or told.gap <= gap
    return replace(plan, bound=bound, certificate=told, status=Status.OPTIMAL if near else Status.FEASIBLE)


def _check_arguments(problem: AssignmentProblem, gap: float, time_limit: float, seed: int, warm: Plan | None) -> None:
    if warm is not None and len(warm.prices.capacity) != problem.n_reps:
        raise UsageError(
            f"warm must be a plan over the same {problem.n_reps} reps. Got one over {len(warm.prices.capacity)}."
        )
    if not (0 <= gap < 1):
        raise UsageError(f"gap must lie between 0 and 1. Got {gap!r}.")
    if not time_limit > 0:
        raise UsageError(f"time_limit must be positive, in seconds. Got {time_limit!r}.")
    if seed < 0:
        raise UsageError(f"seed must be 0 or more. Got {seed!r}.")


class _Teller:
    """Passes on what is news."""

    def __init__(self, on_progress: Callable[[Progress], None] | None) -> None:
        self._on_progress, self._last = on_progress, (math.inf, -math.inf)

    def __call__(self, bound: float, objective: float) -> None:
        if self._on_progress is not None and (bound, objective) != self._last:
            self._last = (bound, objective)
            self._on_progress(Progress(bound, objective))


def plan_of(
    problem: AssignmentProblem, ordered: AssignmentProblem, form: Formulation, outcome: Outcome, leads: Ints, reps: Ints
) -> Plan:
    """Bring an outcome back to the problem's own order of leads and reps."""
    prices = _prices(problem, ordered, form, outcome, reps)
    rep = np.full(problem.n_leads, -1, dtype=np.int64)
    objective, bound = math.nan, outcome.bound
    if outcome.chosen is not None:
        rep[leads] = np.append(reps[form.rep], np.full(form.n_units, -1))[outcome.chosen][form.unit_of_lead]
        objective = Ledger(form, outcome.chosen).objective()
        bound = max(bound, objective)
    rep.setflags(write=False)
    by_prices = math.nan if outcome.priced is None else price_bound(problem, prices, outcome.worst_off)
    certificate = Certificate(
        objective=objective,
        bound=bound,
        gap=relative_gap(objective, bound),
        proof=_proof(outcome, bound, by_prices),
        engine="",
        why_engine="",
        price_bound=by_prices,
        resolution=outcome.resolution,
        worst_off=outcome.worst_off,
        worst_off_bound=outcome.worst_off_bound,
    )
    return Plan(rep, outcome.status, objective, bound, prices, certificate)


def _proof(outcome: Outcome, bound: float, by_prices: float) -> Proof:
    """How the bound is known: by the prices alone wherever they prove it, as the verifier computes it."""
    if outcome.proof in ("none", "network"):
        return outcome.proof
    return "prices" if by_prices <= bound + 1e-9 * abs(bound) else "search"


def _prices(
    problem: AssignmentProblem, ordered: AssignmentProblem, form: Formulation, outcome: Outcome, reps: Ints
) -> Prices:
    if outcome.priced is None:
        return Prices.none(problem.n_reps)
    back = np.argsort(reps)
    capacity, minimum, rules = np.zeros(problem.n_reps), np.zeros(problem.n_reps), {}
    grouped_by = {str(rule.name): rule.by for rule in ordered.rules}
    for name, priced in zip(outcome.priced.names, outcome.priced.multipliers, strict=True):
        if name == CAPACITY:
            minimum, capacity = priced.low[back], priced.high[back]
            continue
        by_rep = isinstance(grouped_by[name], str) and grouped_by[name] == "rep"
        order = back if by_rep else np.arange(len(priced.low))
        rules[name] = RulePrice(priced.low[order], priced.high[order])
    return Prices(capacity, minimum, rules)


def _known(ordered: AssignmentProblem, form: Formulation, warm: Plan, leads: Ints, reps: Ints) -> Known:
    """A plan's prices and, where its leads are as many, who had each unit, in the order of the formulation."""
    prices = _multipliers(ordered, form, warm.prices, reps)
    if len(warm.rep) != ordered.n_leads:
        return Known(prices)
    rep = np.full(form.n_units, -1, dtype=np.int64)
    rep[form.unit_of_lead] = np.append(np.argsort(reps), -1)[warm.rep[leads]]
    return Known(prices, rep)


def _multipliers(ordered: AssignmentProblem, form: Formulation, prices: Prices, reps: Ints) -> Multipliers:
    """Bring a plan's prices into the order of the formulation: `_prices` the other way round. A rule that it does not
    know is priced at nothing."""
    grouped_by = {str(rule.name): rule.by for rule in ordered.rules}
    multipliers = []
    for family in form.families:
        if family.name == CAPACITY:
            multipliers.append(legal(family, prices.min_load[reps], prices.capacity[reps]))
            continue
        found = prices.rules.get(family.name)
        low = high = np.zeros(family.n_groups)
        if found is not None and len(found.low) == family.n_groups:
            by_rep = isinstance(grouped_by[family.name], str) and grouped_by[family.name] == "rep"
            order = reps if by_rep else np.arange(family.n_groups)
            low, high = found.low[order], found.high[order]
        multipliers.append(legal(family, low, high))
    return tuple(multipliers)


def _verified(problem: AssignmentProblem, plan: Plan) -> Plan:
    if not plan.status.has_plan:
        return plan
    verdict = verify(problem, plan)
    if not verdict.ok:
        raise UnverifiedPlanError(f"the plan failed verification: {verdict}. This is a bug; please report it.")
    return replace(plan, certificate=replace(plan.certificate, verdict=verdict))
