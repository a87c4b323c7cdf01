"""Rows as they came, read by the contract of leads: many at once, each as if it had come alone.

A reader settles some things by the whole column (which sign is the decimal one, whether a text is a number). Rows whose
cells leave it nothing to settle are read together, all others by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from apportion.app.sources import READERS
from apportion.service.store.cells import Record, records
from apportion_models.errors import ApportionError, Finding, InputError
from apportion_models.tables import TABLES

Row = Mapping[str, Any]
MOST_LETTERS = 9  # of a text that can be a number: codes of currencies on both sides, a `k` and an `e`
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_COLUMNS = {column.name: column.kind for column in TABLES["leads"].columns}
_A_LEAD = {"lead_id": ["a"], "created_at": ["2026-01-01T00:00:00Z"]}


def read_rows(rows: Sequence[Row]) -> list[Record | ApportionError]:
    """Each row as `records` gives it, or what is wrong with it."""
    told: dict[int, Record | ApportionError] = {}
    lone = numbers_among({cell for row in rows for name, cell in _attributes(row) if isinstance(cell, str)})
    alike: dict[frozenset[str], list[int]] = {}
    for place, row in enumerate(rows):
        if _is_plain(row, lone):
            alike.setdefault(frozenset(row), []).append(place)
    for places in alike.values():
        told |= dict(zip(places, _read([rows[place] for place in places]), strict=False))
    return [told[place] if place in told else _alone(row) for place, row in enumerate(rows)]


def numbers_among(texts: Collection[str]) -> frozenset[str]:
    """Those of some texts that the reader takes for numbers where nothing stands beside them."""
    doubtful = sorted(text for text in texts if re.search(r"\d", text) and sum(map(str.isalpha, text)) <= MOST_LETTERS)
    if not doubtful:
        return frozenset()
    cells: dict[str, Any] = {f"cell {number}": [text] for number, text in enumerate(doubtful)}
    read = READERS["leads"](pd.DataFrame(_A_LEAD | cells, dtype=object), mapping=None, findings=[])
    return frozenset(text for name, text in zip(cells, doubtful, strict=True) if read[name].dtype.kind == "f")


def _attributes(row: Row) -> list[tuple[str, Any]]:
    return [(name, cell) for name, cell in row.items() if name not in _COLUMNS]


def _is_plain(row: Row, lone: frozenset[str]) -> bool:
    """Whether no cell's meaning depends on its column."""
    for name, cell in row.items():
        kind = _COLUMNS.get(name)
        if kind is None and (isinstance(cell, (list, bool)) or cell in lone):
            return False
        if (
            isinstance(cell, str)
            and kind not in (None, "id", "text")
            and not (kind == "time" and _MOMENT.fullmatch(cell))
        ):
            return False
        if isinstance(cell, list) or (kind in ("id", "text", "time") and not isinstance(cell, str | None)):
            return False
    return True


def _read(rows: Sequence[Row]) -> list[Record]:
    """Plain rows together; none where the reader finds a fault, or numbers stand beside texts."""
    mixed = {
        name
        for name in rows[0]
        if name not in _COLUMNS and len({isinstance(row[name], str) for row in rows if row[name] is not None}) > 1
    }
    if mixed:
        return []
    findings: list[Finding] = []
    try:
        table = READERS["leads"](_frame(rows), mapping=None, findings=findings)
    except ApportionError:
        return []
    if any(finding.severity == "error" for finding in findings) or len(table) != len(rows):
        return []
    return records(table)


def _alone(row: Row) -> Record | ApportionError:
    findings: list[Finding] = []
    try:
        table = READERS["leads"](_frame([row]), mapping=None, findings=findings)
        if faults := [finding for finding in findings if finding.severity == "error"]:
            raise InputError(faults)
        return records(table)[0]
    except ApportionError as error:
        return error


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    names = sorted({name for row in rows for name in row})
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})
