"""Every plan, ours and the rivals', before `apportion.verify`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from apportion import Certificate, Plan, Prices, Status, verify
from benchmarks.contender import Answer
from benchmarks.instances import Instance

ROUNDING = 1e-5  # relative: rivals that work in integers round each amount
CLAIMS = ("objective is what the plan earns", "bound is not below the objective")


def judged(instance: Instance, answer: Answer) -> dict[str, Any]:
    """The verdict on an answer, for `Call`.

    ok : every rule holds, and for ours every claim too. A rival's claimed bound that lies below what its own plan earns
    is told as broken as well.
    """
    problem = instance.problem()
    plan = answer.plan if answer.plan is not None else bare(np.asarray(answer.rep), problem.n_reps)
    verdict = verify(problem, plan)
    broken = [rule.rule for rule in verdict.broken if answer.plan is not None or rule.rule not in CLAIMS]
    objective = verdict.objective
    below = answer.bound is not None and objective > answer.bound + ROUNDING * abs(answer.bound)
    if answer.plan is None and below and not broken:
        broken.append(f"claims a bound of {answer.bound:.8g}, and earns {objective:.8g}")
    ours = answer.plan is not None and not broken
    return {
        "objective": objective if math.isfinite(objective) else None,
        "ok": not broken,
        "broken": "; ".join(broken),
        "bound_holds": ours or answer.relaxed,
        "proof": answer.plan.certificate.proof if answer.plan is not None else "",
        "placed": plan.n_placed,
    }


def bare(rep: np.ndarray[Any, Any], n_reps: int) -> Plan:
    """A plan that claims nothing but who gets what."""
    certificate = Certificate(0.0, math.inf, math.inf, "none", "", "", math.inf)
    return Plan(rep, Status.FEASIBLE, 0.0, math.inf, Prices.none(n_reps), certificate)
