"""Verify a plan that was written before, from its files and the same inputs, with no solver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from apportion.app.assign import AssignRequest, prepare
from apportion.app.documents import read_document
from apportion.app.prints import cells_print, read_cells
from apportion.app.sources import READERS
from apportion.build import Batch
from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, RulePrice, Status, Verdict, verify
from apportion.reasons import PLAN_COLUMNS
from apportion_models.errors import Finding, InputError

PLAN, ASSIGNMENTS = "plan.json", "assignments.csv"
EDITED = "was changed after the plan was written: its fingerprint is not the one in plan.json."


@dataclass(frozen=True, eq=False)
class CheckReport:
    """The verdict on a written plan.

    other_inputs : which of the tables, the policy, the mapping and the model are not those that the plan was made from.
    edited : places in assignments.csv that are not as they were written.
    """

    verdict: Verdict
    other_inputs: tuple[str, ...]
    edited: tuple[Finding, ...] = ()

    @property
    def same_inputs(self) -> bool:
        """Whether everything is what the plan was made from."""
        return not self.other_inputs


def other_inputs_words(names: tuple[str, ...]) -> str:
    """The sentence that tells of inputs that are not the plan's own."""
    return f"Not what the plan was made from, for the fingerprints differ: {', '.join(names)}."


def check(folder: Path, request: AssignRequest) -> CheckReport:
    """Pose the batch again from the request's inputs and verify the folder's assignments, objective and bound on it.

    Raises InputError where the files are missing, damaged, or name leads or reps that the inputs do not have.
    """
    document = _document(folder / PLAN)
    at = _moment(folder / PLAN, document) if request.at is None else request.at
    prepared = prepare(AssignRequest(**{**_shallow(request), "at": at}))
    problem = prepared.batch.problem
    table = _assignments(folder / ASSIGNMENTS)
    rep = _reps(table, prepared.batch, document)
    others = _other_inputs(prepared.run, document["run"])
    try:
        plan = _plan(document, problem, rep)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if others:
            raise InputError(other_inputs_words(others)) from None
        raise InputError(f"{folder / PLAN} lacks a part of a plan, or has it damaged: {error}.") from None
    return CheckReport(verify(problem, plan), others, tuple(_edited(table, document)))


def _other_inputs(now: dict[str, Any], then: dict[str, Any]) -> tuple[str, ...]:
    """The inputs that differ, or that only one of the two runs had.

    A model that was learnt is what its history, reps and seed make it, and may differ in the last digit where another
    machine learns it; a saved one has its own fingerprint.
    """
    keys = ["policy", "mapping", *READERS]
    learnt = (now.get("model_source"), then.get("model_source")) == ("history", "history")
    keys.append("seed" if learnt else "model_hash")
    return tuple(key.removesuffix("_hash") for key in keys if now.get(key) != then.get(key))


def _edited(table: pd.DataFrame, document: dict[str, Any]) -> Iterator[Finding]:
    """Cells that differ from plan.json, by name; else that something differs, by the table's fingerprint."""
    rows = [*document["assignments"], *document.get("screened", [])]
    said = {str(row.get("lead_id")): row for row in rows if isinstance(row, dict)}
    told = False
    for column in (name for name in PLAN_COLUMNS if name in table and name != "rep_id"):
        for row, (lead, cell) in enumerate(zip(table["lead_id"], table[column], strict=True), 1):
            if column in said.get(lead, {}) and not _same(cell, said[lead][column]):
                told = True
                yield _fault(column, cell, f"{PLAN} says {said[lead][column]!r} of {lead}; both files must agree.", row)
    if not told and document["run"].get("assignments") != cells_print(table):
        yield Finding(severity="error", table=ASSIGNMENTS, message=EDITED)


def _same(cell: str, value: Any) -> bool:
    if value is None or isinstance(value, str):
        return cell == (value or "")
    try:
        return float(cell) == float(value)
    except (TypeError, ValueError):
        return False


def _shallow(request: AssignRequest) -> dict[str, Any]:
    return {field.name: getattr(request, field.name) for field in fields(request)}


def _document(path: Path) -> dict[str, Any]:
    document = read_document(path, command="assign")
    if not str(document.get("schema", "")).startswith("apportion.plan/"):
        raise InputError(f"{path} must have the schema apportion.plan/1.")
    missing = [name for name in ("run", "assignments", "certificate", "prices") if name not in document]
    if missing:
        raise InputError(f"{path} must be whole; it lacks {', '.join(missing)}.")
    return document


def _moment(path: Path, document: dict[str, Any]) -> pd.Timestamp:
    said = document.get("at")
    moment = pd.to_datetime(said, errors="coerce") if isinstance(said, str) else None
    if moment is None or pd.isna(moment) or moment.tzinfo is None:
        raise InputError(f"{path} must tell in `at` when the batch is assigned. Got {document.get('at')!r}.")
    return moment


def _reps(table: pd.DataFrame, batch: Batch, document: dict[str, Any]) -> np.ndarray:
    """(L,) rep of each of the problem's leads, by the written assignments."""
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
        table = read_cells(path)
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
