"""Rows of a body as a table for its reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from apportion.app.assign import read_tables
from apportion.app.sources import READERS, Sources
from apportion.build import Tables
from apportion.service.runs.solving import READ_AS
from apportion.service.wire.fields import Cell
from apportion.service.wire.plans import TablesGiven
from apportion_models.errors import Finding, InputError, TableError

MOST_COLUMNS = 500


def frame(name: str, rows: Sequence[Mapping[str, Cell]]) -> pd.DataFrame:
    """The rows as they are. Raises TableError where they have more columns than a table of ours ever needs: each is
    laid out for every row."""
    columns = {column for row in rows for column in row}
    if len(columns) > MOST_COLUMNS:
        message = f"must have at most {MOST_COLUMNS} different columns over all rows."
        raise TableError([Finding(severity="error", table=name, message=message, value=len(columns))])
    cells: dict[str, Any] = {
        column: pd.Series([row.get(column) for row in rows], dtype=object) for column in sorted(columns)
    }
    return pd.DataFrame(cells)


def read(name: str, rows: Sequence[Mapping[str, Cell]]) -> pd.DataFrame:
    """The rows checked by the table's contract. Raises TableError with every fault."""
    findings: list[Finding] = []
    table: pd.DataFrame = READERS[name](frame(name, rows), mapping=None, findings=findings)
    if faults := [finding for finding in findings if finding.severity == "error"]:
        raise InputError(faults)
    return table


def read_batch(given: TablesGiven) -> Tables:
    """The tables of a batch, checked, each alone and against the others. Raises InputError with the faults of all."""
    frames: dict[str, Any] = {READ_AS.get(name, name): frame(name, rows) for name, rows in given.tables.items()}
    return read_tables(Sources(**frames)).tables
