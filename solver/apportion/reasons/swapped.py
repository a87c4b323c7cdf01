"""What a draw changed, in plain words: for the rep who got a swapped lead, and for the plan as a whole."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from apportion.problem import relative_gap
from apportion.reasons.facts import Facts
from apportion.reasons.words import count, money, percent

Reason = tuple[str, str]  # (code, sentence)


def swapped_reason(facts: Facts, lead: int) -> Reason:
    """Say that a lead came by a draw, whose it was in the plan, and what that gives up."""
    problem, planned = facts.batch.problem, int(facts.planned[lead])
    unit = int(facts.units.of_lead[lead])
    before, now = facts.units.entry(unit, planned), int(facts.units.chosen[unit])
    less = float(facts.units.value[before] - facts.units.value[now])
    it = "it is" if facts.mates(lead) == 0 else f"it and {count(facts.mates(lead), 'lead')} that stay with it are"
    worth = f"{it} worth {money(abs(less), facts.currency)} {'more' if less > 0 else 'less'} by the estimates"
    if abs(less) <= facts.tolerance:
        worth = f"{it} worth the same by the estimates"
    revenue = money(float(problem.revenue[int(facts.pair[lead])]), facts.currency)
    return "swapped", (
        f"You got {problem.lead_ids[lead]} because a draw swapped it to you, to learn how such leads go with you: the "
        f"plan had it with {facts.people[planned]}, where {worth}. It comes to you in "
        f"{percent(float(facts.plan.propensity[lead]))} of such draws; expected revenue {revenue}."
    )


def swap_words(facts: Facts) -> tuple[str, ...]:
    """How many leads the draw moved, what it costs, and how much of the gap it is; nothing without a draw."""
    plan, swaps, currency = facts.plan, facts.plan.swaps, facts.currency
    if swaps is None:
        return ()
    moved = int(plan.swapped.sum())
    on_average = f"on average a draw moves {swaps.mean_swapped:,.1f} leads"
    if not swaps.mean_swapped:
        return ("No lead was swapped to learn: no swap that the policy lets happen keeps every hard rule.",)
    cost, mean = revenue_cost(facts), swaps.revenue_cost
    first = (
        f"To learn, a draw moved {count(moved, 'lead')} between reps ({on_average}). By the estimates this gives up "
        f"{money(cost, currency)} of expected revenue, and {money(mean, currency)} on average over all draws."
    )
    if cost < 0:
        first = (
            f"To learn, a draw moved {count(moved, 'lead')} between reps ({on_average}). By the estimates this brings "
            f"{money(-cost, currency)} more of expected revenue; on average over all draws it gives up "
            f"{money(mean, currency)}."
        )
    if not math.isfinite(plan.bound):
        return (first,)
    before = relative_gap(swaps.objective, plan.bound)
    part = f"The plan before the draw is worth {money(swaps.objective, currency)}, within {_share(before)} of the bound"
    return (first, f"{part}; the rest of the gap, {_share(max(plan.gap - before, 0.0))}, is the price of the draw.")


def swap_document(facts: Facts) -> dict[str, Any] | None:
    """The draw as plain values for plan.json; None without one."""
    plan, swaps, problem = facts.plan, facts.plan.swaps, facts.batch.problem
    if swaps is None:
        return None
    before = relative_gap(swaps.objective, plan.bound)
    return {
        "leads_moved": int(plan.swapped.sum()),
        "leads_moved_on_average": swaps.mean_swapped,
        "revenue_cost": revenue_cost(facts),
        "revenue_cost_on_average": swaps.revenue_cost,
        "objective_before": swaps.objective,
        "objective_cost": swaps.objective - plan.objective,
        "gap_before": before,
        "gap_of_the_draw": plan.gap - before,
        "status_before": str(swaps.status),
        "moved": [
            {
                "lead_id": problem.lead_ids[lead],
                "planned_rep_id": problem.rep_ids[int(swaps.planned[lead])],
                "rep_id": problem.rep_ids[int(plan.rep[lead])],
                "propensity": float(swaps.propensity[lead]),
            }
            for lead in np.flatnonzero(plan.swapped).tolist()
        ],
        "words": list(swap_words(facts)),
    }


def revenue_cost(facts: Facts) -> float:
    """Expected revenue of the plan before the draw less that of the plan that leaves, in currency."""
    problem, moved = facts.batch.problem, np.flatnonzero(facts.plan.swapped)
    before = problem.pairs.position(moved, facts.planned[moved])
    lost = problem.revenue[before] - problem.revenue[facts.pair[moved]]
    return math.fsum(np.atleast_1d(lost).tolist())


def _share(part: float) -> str:
    return percent(part) if part > 0 else "0 %"
