"""Good plans, and plans that claim things, for tests of the verifier."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from apportion import AssignmentProblem, Certificate, Plan, Prices, Status, verify


def claimed(problem: AssignmentProblem, rep: list[int], **certificate: Any) -> Plan:
    """A plan with these reps, its true objective, and no bound to speak of: only its rules are at stake."""
    facts: dict[str, Any] = {
        "objective": 0.0, "bound": math.inf, "gap": math.inf, "proof": "search", "engine": "hand", "why_engine": "",
        "price_bound": math.inf,
    }  # fmt: skip
    prices = Prices.none(problem.n_reps)
    blank = Plan(
        np.array(rep, dtype=np.int64), Status.FEASIBLE, 0.0, math.inf, prices, Certificate(**(facts | certificate))
    )
    return blank.replace(objective=verify(problem, blank).objective)


def broken(problem: AssignmentProblem, plan: Plan) -> list[str]:
    """Names of the verdicts that do not hold."""
    return [rule.rule for rule in verify(problem, plan).broken]


def breaks(problem: AssignmentProblem, rep: list[int]) -> list[str]:
    """Names of the rules that this assignment breaks."""
    return broken(problem, claimed(problem, rep))
