"""Apportion, warm: the changed problem is solved from the plan of the one before."""

from __future__ import annotations

import inspect
from typing import Any

from apportion import AssignmentProblem, Plan, solve
from benchmarks.contender import Answer, Ask, Contender
from benchmarks.instances import Instance
from benchmarks.ours import answer_of

Known = tuple[Instance, AssignmentProblem, Plan]


def cannot(instance: Instance) -> str | None:
    """Needs a `solve` that takes `warm`, and an instance that has a before."""
    if "warm" not in inspect.signature(solve).parameters:
        return "no warm start: solve() takes no `warm`"
    return None if instance.before is not None else "no warm start: the instance has no before"


def setup(instance: Instance) -> Known:
    """The plan of the batch as it was; not timed."""
    assert instance.before is not None
    problem = instance.before.problem()
    return instance, problem, solve(problem)


def prepare(known: Known) -> tuple[AssignmentProblem, Plan]:
    """The change, by `replace`."""
    instance, problem, plan = known
    return problem.replace(capacity=instance.capacity), plan


def run(model: tuple[AssignmentProblem, Plan], ask: Ask) -> Answer:
    """Solve from the plan of before."""
    problem, plan = model
    starting: dict[str, Any] = {"warm": plan}
    return answer_of(solve(problem, gap=ask.gap, time_limit=ask.time_limit, seed=ask.seed, **starting))


CONTENDER = Contender("Apportion, warm", prepare, run, cannot, setup)
