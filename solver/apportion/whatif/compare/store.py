"""Finished plans in a folder, so that a sweep that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from apportion.connectors import write_files
from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, RulePrice, Status, verify


class PlanStore:
    """Plans by key: what was solved, how far, and from which start. A plan is verified again whenever it is read."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, key: str, problem: AssignmentProblem) -> Plan | None:
        """The plan under the key if it is there, whole, and keeps every rule of the problem."""
        if self._folder is None:
            return None
        try:
            held = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
            plan = _plan(held, problem)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not plan.status.has_plan:
            return plan
        try:
            verdict = verify(problem, plan)
        except (ValueError, IndexError):
            return None
        return plan if verdict.ok else None

    def write(self, key: str, plan: Plan) -> None:
        """Keep a plan that is finished; one that was called off is not."""
        if self._folder is not None and plan.certificate.stopped_by != "cancelled":
            write_files(self._folder, {f"{key}.json": json.dumps(_document(plan)).encode()})


def key_of(*parts: object) -> str:
    """A name for a file, from everything that the plan depends on."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


def _document(plan: Plan) -> dict[str, Any]:
    certificate = asdict(plan.certificate) | {"verdict": None}
    rules = {
        name: {"low": price.low.tolist(), "high": price.high.tolist()} for name, price in plan.prices.rules.items()
    }
    return {
        "rep": plan.rep.tolist(),
        "status": str(plan.status),
        "objective": plan.objective,
        "bound": plan.bound,
        "capacity": plan.prices.capacity.tolist(),
        "min_load": plan.prices.min_load.tolist(),
        "rules": rules,
        "certificate": certificate,
    }


def _plan(held: dict[str, Any], problem: AssignmentProblem) -> Plan:
    rep = np.array(held["rep"], dtype=np.int64)
    if rep.shape != (problem.n_leads,) or len(held["capacity"]) != problem.n_reps:
        raise ValueError("of another problem")
    rep.setflags(write=False)
    rules = {name: RulePrice(np.array(one["low"]), np.array(one["high"])) for name, one in held["rules"].items()}
    prices = Prices(np.array(held["capacity"]), np.array(held["min_load"]), rules)
    certificate = Certificate(**held["certificate"])
    return Plan(rep, Status(held["status"]), held["objective"], held["bound"], prices, certificate)
