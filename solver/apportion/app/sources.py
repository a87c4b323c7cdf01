"""Where the tables of a use case come from, and reading them all, with every fault told at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from apportion.app.prints import table_print
from apportion.build import Tables
from apportion.connectors import as_was
from apportion_models import (
    check_references,
    load_mapping,
    read_accounts,
    read_assignments,
    read_calendar,
    read_history,
    read_leads,
    read_overrides,
    read_reps,
    read_teams,
    read_territories,
)
from apportion_models.errors import Finding, InputError, TableError
from apportion_models.tables import read_with_source

Source = str | Path | pd.DataFrame


@dataclass(frozen=True)
class Sources:
    """Paths, SQL URLs or frames; None where there is none. earlier : what earlier batches gave."""

    leads: Source | None = None
    reps: Source | None = None
    history: Source | None = None
    accounts: Source | None = None
    teams: Source | None = None
    territories: Source | None = None
    calendar: Source | None = None
    overrides: Source | None = None
    earlier: Source | None = None
    mapping: str | Path | None = None


@dataclass(frozen=True, eq=False)
class Read:
    """The tables of a use case, in the order of ids.

    order : the leads' ids in the order of their table. given : the leads as their source has them, in that order.
    prints : what each table that was read holds, as a fingerprint, whatever the order of its rows and columns; and the
    mapping.
    """

    tables: Tables
    history: pd.DataFrame | None
    order: tuple[str, ...]
    given: pd.DataFrame | None = None
    prints: Mapping[str, str] = field(default_factory=dict)


def _earlier(source: Source, **options: Any) -> pd.DataFrame:
    """What earlier batches gave; of a text file that we wrote, with its cells as they were."""
    table = read_assignments(source, **options)
    in_text = (
        not isinstance(source, pd.DataFrame)
        and "://" not in str(source)
        and Path(source).suffix not in (".parquet", ".pq")
    )
    return as_was(table) if in_text else table


READERS: dict[str, Callable[..., pd.DataFrame]] = {
    "leads": read_leads,
    "reps": read_reps,
    "history": read_history,
    "accounts": read_accounts,
    "teams": read_teams,
    "territories": read_territories,
    "calendar": read_calendar,
    "overrides": read_overrides,
    "earlier": _earlier,
}


def read_sources(sources: Sources) -> Read:
    """Read every table that is named. Raises InputError with the faults of all of them."""
    mapping = None if sources.mapping is None else load_mapping(sources.mapping)
    findings: list[Finding] = []
    errors: list[Finding] = []
    frames: dict[str, pd.DataFrame | None] = {}
    given: pd.DataFrame | None = None
    for name, read in READERS.items():
        source = getattr(sources, name)
        try:
            if name == "leads" and source is not None:
                frames[name], given = read_with_source(name, source, mapping=mapping, findings=findings)
            else:
                frames[name] = None if source is None else read(source, mapping=mapping, findings=findings)
        except TableError as error:
            errors += error.findings
    if errors:
        raise InputError(errors)
    findings += _references(frames)
    broken = [finding for finding in findings if finding.severity == "error"]
    if broken:
        raise InputError(broken)
    leads, reps = frames["leads"], frames["reps"]
    order = () if leads is None else tuple(leads["lead_id"].astype(str))
    tables = Tables(
        leads=_by_id(leads, "lead_id"),
        reps=_by_id(reps, "rep_id"),
        accounts=frames["accounts"],
        territories=frames["territories"],
        calendar=frames["calendar"],
        overrides=frames["overrides"],
        assigned=_assigned(frames["earlier"], frames["history"]),
        from_history=frames["earlier"] is None,
        findings=tuple(findings),
    )
    prints = {name: table_print(frame) for name, frame in frames.items() if frame is not None}
    if mapping is not None:
        prints["mapping"] = hashlib.sha256(mapping.model_dump_json().encode()).hexdigest()
    return Read(tables, frames["history"], order, given, prints)


def _references(frames: dict[str, Any]) -> list[Finding]:
    if frames["leads"] is None or frames["reps"] is None:
        return []
    return check_references(
        frames["leads"],
        frames["reps"],
        frames["history"],
        **{name: frames[name] for name in ("accounts", "teams", "territories", "calendar", "overrides")},
        assignments=frames["earlier"],
    )


def _by_id(table: pd.DataFrame | None, column: str) -> pd.DataFrame:
    """Rows in the order of ids, so that the order of the input changes nothing downstream."""
    if table is None:
        return pd.DataFrame({column: pd.Series(dtype=str)})
    return table.sort_values(column, key=lambda ids: ids.astype(str), kind="stable").reset_index(drop=True)


def _assigned(earlier: pd.DataFrame | None, history: pd.DataFrame | None) -> pd.DataFrame | None:
    """What was given so far, for caps and rolling windows: the earlier batches, else the history's assignments."""
    if earlier is not None or history is None:
        return earlier
    columns = [name for name in ("lead_id", "rep_id", "assigned_at", "account_id", "effort") if name in history]
    return history[columns].sort_values("lead_id", kind="stable").reset_index(drop=True)


def default_moment(tables: Tables) -> pd.Timestamp:
    """When the batch is assigned if nobody says: when its last lead came in.

    The clock on the wall would make no two runs alike. A batch without leads, as on a quiet day, is of the time when a
    lead was last given; without any, of no time that matters.
    """
    latest = pd.to_datetime(tables.leads["created_at"], utc=True).max()
    if pd.isna(latest) and len(tables.leads):
        raise InputError("The leads have no created_at: say when the batch is assigned, with --at.")
    if pd.isna(latest) and tables.assigned is not None and "assigned_at" in tables.assigned:
        latest = pd.to_datetime(tables.assigned["assigned_at"], utc=True).max()
    if pd.isna(latest):
        return pd.Timestamp(0, tz="UTC")
    return pd.Timestamp(latest)
