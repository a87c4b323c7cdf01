"""Max-min: the worst-off group first, within what the rest may cost.

First the best objective without the rule; then, by bisection, the largest floor under every group's value per fair
share for which a plan still keeps the promised part of it; then the best plan at that floor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from apportion.engines.formulation import Family, Formulation
from apportion.engines.ledger import Ledger
from apportion.engines.outcome import Outcome
from apportion.problem import MaxMin, Status

FormSolver = Callable[[Formulation], Outcome]

BISECTIONS = 40
RESOLUTION = 1e-6  # of the largest floor there could be


def solve_max_min(form: Formulation, rule: MaxMin, solve_form: FormSolver) -> Outcome:
    """Solve with a hard MaxMin rule. The outcome's bound is on plans with the floor that was reached."""
    index = next((at for at, family in enumerate(form.families) if family.name == rule.name), None)
    free = _without(form, rule)
    best = solve_form(free)
    if best.chosen is None or index is None:
        return best
    family = form.families[index]
    enough = _enough(Ledger(free, best.chosen).objective(), rule.keep)
    reached, outcome = Ledger(form, best.chosen).worst_off(index), best
    ceiling = proved = _ceiling(form, family)
    if np.isinf(reached):  # no group counts
        return best
    low = reached
    for _ in range(BISECTIONS):
        if ceiling - low <= RESOLUTION * max(abs(ceiling), abs(low)):
            break
        middle = 0.5 * (low + ceiling)
        tried = solve_form(form.with_floor(rule, middle))
        if tried.chosen is not None and Ledger(free, tried.chosen).objective() >= enough:
            reached, outcome = Ledger(form, tried.chosen).worst_off(index), tried
            low = max(middle, reached)
        elif tried.status is Status.TIME_LIMIT:
            break
        else:
            ceiling = middle
            if tried.status is Status.INFEASIBLE or tried.bound < enough:
                proved = middle
    return _at_floor(form, rule, reached, max(proved, reached), outcome, best, solve_form)


def _at_floor(
    form: Formulation, rule: MaxMin, floor: float, ceiling: float, found: Outcome, best: Outcome, solve_form: FormSolver
) -> Outcome:
    """The best plan that keeps the floor reached."""
    final = solve_form(form.with_floor(rule, floor))
    if (
        final.chosen is None
        or Ledger(_without(form, rule), final.chosen).objective()
        < Ledger(_without(form, rule), _plan(found)).objective()
    ):
        bound = best.bound if final.chosen is None else final.bound
        final = replace(found, bound=bound, priced=best.priced, proof="search", status=Status.FEASIBLE)
    return replace(final, worst_off=floor, worst_off_bound=ceiling)


def _plan(outcome: Outcome) -> np.ndarray:
    assert outcome.chosen is not None
    return outcome.chosen


def _without(form: Formulation, rule: MaxMin) -> Formulation:
    return replace(form, families=tuple(family for family in form.families if family.name != rule.name))


def _enough(objective: float, keep: float) -> float:
    """What `keep` of the best objective is; below zero, what is lost counts against its size."""
    return objective - (1.0 - keep) * abs(objective) - 1e-9 * abs(objective)


def _ceiling(form: Formulation, family: Family) -> float:
    """No plan's worst-off group is above: all the value shared out exactly by fair share, or all a group could
    reach."""
    counted = family.low_share > 0
    group = family.group[form.rep]
    most = np.zeros(form.n_units)
    np.maximum.at(most, form.unit, family.measure)
    shared = most.sum() / family.low_share[counted].sum()
    reach = np.zeros((form.n_units, family.n_groups + 1))
    np.maximum.at(reach, (form.unit, group), family.measure)
    return float(min(shared, (reach.sum(axis=0)[:-1][counted] / family.low_share[counted]).min()))
