"""Apportion itself: `solve` as a user calls it, or held to one engine."""

from __future__ import annotations

from typing import Any

from apportion import AssignmentProblem, solve
from apportion_models.errors import UsageError
from benchmarks.contender import Answer, Ask, Contender
from benchmarks.instances import Instance


def answer_of(plan: Any) -> Answer:
    """A plan as an answer."""
    said = f"{plan.status}, {plan.certificate.engine}, stopped by {plan.certificate.stopped_by}"
    return Answer(plan.rep if plan.status.has_plan else None, said, plan.bound, plan=plan)


def contender(engine: str) -> Contender:
    """Apportion with the engine of that name."""

    def run(problem: AssignmentProblem, ask: Ask) -> Answer:
        try:
            plan = solve(problem, gap=ask.gap, time_limit=ask.time_limit, seed=ask.seed, engine=engine)
        except UsageError as error:
            return Answer(None, f"cannot: {error}")
        return answer_of(plan)

    title = "Apportion" if engine == "auto" else f"Apportion ({engine})"
    return Contender(title, Instance.problem, run)


CONTENDER = contender("auto")
