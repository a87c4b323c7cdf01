"""Verify a plan that was written before, from its files and the same inputs, with no solver."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from apportion.app.assign import AssignRequest, prepare
from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, RulePrice, Status, Verdict, verify
from apportion_models.errors import Finding, InputError

PLAN, ASSIGNMENTS = "plan.json", "assignments.csv"


@dataclass(frozen=True, eq=False)
class CheckReport:
    """The verdict on a written plan. same_inputs : whether tables and policy are those that the plan was made from."""

    verdict: Verdict
    same_inputs: bool


def check(folder: Path, request: AssignRequest) -> CheckReport:
    """Pose the batch again from the request's inputs and verify the folder's assignments, objective and bound on it.

    Raises InputError where the files are missing, damaged, or name leads or reps that the inputs do not have.
    """
    document = _document(folder / PLAN)
    at = pd.Timestamp(document["at"]) if request.at is None else request.at
    prepared = prepare(AssignRequest(**{**_shallow(request), "at": at}))
    problem = prepared.batch.problem
    rep = _reps(folder / ASSIGNMENTS, problem)
    facts = prepared.run
    made_from = document["run"]
    same = all(facts[key] == made_from.get(key) for key in ("policy", "leads", "reps"))
    return CheckReport(verify(problem, _plan(document, problem, rep)), same)


def _shallow(request: AssignRequest) -> dict[str, Any]:
    return {field.name: getattr(request, field.name) for field in fields(request)}


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} must be a plan that `apportion assign` wrote: {error.strerror}.") from None
    except ValueError as error:
        raise InputError(f"{path} must be JSON as `apportion assign` wrote it: {error}.") from None
    if not isinstance(document, dict) or not str(document.get("schema", "")).startswith("apportion.plan/"):
        raise InputError(f"{path} must have the schema apportion.plan/1.")
    return document


def _reps(path: Path, problem: AssignmentProblem) -> np.ndarray:
    """(L,) rep of each of the problem's leads, by the written assignments."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    missing = [name for name in ("lead_id", "rep_id") if name not in table]
    if missing:
        raise InputError(f"{path} must have the columns lead_id and rep_id; it lacks {', '.join(missing)}.")
    given = dict(zip(table["lead_id"], table["rep_id"], strict=True))
    places = {rep: place for place, rep in enumerate(problem.rep_ids)} | {"": -1}
    faults = [
        _fault(ASSIGNMENTS, "lead_id", lead, "stands in the leads, not in the plan.")
        for lead in problem.lead_ids
        if lead not in given
    ]
    faults += [
        _fault(ASSIGNMENTS, "rep_id", rep, "is no rep of the reps table.")
        for rep in given.values()
        if rep not in places
    ]
    if faults:
        raise InputError(faults)
    return np.array([places[given[lead]] for lead in problem.lead_ids], dtype=np.int64)


def _fault(table: str, column: str, value: str, message: str) -> Finding:
    return Finding(severity="error", table=table, column=column, value=value, message=message)


def _plan(document: dict[str, Any], problem: AssignmentProblem, rep: np.ndarray) -> Plan:
    """The plan as the document claims it."""
    said = document["certificate"]
    number = {
        key: np.nan if said[key] is None else float(said[key]) for key in ("objective", "bound", "gap", "price_bound")
    }
    certificate = Certificate(
        objective=number["objective"],
        bound=number["bound"],
        gap=number["gap"],
        price_bound=number["price_bound"],
        proof=said["proof"],
        engine=said["engine"],
        why_engine=said["why_engine"],
        resolution=said["resolution"],
        worst_off=said["worst_off"],
        worst_off_bound=said["worst_off_bound"],
    )
    return Plan(
        rep, Status(document["status"]), number["objective"], number["bound"], _prices(document, problem), certificate
    )


def _prices(document: dict[str, Any], problem: AssignmentProblem) -> Prices:
    said = document["prices"]
    by_rep = {kind: np.array([float(said[kind][rep]) for rep in problem.rep_ids]) for kind in ("capacity", "min_load")}
    rules = {
        name: RulePrice(np.array([float(row["low"]) for row in rows]), np.array([float(row["high"]) for row in rows]))
        for name, rows in said["rules"].items()
    }
    return Prices(by_rep["capacity"], by_rep["min_load"], rules)
