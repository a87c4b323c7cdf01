"""CP-SAT, plainly: one Boolean a pair, amounts scaled to integers. `cpsat:careful` is the same without presolve.

Scales keep each sum of Boolean coefficients below 2³¹, as it is written, and bands are taken narrower by what rounding
can amount to, so that a plan in scaled numbers keeps the rules in currency. Presolve puts sums into each other all the
same: with shares in the model, CP-SAT 9.15 then calls plans optimal that are not, and without presolve it does not
(50 × 5, all rules, seeds 1 and 2). So both take part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from benchmarks.contender import Answer, Ask, Contender
from benchmarks.instances import Instance
from benchmarks.rivals.sums import Bounded, Listed, bounded, cannot_state, listed, nurture_of, together

LARGEST = 2**31 - 1
PARTS = 10**6  # a fair share in millionths


@dataclass(frozen=True)
class Model:
    """The model, its Booleans, and what a unit of its objective is worth: objective = constant + unit × CP-SAT's."""

    instance: Instance
    pairs: Listed
    cp: cp_model.CpModel
    taken: list[Any]
    unit: float
    constant: float


def _whole(amount: NDArray[np.float64]) -> bool:
    return bool((amount == np.rint(amount)).all() and np.abs(amount).sum() < LARGEST)


def _scale(amount: NDArray[np.float64]) -> float:
    """Units of thousandths, or of as little as keeps the sum of all below the limit."""
    most = LARGEST / max(float(np.abs(amount).sum()), 1e-9)
    return min(1000.0, float(np.floor(most)) if most > 1 else most)


def prepare(instance: Instance) -> Model:
    """Write the model."""
    pairs, cp = listed(instance), cp_model.CpModel()
    taken = [cp.new_bool_var("") for _ in range(len(pairs.lead))]
    of_lead: list[list[Any]] = [[] for _ in range(instance.n_leads)]
    of_pair: dict[tuple[int, int], Any] = {}
    for lead, rep, x in zip(pairs.lead.tolist(), pairs.rep.tolist(), taken, strict=True):
        of_lead[lead].append(x)
        of_pair[lead, rep] = x
    for some in of_lead:
        if instance.must_assign:
            cp.add_exactly_one(some)
        else:
            cp.add_at_most_one(some)
    costs: list[Any] = [_bound(cp, rule, taken, instance.n_leads) for rule in bounded(instance, pairs)]
    for first, other in together(instance):
        for rep in range(instance.n_reps):
            cp.add(of_pair.get((first, rep), 0) == of_pair.get((other, rep), 0))
    nurture = nurture_of(instance)
    gain = pairs.value - nurture[pairs.lead]
    scale = _scale(gain)
    worth = cp_model.LinearExpr.weighted_sum(taken, np.rint(scale * gain).astype(np.int64).tolist())
    cp.maximize(worth - sum(round(scale * unit) * violation for unit, violation in filter(None, costs)))
    return Model(instance, pairs, cp, taken, 1 / scale, float(nurture.sum()))


def _bound(cp: cp_model.CpModel, rule: Bounded, taken: list[Any], n_leads: int) -> tuple[float, Any] | None:
    """Add one rule. For a soft one: the cost of a unit of its violation, and the violation."""
    whole = _whole(rule.amount)
    scale = 1.0 if whole and rule.price is None else _scale(rule.amount)
    units = np.rint(scale * rule.amount).astype(np.int64)
    # a lead's amount is off by half a unit at most, in a sum and again in the total
    slack = 0 if np.allclose(units, scale * rule.amount, rtol=0, atol=1e-9) else n_leads
    reach = int(np.abs(units).sum())
    sums = []
    for group in range(len(rule.low)):
        inside = np.flatnonzero((rule.group == group) & (units != 0))
        total = cp.new_int_var(-reach, reach, "")
        cp.add(total == cp_model.LinearExpr.weighted_sum([taken[k] for k in inside], units[inside].tolist()))
        sums.append(total)
    everything: Any = 1
    if rule.shares:
        everything = cp.new_int_var(-reach, reach, "")
        cp.add(everything == cp_model.LinearExpr.weighted_sum(taken, units.tolist()))
    violation: list[Any] = []
    for low, high, total in zip(rule.low.tolist(), rule.high.tolist(), sums, strict=True):
        over: Any = 0
        if rule.price is not None:
            over = cp.new_int_var(0, 2 * reach, "")
            violation.append(over)
        times = PARTS if rule.shares else 1
        if math.isfinite(low):
            least = math.ceil(low * (PARTS if rule.shares else scale) - 1e-6)
            cp.add(times * (total + over) >= least * everything + times * slack)
        if math.isfinite(high):
            most = math.floor(high * (PARTS if rule.shares else scale) + 1e-6)
            cp.add(times * (total - over) <= most * everything - times * slack)
    return None if rule.price is None else (rule.price / scale, sum(violation))


def _solve(model: Model, ask: Ask, presolve: bool) -> Answer:
    """Solve with all cores."""
    solver = cp_model.CpSolver()
    solver.parameters.cp_model_presolve = presolve
    solver.parameters.max_time_in_seconds = ask.time_limit
    solver.parameters.relative_gap_limit = ask.gap
    solver.parameters.num_workers = ask.threads
    solver.parameters.random_seed = ask.seed
    status = solver.solve(model.cp)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer(None, solver.status_name(status))
    rep = np.full(model.instance.n_leads, -1, dtype=np.int64)
    chosen = np.array([solver.boolean_value(x) for x in model.taken], dtype=bool)
    rep[model.pairs.lead[chosen]] = model.pairs.rep[chosen]
    bound = model.constant + model.unit * solver.best_objective_bound
    return Answer(rep, solver.status_name(status), bound)


def contender(option: str) -> Contender:
    """`plain`, or `careful`: without presolve."""
    title, presolve = {"plain": ("CP-SAT", True), "careful": ("CP-SAT without presolve", False)}[option]
    return Contender(title, prepare, lambda model, ask: _solve(model, ask, presolve), cannot_state)
