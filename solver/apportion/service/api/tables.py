"""Rows of a body as a table for its reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from apportion.app.sources import READERS
from apportion.service.api.strict import Cell, Row
from apportion_models.errors import Finding, InputError, TableError

MOST_COLUMNS = 500
Rows = Annotated[list[Row], Field(min_length=1, max_length=200_000)]


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
