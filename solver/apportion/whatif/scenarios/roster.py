"""A scenario's changes to the reps: who leaves, joins, is away, or is changed."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from apportion.build import Tables
from apportion.whatif.scenarios.schema import Scenario
from apportion_models import read_calendar, read_reps
from apportion_models.errors import Finding, TableError


def changed_roster(tables: Tables, scenario: Scenario, faults: list[Finding]) -> Tables:
    """The tables with the scenario's roster; what is wrong is appended to `faults`.

    Reps who leave are gone from every table that decides about this batch: the calendar, the territories, locks and
    bans, and the accounts that they own; their past stays.
    """
    edits = scenario.reps
    if not (edits.leave or edits.join or edits.away or edits.change):
        return tables
    before = len(faults)
    _check_names(tables, scenario, faults)
    if len(faults) > before:
        return tables
    tables = _changed(tables, scenario, faults)
    tables = _joined(tables, scenario, faults)
    tables = _left(tables, edits.leave)
    return _sent_away(tables, scenario, faults)


def _check_names(tables: Tables, scenario: Scenario, faults: list[Finding]) -> None:
    known = tables.reps["rep_id"].astype(str).tolist()
    edits = scenario.reps
    named = [(f"reps.leave[{k}]", rep) for k, rep in enumerate(edits.leave)]
    named += [(f"reps.join[{k}].like", join.like) for k, join in enumerate(edits.join)]
    named += [(f"reps.change.{rep}", rep) for rep in edits.change]
    new = [join.rep_id for join in edits.join]
    for k, away in enumerate(edits.away):
        if away.rep_id not in new:
            named.append((f"reps.away[{k}].rep_id", away.rep_id))
    for key, rep in named:
        if rep not in known:
            near = difflib.get_close_matches(rep, known, n=1)
            shown = f"Did you mean {near[0]}?" if near else f"There are {len(known)} reps."
            faults.append(scenario.fault(key, "must be a rep of the reps table", value=rep, remedy=shown))
    for k, join in enumerate(edits.join):
        if join.rep_id in known or join.rep_id in new[:k]:
            message = "must be an id that no rep has"
            faults.append(scenario.fault(f"reps.join[{k}].rep_id", message, value=join.rep_id))
    for k, rep in enumerate(edits.leave):
        if rep in edits.change or rep in [away.rep_id for away in edits.away]:
            message = "must not leave and be changed or away too"
            faults.append(scenario.fault(f"reps.leave[{k}]", message, value=rep))
    if set(known) <= set(edits.leave) and not new:
        faults.append(scenario.fault("reps.leave", "must leave at least one rep"))


def _changed(tables: Tables, scenario: Scenario, faults: list[Finding]) -> Tables:
    reps = tables.reps
    for rep, cells in scenario.reps.change.items():
        row = _row(reps, rep, cells, f"reps.change.{rep}", scenario, faults)
        if row is not None:
            reps = pd.concat([reps[reps["rep_id"].astype(str) != rep], row], ignore_index=True)
    return replace(tables, reps=_by_id(reps, tables.reps))


def _joined(tables: Tables, scenario: Scenario, faults: list[Finding]) -> Tables:
    reps, territories = tables.reps, tables.territories
    for k, join in enumerate(scenario.reps.join):
        cells = {"open_leads": 0, "open_pipeline": 0, "paused": False, "name": join.rep_id, **join.columns}
        mine = {name: cell for name, cell in cells.items() if name in reps.columns or name in join.columns}
        row = _row(reps, join.like, {**mine, "rep_id": join.rep_id}, f"reps.join[{k}].columns", scenario, faults)
        if row is not None:
            reps = pd.concat([reps, row], ignore_index=True)
        if territories is not None and "rep_id" in territories and "territories" not in join.columns:
            taken = territories[territories["rep_id"].astype(str) == join.like].assign(rep_id=join.rep_id)
            territories = pd.concat([territories, taken], ignore_index=True)
    return replace(tables, reps=_by_id(reps, tables.reps), territories=territories)


def _row(
    reps: pd.DataFrame, rep: str, cells: Mapping[str, Any], key: str, scenario: Scenario, faults: list[Finding]
) -> pd.DataFrame | None:
    """One row of the reps table with other cells, read as the table is read; None where that finds faults."""
    unknown = [name for name in cells if name not in reps.columns]
    for name in unknown:
        near = difflib.get_close_matches(name, list(map(str, reps.columns)), n=1)
        shown = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(map(str, reps.columns))}."
        faults.append(scenario.fault(f"{key}.{name}", "must be a column of the reps table", remedy=shown))
    if unknown:
        return None
    row = reps[reps["rep_id"].astype(str) == rep].copy().astype(object)
    for name, cell in cells.items():
        row[name] = [_cell(cell)]
    try:
        return read_reps(row.reset_index(drop=True))
    except TableError as error:
        for finding in error.findings:
            where = f"{key}.{finding.column}" if finding.column in cells else key
            faults.append(scenario.fault(where, finding.message, value=finding.value, remedy=finding.remedy))
        return None


def _cell(cell: Any) -> Any:
    """As it would stand in a table's file."""
    if isinstance(cell, (tuple, list)):
        return ";".join(map(str, cell))
    if isinstance(cell, (dt.datetime, dt.date)):
        return cell.isoformat()
    return cell


def _left(tables: Tables, gone: Iterable[str]) -> Tables:
    leave = set(gone)
    if not leave:
        return tables

    def without(table: pd.DataFrame | None) -> pd.DataFrame | None:
        if table is None or "rep_id" not in table:
            return table
        return table[~table["rep_id"].astype(str).isin(leave)].reset_index(drop=True)

    accounts = tables.accounts
    if accounts is not None and "owner_rep_id" in accounts:
        owner = accounts["owner_rep_id"]
        accounts = accounts.assign(owner_rep_id=owner.where(~owner.isin(leave)))
    reps = without(tables.reps)
    assert reps is not None
    return replace(
        tables,
        reps=reps,
        accounts=accounts,
        territories=without(tables.territories),
        calendar=without(tables.calendar),
        overrides=without(tables.overrides),
    )


def _sent_away(tables: Tables, scenario: Scenario, faults: list[Finding]) -> Tables:
    if not scenario.reps.away:
        return tables
    rows = pd.DataFrame(
        [
            {
                "rep_id": away.rep_id,
                "start": f"{away.start}T00:00:00Z",
                "end": f"{away.end}T00:00:00Z",
                "kind": "leave",
                "capacity": away.capacity,
            }
            for away in scenario.reps.away
        ]
    )
    try:
        new = read_calendar(rows)
    except TableError as error:
        faults += [scenario.fault("reps.away", finding.message, value=finding.value) for finding in error.findings]
        return tables
    calendar = new if tables.calendar is None else pd.concat([tables.calendar, new], ignore_index=True)
    keys = [name for name in ("rep_id", "start", "end", "kind") if name in calendar]
    return replace(tables, calendar=calendar.sort_values(keys, kind="stable").reset_index(drop=True))


def _by_id(reps: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """In the order of ids, with the columns and kinds of the base's table."""
    ordered = reps.sort_values("rep_id", key=lambda ids: ids.astype(str), kind="stable").reset_index(drop=True)
    ordered = ordered[[name for name in like.columns if name in ordered]]
    for name in ordered.columns:
        if ordered[name].dtype != like[name].dtype:
            try:
                ordered[name] = ordered[name].astype(like[name].dtype)
            except (TypeError, ValueError):
                continue  # a column of the user's own that now holds another kind
    return ordered
