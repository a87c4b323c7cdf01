"""The one question that all exactness tests ask: does the solver agree with brute force?"""

from __future__ import annotations

import math
from typing import Any

import pytest

from apportion import AssignmentProblem, MaxMin, Plan, Status, solve, verify
from tests.solver.oracle import best_plan, objective, worst_off


def agree(problem: AssignmentProblem, **options: Any) -> Plan:
    """Solve with gap 0 and compare feasibility, value, bound and (for max-min) the worst-off group with brute force."""
    plan = solve(problem, gap=0, **options)
    best = best_plan(problem)
    if best is None:
        assert plan.status is Status.INFEASIBLE, plan
        assert math.isnan(plan.objective)
        return plan
    rep, worth = best
    assert plan.status is Status.OPTIMAL, (plan, worth)
    assert verify(problem, plan).ok
    for rule in problem.rules:
        if isinstance(rule, MaxMin) and rule.price is None:
            wanted = worst_off(problem, rule, rep)
            assert worst_off(problem, rule, plan.rep.tolist()) == pytest.approx(wanted, rel=3e-6, abs=1e-9)
    near = {"rel": 1e-7, "abs": 1e-7}
    assert plan.objective == pytest.approx(worth, **near)
    assert objective(problem, plan.rep.tolist()) == pytest.approx(plan.objective, **near)
    assert plan.bound == pytest.approx(plan.objective, **near)
    return plan
