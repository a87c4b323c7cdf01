"""Reading a table: source, mapping, contract, rules; then a DataFrame that the rest can trust."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd

from apportion_models.errors import Finding, UsageError
from apportion_models.tables.cells import Cells, constant
from apportion_models.tables.contracts import Column, Table
from apportion_models.tables.declared import TABLES
from apportion_models.tables.mapping import Mapping, Reading, TableMapping, load_mapping
from apportion_models.tables.notes import Mask, Notes
from apportion_models.tables.raw import Raw, Values
from apportion_models.tables.rules import Checked, check, check_currency
from apportion_models.tables.shape import shape, widen
from apportion_models.tables.sources import Source, open_source
from apportion_models.tables.values import Parsed, Reader

MappingSource = Mapping | dict[str, Any] | str | os.PathLike[str]


def read_table(
    name: str, source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """One table by its contract, with a RangeIndex and the rows in the source's order.

    `source` is a path (.csv, .tsv, .txt, also .gz; .parquet), a database URL with the table or query after a `#`, a
    DataFrame, or None or a folder when the mapping names the file. `mapping` is a mapping file, its content, or a
    `Mapping`. What was mended, and what is worth telling, is appended to `findings`.

    Ids and text are `str` with NaN for missing, times `datetime64[us, UTC]`, numbers float64, flags bool, lists tuples
    of str. A required column is always there, an optional one when the source, a join or a default has it.

    Raises `TableError` with every error at once, `ServiceError` when a database fails, `UsageError` for a wrong call.
    """
    return _read(name, source, mapping, findings)[0].frame


def read_with_source(
    name: str, source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table as `read_table` gives it, and the source beside it, row by row.

    The source's rows that were read, with all its columns, by its own names, in its order and with its cells as they
    are. Columns that the mapping joins come behind. A column without a name is not in it.
    """
    checked, raw = _read(name, source, mapping, findings)
    kept = raw.keep(np.isin(raw.rows, checked.rows))
    columns = {own: values.to_series() if isinstance(values, Cells) else values for own, values in kept.columns.items()}
    return checked.frame, pd.DataFrame(columns, index=checked.frame.index)


def _read(
    name: str, source: Source | None, mapping: MappingSource | None, findings: list[Finding] | None
) -> tuple[Checked, Raw]:
    """The checked table, and the raw one that it was made from, before it got our names."""
    if name not in TABLES:
        raise UsageError(f"the table must be one of {', '.join(TABLES)}. Got {name!r}.")
    table, notes = TABLES[name], Notes(name)
    whole = None if mapping is None else load_mapping(mapping)
    own = TableMapping() if whole is None else whole.table(name)
    raw = open_source(source, own.file, whole, notes)
    if notes.errors and not raw.columns:
        notes.settle(findings)
    raw = widen(raw, own, whole, notes)
    checked = _parsed(shape(raw, table, own, notes), table, own, notes)
    check(checked)
    if not len(checked.frame):
        notes.add("notice", "the table has no rows")
    notes.settle(findings)
    return checked, raw


def _parsed(raw: Raw, table: Table, own: TableMapping, notes: Notes) -> Checked:
    """Every column read by its contract, in the contract's order; then the attributes in the source's."""
    reader = Reader(own, raw.rows, notes, raw.comma_separated)
    columns: dict[str, pd.Series[Any]] = {}
    date_only: dict[str, Mask] = {}
    empty: dict[str, Mask] = {}
    currencies: dict[str, str] = {}
    for column in table.columns:
        values, default = raw.columns.get(column.name), own.defaults.get(column.name)
        if values is None and default is None:
            if column.required:
                _absent(column, raw, notes)
            continue
        parsed = _with_default(column, values, default, reader)
        columns[column.name], empty[column.name] = parsed.series, parsed.empty
        if parsed.date_only is not None:
            date_only[column.name] = parsed.date_only
        if parsed.currency:
            currencies[column.name] = parsed.currency
    for name, values in raw.columns.items():
        if table.column(name) is None:
            columns[name] = _attribute(name, values, own.defaults.get(name), reader)
    for name in own.defaults.keys() - columns.keys():
        columns[name] = reader.attribute(name, constant(own.defaults[name], len(raw.rows)))
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(raw.rows)))
    check_currency(currencies, own.currency, notes, frame)
    return Checked(table, frame, raw.rows, notes, date_only, empty)


def _absent(column: Column, raw: Raw, notes: Notes) -> None:
    there = ", ".join(raw.columns) or "none"
    notes.add(
        "error",
        f"the column is required; the source has: {there}",
        column=column.name,
        remedy=f"Name the source's column in the mapping: `{notes.table}.columns.{column.name}`.",
    )


def _with_default(column: Column, values: Values | None, default: str | None, reader: Reader) -> Parsed:
    """The column's values, with the mapping's default where they are missing."""
    if default is None and values is not None:
        return reader.column(column, values)
    size = len(reader.rows)
    # A default is written in the mapping, in plain form, whatever way the source writes its values.
    plain = Reader(Reading(time_zone=reader.reading.time_zone), reader.rows, reader.notes, dot_is_decimal=True)
    filler = plain.column(column, constant(str(default), size))
    if values is None:
        return filler
    parsed = reader.column(column, values)
    reader.notes.where(
        "repair",
        f"is empty; read as {default!r} by the mapping",
        parsed.empty,
        reader.rows,
        column=column.name,
    )
    filled = parsed.series.where(~parsed.empty, filler.series)
    return Parsed(filled, filler.empty & parsed.empty, parsed.date_only, parsed.currency)


def _attribute(name: str, values: Values, default: str | None, reader: Reader) -> pd.Series[Any]:
    series = reader.attribute(name, values)
    if default is None or not series.isna().any():
        return series
    filler = reader.attribute(name, constant(default, len(series)))
    if filler.dtype != series.dtype:
        series, filler = series.astype("str"), filler.astype("str")
    return series.where(series.notna(), filler)


def read_leads(
    source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """The batch: potential customers to be placed. See `read_table`."""
    return read_table("leads", source, mapping=mapping, findings=findings)


def read_reps(
    source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """The salespeople. See `read_table`."""
    return read_table("reps", source, mapping=mapping, findings=findings)


def read_history(
    source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """Past leads: who worked them, when, whether they converted, for how much. See `read_table`."""
    return read_table("history", source, mapping=mapping, findings=findings)


def read_accounts(
    source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """The companies that leads belong to. See `read_table`."""
    return read_table("accounts", source, mapping=mapping, findings=findings)


def read_teams(
    source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """Groups of reps. See `read_table`."""
    return read_table("teams", source, mapping=mapping, findings=findings)


def read_territories(
    source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """Which rep covers which territory. See `read_table`."""
    return read_table("territories", source, mapping=mapping, findings=findings)


def read_calendar(
    source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """When reps are away or have less time; a span is [start, end). See `read_table`."""
    return read_table("calendar", source, mapping=mapping, findings=findings)


def read_overrides(
    source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """A person's locks and bans. See `read_table`."""
    return read_table("overrides", source, mapping=mapping, findings=findings)


def read_assignments(
    source: Source | None, *, mapping: MappingSource | None = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    """What earlier batches gave. See `read_table`."""
    return read_table("assignments", source, mapping=mapping, findings=findings)
