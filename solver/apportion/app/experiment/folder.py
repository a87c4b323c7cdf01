"""The folder of a running experiment: what was fixed at the start, the log, and how it ended.

experiment.json   design, rules, past, fingerprints; written once      policies/   the arms' policies as they were
log.csv           a row a lead: arm, propensity, rep                   capacity.csv   a row a batch, arm and rep
stopped.json      the verdict with its evidence                        promoted.json  what became the policy, and why
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from apportion.app.documents import read_document
from apportion.app.experiment.loading import read_bytes
from apportion.app.experiment.spec import Experiment
from apportion.connectors import as_was, csv_bytes, json_bytes, write_files
from apportion_models.errors import Finding, InputError
from apportion_models.experiment import Design, Guardrail, MetricRules, Rules

SETUP, LOG, CAPACITY, STOPPED, PROMOTED = "experiment.json", "log.csv", "capacity.csv", "stopped.json", "promoted.json"
SCHEMA = "apportion.experiment/1"
LOG_COLUMNS = (
    "lead_id",
    "unit",
    "arm",
    "propensity",
    "at",
    "window",
    "block",
    "rep_id",
    "effort",
    "opportunity",
    "expected_conversion",
    "expected_value",
)
CAPACITY_COLUMNS = ("at", "arm", "rep_id", "capacity")
DIGITS = 6
TEXTS = {"lead_id": str, "unit": str, "arm": str, "rep_id": str}


@dataclass(frozen=True, eq=False)
class Running:
    """An experiment that was started: its folder, and what was fixed then. past : as the plan measured it."""

    folder: Path
    experiment: Experiment
    design: Design
    rules: Rules
    policy_names: tuple[str, ...]
    currency: str
    past: dict[str, Any]

    def policy(self, arm: int) -> Path:
        """The policy file of an arm, as it was at the start."""
        return self.folder / "policies" / self.policy_names[arm]

    def log(self) -> pd.DataFrame:
        """Every lead so far, with times in UTC; empty rep_id for nurture."""
        return _table(self.folder / LOG, LOG_COLUMNS)

    def capacity(self) -> pd.DataFrame:
        """The arms' capacity by batch."""
        return _table(self.folder / CAPACITY, CAPACITY_COLUMNS)

    def append(self, leads: pd.DataFrame, capacity: pd.DataFrame) -> list[Path]:
        """Add a batch. A batch that is assigned again at the same moment replaces itself."""
        numbers = leads.select_dtypes("number").round(DIGITS)  # few digits are read again as they were written
        leads = leads.assign(**{str(name): numbers[name] for name in numbers})
        log = _below(self.log(), leads)
        log = log.drop_duplicates(["lead_id", "at"], keep="last").sort_values(["at", "lead_id"], kind="stable")
        room = _below(self.capacity(), capacity)
        room = room.drop_duplicates(["at", "arm", "rep_id"], keep="last").sort_values(["at", "arm", "rep_id"])
        return write_files(self.folder, {CAPACITY: csv_bytes(room), LOG: csv_bytes(log)})

    def stopped(self) -> dict[str, Any] | None:
        """The record of how it ended; None while it runs."""
        path = self.folder / STOPPED
        return read_document(path, command="experiment") if path.is_file() else None


def write_setup(folder: Path, running: dict[str, Any], policies: dict[str, bytes]) -> list[Path]:
    """Write a new experiment's folder; the setup last, as the sign that all is there."""
    if (folder / SETUP).exists():
        message = f"The folder {folder} holds an experiment already: what was fixed at its start is not written over."
        raise InputError(message + " Name another folder.")
    hashes = [hashlib.sha256(content).hexdigest() for content in policies.values()]
    running = {**running, "policies": list(policies), "policy_sha256": hashes}
    written = write_files(folder / "policies", policies)
    empty = {
        LOG: csv_bytes(pd.DataFrame(columns=list(LOG_COLUMNS))),
        CAPACITY: csv_bytes(pd.DataFrame(columns=list(CAPACITY_COLUMNS))),
    }
    return written + write_files(folder, {**empty, SETUP: json_bytes({**running, "seal": _seal(running)})})


def open_experiment(folder: Path) -> Running:
    """The experiment in this folder. Raises InputError where there is none, or it was changed by hand."""
    said = read_document(folder / SETUP, command="experiment")
    if said.get("schema") != SCHEMA:
        raise InputError(f"{folder / SETUP} must have the schema {SCHEMA}. Got {said.get('schema')!r}.")
    if said.pop("seal", None) != _seal(said):
        raise InputError(f"{folder / SETUP} was changed after the start, or is damaged: its seal differs. Restore it.")
    try:
        experiment = Experiment.model_validate(said["experiment"])
        design = Design(**{**said["design"], "start": pd.Timestamp(said["design"]["start"])})
        rules = _rules(said["rules"])
        names, currency, past = tuple(map(str, said["policies"])), str(said["currency"]), dict(said["past"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{folder / SETUP} lacks a part of an experiment, or has it damaged: {error}.") from None
    for place, name in enumerate(names):
        content = read_bytes(folder / "policies" / Path(name).name, f"The policy {name}")
        if hashlib.sha256(content).hexdigest() != said["policy_sha256"][place]:
            raise InputError(f"The policy {name} in {folder} was changed after the start: restore it.")
    return Running(folder, experiment, design, rules, names, currency, past)


def _below(table: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Both tables, one below the other; an empty one has no say in the types."""
    parts = [part for part in (table, more) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else table


def _seal(document: dict[str, Any]) -> str:
    """SHA-256 of everything that was fixed: no number of it can be changed unnoticed after outcomes are seen."""
    return hashlib.sha256(json_bytes(document)).hexdigest()


def design_document(design: Design) -> dict[str, Any]:
    """The design as JSON."""
    return {**asdict(design), "start": design.start.isoformat()}


def _rules(said: dict[str, Any]) -> Rules:
    metrics = {name: MetricRules(**one) for name, one in said["metrics"].items()}
    rails = tuple(Guardrail(**one) for one in said["guardrails"])
    return Rules(**{**said, "metrics": metrics, "guardrails": rails})


def _table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        written = pd.read_csv(
            path,
            dtype=TEXTS,
            keep_default_na=False,
            na_values={name: [""] for name in columns if name not in TEXTS},
        )
        table = as_was(written)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"{path} must have the columns {', '.join(columns)}; it lacks {', '.join(missing)}.")
    when = pd.to_datetime(table["at"], utc=True, errors="coerce", format="ISO8601")
    strange = table.index[when.isna()]
    if len(strange):
        first = int(strange[0])
        message = "must be a time."
        raise InputError(
            Finding(
                severity="error", table=path.name, row=first + 1, column="at", value=table["at"][first], message=message
            )
        )
    return table.assign(at=when)
