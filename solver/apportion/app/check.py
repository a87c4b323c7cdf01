"""Verify a plan that was written before, from its files and the same inputs, with no solver."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from apportion.app.assign import AssignRequest, prepare
from apportion.build import Batch
from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, RulePrice, Status, Verdict, verify
from apportion_models.errors import Finding, InputError

PLAN, ASSIGNMENTS = "plan.json", "assignments.csv"
OTHER_INPUTS = "The tables or the policy are not those that the plan was made from: its fingerprints differ."


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
    at = _moment(folder / PLAN, document) if request.at is None else request.at
    prepared = prepare(AssignRequest(**{**_shallow(request), "at": at}))
    problem = prepared.batch.problem
    rep = _reps(folder / ASSIGNMENTS, prepared.batch, document)
    facts = prepared.run
    made_from = document["run"]
    same = all(facts[key] == made_from.get(key) for key in ("policy", "leads", "reps"))
    try:
        plan = _plan(document, problem, rep)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if not same:
            raise InputError(OTHER_INPUTS) from None
        raise InputError(f"{folder / PLAN} lacks a part of a plan, or has it damaged: {error}.") from None
    return CheckReport(verify(problem, plan), same)


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
    missing = [name for name in ("run", "assignments", "certificate", "prices") if name not in document]
    if missing:
        raise InputError(f"{path} must be whole; it lacks {', '.join(missing)}.")
    return document


def _moment(path: Path, document: dict[str, Any]) -> pd.Timestamp:
    try:
        moment: pd.Timestamp | None = pd.Timestamp(document["at"])
    except (KeyError, TypeError, ValueError):
        moment = None
    if moment is None or pd.isna(moment) or moment.tzinfo is None:
        raise InputError(f"{path} must tell in `at` when the batch is assigned. Got {document.get('at')!r}.")
    return moment


def _reps(path: Path, batch: Batch, document: dict[str, Any]) -> np.ndarray:
    """(L,) rep of each of the problem's leads, by the written assignments."""
    table = _assignments(path)
    faults = [*_each_lead_once(table, batch), *_screened_stay_out(table, batch), *_same_as_plan(table, document)]
    places = {rep: place for place, rep in enumerate(batch.problem.rep_ids)} | {"": -1}
    faults += [
        _fault("rep_id", rep, "is no rep of the reps table.", row)
        for row, rep in enumerate(table["rep_id"], 1)
        if rep not in places
    ]
    if faults:
        raise InputError(faults)
    given = dict(zip(table["lead_id"], table["rep_id"], strict=True))
    return np.array([places[given[lead]] for lead in batch.problem.lead_ids], dtype=np.int64)


def _assignments(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    missing = [name for name in ("lead_id", "rep_id") if name not in table]
    if missing:
        raise InputError(f"{path} must have the columns lead_id and rep_id; it lacks {', '.join(missing)}.")
    return table


def _each_lead_once(table: pd.DataFrame, batch: Batch) -> list[Finding]:
    known, given = set(batch.leads["lead_id"].astype(str)), set(table["lead_id"])
    rows = list(enumerate(zip(table["lead_id"], table["lead_id"].duplicated(), strict=True), 1))
    return [
        *(_fault("lead_id", lead, "stands in the leads, not in the plan.") for lead in sorted(known - given)),
        *(
            _fault("lead_id", lead, "is no lead of the leads table.", row)
            for row, (lead, _) in rows
            if lead not in known
        ),
        *(_fault("lead_id", lead, "must be in the plan once.", row) for row, (lead, again) in rows if again),
    ]


def _screened_stay_out(table: pd.DataFrame, batch: Batch) -> list[Finding]:
    """A lead that screening kept back has no rep."""
    out = set(batch.leads["lead_id"].astype(str)) - set(batch.problem.lead_ids)
    pairs = zip(table["lead_id"], table["rep_id"], strict=True)
    return [
        _fault("rep_id", rep, f"must be empty: screening keeps {lead} back.", row)
        for row, (lead, rep) in enumerate(pairs, 1)
        if rep and lead in out
    ]


def _same_as_plan(table: pd.DataFrame, document: dict[str, Any]) -> list[Finding]:
    """The two files give each lead to the same rep."""
    said = {str(row.get("lead_id")): row.get("rep_id") or "" for row in document["assignments"]}
    pairs = zip(table["lead_id"], table["rep_id"], strict=True)
    return [
        _fault("rep_id", rep, f"{PLAN} gives {lead} to {said[lead] or 'nurture'}; both files must agree.", row)
        for row, (lead, rep) in enumerate(pairs, 1)
        if said.get(lead, rep) != rep
    ]


def _fault(column: str, value: str, message: str, row: int | None = None) -> Finding:
    return Finding(severity="error", table=ASSIGNMENTS, row=row, column=column, value=value, message=message)


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
