"""Every row of a store, out and in, in a form that either database takes: what backup and restore are made of."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from apportion.service.store.columns import Json, Moment
from apportion.service.store.desk import parts
from apportion.service.store.schema import metadata
from apportion.service.store.transaction import Tx
from apportion_models.errors import ConflictError

Row = dict[str, Any]
TABLES = tuple(metadata.sorted_tables)  # those that are referred to come first


def rows(tx: Tx, table: sa.Table) -> Iterator[Row]:
    """A table's rows, in the order of its key, in JSON's own types."""
    order = list(table.primary_key.columns)
    for row in tx.connection.execute(sa.select(table).order_by(*order)).mappings():
        yield {column.name: _out(row[column.name]) for column in table.columns}


def fill(tx: Tx, table: sa.Table, given: Iterable[Row]) -> int:
    """Insert rows as `rows` gave them. Gives how many."""
    count = 0
    for part in parts(given):
        tx.connection.execute(sa.insert(table), [_row(table, row) for row in part])
        count += len(part)
    return count


def need_empty(tx: Tx) -> None:
    """Raise ConflictError where there is a row in any table."""
    for table in TABLES:
        if tx.connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
            raise ConflictError(f"A backup is restored to an empty store only; this one has rows in {table.name}.")


def number_on(tx: Tx) -> None:
    """Let PostgreSQL number new rows after those that were filled in; SQLite does by itself."""
    if tx.embedded:
        return
    for table in TABLES:
        column = table.autoincrement_column
        if column is not None:
            last = sa.select(sa.func.max(column)).scalar_subquery()
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            tx.connection.execute(sa.select(sa.func.setval(sequence, sa.func.coalesce(last, 1), last.is_not(None))))


def _out(cell: Any) -> Any:
    if isinstance(cell, (bytes, memoryview)):
        return base64.b64encode(bytes(cell)).decode()
    return cell.isoformat() if isinstance(cell, dt.datetime) else cell


def _row(table: sa.Table, row: Row) -> Row:
    return {column.name: _in(column, row[column.name]) for column in table.columns}


def _in(column: sa.Column[Any], cell: Any) -> Any:
    if cell is None or isinstance(column.type, Json):
        return cell
    if isinstance(column.type, sa.LargeBinary):
        return base64.b64decode(cell)
    return dt.datetime.fromisoformat(cell) if isinstance(column.type, Moment) else cell
