"""From a checked table to rows that are stored, and back to a table that its reader takes as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from apportion.service.store.columns import canonical
from apportion_models.tables import TABLES

Record = dict[str, Any]


def records(table: pd.DataFrame) -> list[Record]:
    """One dict a row, in the table's order: JSON's own types; what is missing is left out; keys sorted."""
    columns = sorted(str(name) for name in table.columns)
    cells = {name: [_plain(cell) for cell in table[name].tolist()] for name in columns}
    return [{name: cells[name][row] for name in columns if cells[name][row] is not None} for row in range(len(table))]


def frame(rows: Sequence[Mapping[str, Any]], table: str) -> pd.DataFrame:
    """The rows as a table for its reader: the columns of the contract in their order, then attributes by name."""
    there = {name for row in rows for name in row}
    contract = [column.name for column in TABLES[table].columns if column.name in there or column.required]
    columns = [*contract, *sorted(there - set(contract))]
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in columns})


def row_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 of a row's content, whatever the order of its cells."""
    return hashlib.sha256(canonical(dict(sorted(row.items()))).encode()).hexdigest()


def _plain(cell: Any) -> Any:
    if isinstance(cell, (tuple, list)):
        return [str(word) for word in cell] or None
    if isinstance(cell, (bool, np.bool_)):
        return bool(cell)
    if cell is None or pd.isna(cell):
        return None
    if isinstance(cell, pd.Timestamp):
        return cell.tz_convert("UTC").isoformat() if cell.tzinfo is not None else cell.isoformat()
    if isinstance(cell, (int, np.integer)):
        return int(cell)
    if isinstance(cell, (float, np.floating)):
        return float(cell) if np.isfinite(cell) else None
    return str(cell)
