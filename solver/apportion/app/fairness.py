"""Solving once more without the equity rules, to tell what they cost."""

from __future__ import annotations

import apportion.engines as engines
from apportion.problem import AssignmentProblem, Plan
from apportion.reasons import Fairness, equity_cost
from apportion.whatif import score


def price_of_fairness(
    problem: AssignmentProblem, plan: Plan, *, gap: float, seconds: float, seed: int
) -> Fairness | None:
    """What the equity rules cost; None where there are none. gap, seed : of the plan's own solve. seconds : what is
    left of its time."""
    if not problem.equity:
        return None
    rules = tuple(str(rule.name) for rule in problem.equity)
    if plan.certificate.stopped_by == "time" or seconds <= 0:
        return Fairness(rules=rules, skipped="the time limit was used up by the plan itself")
    without = problem.replace(equity=())
    free = engines.solve(without, gap=gap, time_limit=seconds, seed=seed)
    if not free.status.has_plan:
        return Fairness(rules=rules, skipped="no plan without them was found in the time that was left")
    own, other = score(without, plan.rep), score(without, free.rep)
    revenue = (own.expected_revenue, other.expected_revenue)
    return equity_cost(problem, plan, free, worth=own.objective, revenue=revenue)
