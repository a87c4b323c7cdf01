"""Draw: some leads of a plan change reps, and the plan says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem, Plan, Status, Swaps, relative_gap, verify
from apportion.problem.pairs import Floats, Ints
from apportion.swaps.lottery import Lottery, lottery_of
from apportion_models.errors import UnverifiedPlanError

LARGEST_SHARE = 0.5


def swap_some(
    problem: AssignmentProblem,
    plan: Plan,
    *,
    share: float,
    salt: str,
    gap: float,
    may_swap: NDArray[np.bool_] | None = None,
    may_take: NDArray[np.bool_] | None = None,
    loss_at_most: float | None = None,
) -> Plan:
    """Give the plan with some leads swapped between its reps, verified, and the propensity of every lead's rep.

    salt : what the draw follows from; the same one draws the same. gap : the relative gap that the plan was asked for;
    a plan that the draw takes beyond it is FEASIBLE and no longer OPTIMAL. For the rest see `lottery_of`. The bound
    stays, for it holds for every plan. Raises ValueError for a share outside (0, 0.5], and UnverifiedPlanError should
    the swapped plan break a rule.
    """
    if not 0 < share <= LARGEST_SHARE:
        raise ValueError(f"share must be above 0 and at most {LARGEST_SHARE:g}. Got {share!r}.")
    lottery = lottery_of(problem, plan, share=share, may_swap=may_swap, may_take=may_take, loss_at_most=loss_at_most)
    drawn = lottery.draw(salt)
    rep = _swapped(plan.rep, lottery, drawn)
    one, two = lottery.sides
    size = np.array([len(leads) for leads in lottery.units.members], dtype=np.float64)
    swaps = Swaps(
        planned=plan.rep,
        propensity=_propensities(plan.rep, rep, lottery),
        objective=plan.objective,
        status=plan.status,
        revenue_cost=float(lottery.chance @ lottery.revenue_cost),
        mean_swapped=float(lottery.chance @ (size[one] + size[two])) if len(one) else 0.0,
    )
    return _verified(problem, plan.replace(rep=rep, swaps=swaps), gap)


def _swapped(planned: Ints, lottery: Lottery, drawn: list[tuple[int, int]]) -> Ints:
    rep, units = planned.copy(), lottery.units
    for one, two in drawn:
        rep[units.members[one]], rep[units.members[two]] = units.rep[two], units.rep[one]
    return rep


def _propensities(planned: Ints, rep: Ints, lottery: Lottery) -> Floats:
    """(L,) the chance of each lead's rep, exactly; 1 for leads that took no part, NaN for nurture."""
    found = np.where(planned >= 0, 1.0, np.nan)
    now = {place: int(rep[leads[0]]) for place, leads in enumerate(lottery.units.members)}
    for unit, given, chance in zip(*(column.tolist() for column in lottery.chances()), strict=True):
        if now[unit] == given:
            found[lottery.units.members[unit]] = chance
    return found


def _verified(problem: AssignmentProblem, plan: Plan, gap: float) -> Plan:
    """The plan with the objective that it earns and the gap that it leaves, once every rule is checked anew."""
    objective = verify(problem, plan).objective
    left = relative_gap(objective, plan.bound)
    status = plan.status if left <= max(gap, relative_gap(plan.objective, plan.bound)) else Status.FEASIBLE
    certificate = replace(plan.certificate, objective=objective, gap=left, verdict=None)
    drawn = plan.replace(objective=objective, status=status, certificate=certificate)
    verdict = verify(problem, drawn)
    if not verdict.ok:
        raise UnverifiedPlanError(f"the swapped plan failed verification: {verdict}. This is a bug; please report it.")
    return drawn.replace(certificate=replace(certificate, verdict=verdict))
