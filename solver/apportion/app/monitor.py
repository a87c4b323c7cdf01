"""Monitor: what became of the assigned leads, beside what was expected of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.app.experiment.plan import last_moment
from apportion.app.prints import read_cells
from apportion.reasons.frames import PLAN_COLUMNS
from apportion_models import FitModel, load_mapping, load_model, read_history, read_leads, read_reps
from apportion_models.drift import MonitorReport, monitor
from apportion_models.drift.monitor import recent, reference
from apportion_models.errors import Finding, InputError, TableError, UsageError
from apportion_models.tables.mapping import Mapping

REMEDY = "Give assignments.csv as `apportion assign` wrote it."
MOST_SCORED = 5000  # leads of either side whose scores are compared


@dataclass(frozen=True)
class MonitorRequest:
    """assignments : files that `apportion assign` wrote. model : compares its scores too, and needs the reps."""

    assignments: tuple[str, ...]
    history: str | Path | pd.DataFrame
    model: Path | None = None
    reps: str | Path | pd.DataFrame | None = None
    mapping: Path | None = None
    at: pd.Timestamp | None = None
    within_days: float | None = None
    tolerance: float = 0.1


def monitor_plans(request: MonitorRequest) -> MonitorReport:
    """Look at the assigned leads, with what the history knew at `at` (default: its last date).

    Raises InputError where a table cannot be used, UsageError where a model is given without reps.
    """
    if not request.assignments:
        raise UsageError("A monitor needs assignments: name them with --assignments.")
    if request.model is not None and request.reps is None:
        raise UsageError("To compare the model's scores, name the reps with --reps.")
    mapping = None if request.mapping is None else load_mapping(request.mapping)
    faults: list[Finding] = []
    tables: list[pd.DataFrame] = []
    history = None
    try:
        history = read_history(request.history, mapping=mapping)
    except TableError as error:
        faults += error.findings
    for name in request.assignments:
        try:
            tables.append(read_plan(Path(name), mapping))
        except InputError as error:
            faults += error.findings
    if faults or history is None:
        raise InputError(faults)
    table = pd.concat(tables, ignore_index=True)
    at = request.at or last_moment(history)
    if at is None:
        raise InputError("The history has no dates: say with --at up to when it is known.")
    scores = None
    if request.model is not None:
        reps = read_reps(request.reps, mapping=mapping)
        scores = _scores(load_model(request.model), table, history, reps, pd.Timestamp(at))
    return monitor(
        table,
        history,
        as_of=pd.Timestamp(at),
        within_days=request.within_days,
        tolerance=request.tolerance,
        scores=scores,
    )


def read_plan(path: Path, mapping: Mapping | None = None) -> pd.DataFrame:
    """An assignments file: the leads' columns by their contract, then the plan's. Ids stay the text that they are.

    mapping : of the leads, for a file keeps the names that the leads' source had.
    """
    try:
        raw = pd.read_parquet(path) if path.suffix == ".parquet" else read_cells(path)
    except (OSError, ValueError) as error:
        not_text = isinstance(error, UnicodeDecodeError)
        why = "it must be UTF-8 text" if not_text else getattr(error, "strerror", None) or error
        message = f"cannot be read: {why}"
        raise InputError(Finding(severity="error", table=str(path), message=message, remedy=REMEDY)) from None
    missing = [name for name in ("lead_id", "rep_id", "fit", "expected_revenue") if name not in raw]
    if missing:
        message = f"must have lead_id, rep_id, fit and expected_revenue; it lacks {', '.join(missing)}."
        raise InputError(Finding(severity="error", table=path.name, message=message, remedy=REMEDY))
    leads = _own_columns(raw.drop(columns=[name for name in PLAN_COLUMNS if name in raw]), mapping)
    if len(leads) != len(raw):
        message = "must have the rows that were written; the mapping leaves some out."
        raise InputError(Finding(severity="error", table=path.name, message=message))
    rep = raw["rep_id"].astype(object)
    return leads.assign(
        lead_id=raw["lead_id"].astype(str).to_numpy(),
        rep_id=rep.where(rep.notna(), "").astype(str).to_numpy(),
        fit=pd.to_numeric(raw["fit"], errors="coerce").to_numpy(),
        expected_revenue=pd.to_numeric(raw["expected_revenue"], errors="coerce").to_numpy(),
    )


def _own_columns(source: pd.DataFrame, mapping: Mapping | None) -> pd.DataFrame:
    """The leads' columns by their contract. `lead_id` may be ours, beside an id that has its own name in the source."""
    try:
        return read_leads(source, mapping=mapping)
    except TableError:
        if len(source.columns) == 1:
            raise
        return read_leads(source.drop(columns="lead_id"), mapping=mapping)


def _scores(
    model: FitModel, table: pd.DataFrame, history: pd.DataFrame, reps: pd.DataFrame, at: pd.Timestamp
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The model's mean chance over all reps, of past leads and of recent ones."""
    when = pd.to_datetime(table["created_at"], utc=True) if "created_at" in table else pd.Series(at, index=table.index)
    now = recent(table.assign(at=when))
    return tuple(_mean_chance(model, part, reps, at) for part in (reference(history, table), now))  # type: ignore[return-value]


def _mean_chance(model: FitModel, leads: pd.DataFrame, reps: pd.DataFrame, at: pd.Timestamp) -> NDArray[np.float64]:
    some = leads.drop_duplicates("lead_id").sort_values("lead_id", kind="stable")
    step = max(1, -(-len(some) // MOST_SCORED))
    some = some.iloc[::step].reset_index(drop=True)
    out = np.zeros(len(some))
    for rows, chances, _ in model.predict_chunks(some, reps, at=at) if len(some) else ():
        out[rows] = chances.mean(axis=1)
    return out


def assignments_of(paths: Sequence[Path]) -> tuple[str, ...]:
    """Each file; of a folder, its assignments.csv."""
    return tuple(str(path / "assignments.csv" if path.is_dir() else path) for path in paths)
