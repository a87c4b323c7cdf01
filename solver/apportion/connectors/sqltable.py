"""A table in a database, kept up to date row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchTableError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from apportion.connectors.contract import GiveUpError, Message, Receipt, RetryLaterError, check_key, utc_text
from apportion.connectors.extras import needs
from apportion_models.errors import UsageError

INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
KEY_COLUMN, AT_COLUMN = "message_key", "message_at"
AGAIN = (InterfaceError, OperationalError, PoolTimeoutError)
READ_ONLY = "25006"  # a PostgreSQL server that has just stopped, or not yet begun, to be the one that is written to


@dataclass(frozen=True)
class SqlTable:
    """Upserts each row of a message into one table that is there, by its key columns.

    The table needs a unique index on the key columns and a column for each of the rows'. Where it has `message_key` and
    `message_at` (text) they tell which message a row is from; a row is then never replaced by an older message.
    Raises UsageError where the URL cannot be used; connects at the first message.
    """

    url: str = field(repr=False)
    table: str
    keys: tuple[str, ...] = ("lead_id",)
    seconds: float = 10.0

    def __post_init__(self) -> None:
        self._engine  # noqa: B018 (said now, not by the first message three days long)

    def deliver(self, message: Message, *, key: str) -> Receipt:
        """Write all rows in one transaction. What the table refuses is given up; a database away is tried again."""
        check_key(key)
        try:
            table = self._table
            rows = _last_of_each([self._row(table, message, row, key) for row in message.rows], self.keys)
            with self._engine.begin() as connection:
                changed = sum(int(connection.execute(self._upsert(table, row)).rowcount) for row in rows)
        except NoSuchTableError:
            raise GiveUpError(f"{self.where} has no table {self.table!r}: create it.") from None
        except AGAIN as error:
            raise RetryLaterError(f"{self.where} cannot be reached or written now ({_kind(error)}).") from None
        except SQLAlchemyError as error:
            if READ_ONLY in _kind(error):
                raise RetryLaterError(f"{self.where} is read-only now.") from None
            raise GiveUpError(f"{self.where}: the table {self.table!r} refuses the rows ({_kind(error)}).") from None
        return Receipt(key=key, where=f"{self.where}#{self.table}", again=not changed)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @property
    def where(self) -> str:
        """The database without any secret."""
        return f"{self._url.get_backend_name()} database {self._url.database or ''}".strip()

    @cached_property
    def _url(self) -> sa.URL:
        try:
            url = sa.make_url(self.url)
        except (ArgumentError, ValueError):
            raise UsageError("A database URL must look like dialect://user:password@host/database.") from None
        if url.get_backend_name() not in INSERTS:
            raise UsageError(f"A SQL sink must be {' or '.join(INSERTS)}. Got {url.get_backend_name()!r}.")
        return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url

    @cached_property
    def _engine(self) -> sa.Engine:
        wait: dict[str, Any] = {"timeout": self.seconds}
        if self._url.get_backend_name() == "postgresql":
            limit = int(self.seconds * 1000)
            wait = {
                "connect_timeout": max(2, int(self.seconds)),
                "options": f"-c statement_timeout={limit} -c lock_timeout={limit}",
            }
        with needs("service"):
            return sa.create_engine(self._url, connect_args=wait, pool_pre_ping=True, hide_parameters=True)

    @cached_property
    def _table(self) -> sa.Table:
        """The table as it is; a failure is not kept, so that a later try looks again."""
        schema, _, name = self.table.rpartition(".")
        return sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=self._engine)

    def _row(self, table: sa.Table, message: Message, row: Any, key: str) -> dict[str, Any]:
        ours = {KEY_COLUMN: key, AT_COLUMN: utc_text(message.at)}
        cells = {**row, **{name: value for name, value in ours.items() if name in table.c}}
        unknown = [name for name in cells if name not in table.c]
        missing = [name for name in self.keys if cells.get(name) is None]
        if unknown or missing:
            self.__dict__.pop("_table", None)  # somebody may add the column: look again next time
            what = f"has no column {', '.join(unknown)}" if unknown else f"needs a value in {', '.join(missing)}"
            raise GiveUpError(f"{self.where}: the table {self.table!r} {what}.")
        return cells

    def _upsert(self, table: sa.Table, row: dict[str, Any]) -> Any:
        insert = INSERTS[self._url.get_backend_name()](table).values(row)
        rest = {name: insert.excluded[name] for name in row if name not in self.keys}
        if not rest:
            return insert.on_conflict_do_nothing(index_elements=list(self.keys))
        newer = None
        if AT_COLUMN in row:
            before = table.c[AT_COLUMN]
            newer = sa.or_(before.is_(None), before < insert.excluded[AT_COLUMN])
            if KEY_COLUMN in row:  # two messages of one instant: the later key, whichever comes first
                same = sa.and_(before == insert.excluded[AT_COLUMN], table.c[KEY_COLUMN] < insert.excluded[KEY_COLUMN])
                newer = sa.or_(newer, same)
        return insert.on_conflict_do_update(index_elements=list(self.keys), set_=rest, where=newer)


def _last_of_each(rows: Sequence[dict[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """The last row of each key, in the order of keys, so that two writers never wait for each other in a circle."""
    last = {tuple(row[name] for name in keys): row for row in rows}
    return [last[key] for key in sorted(last, key=str)]


def _kind(error: SQLAlchemyError) -> str:
    """What failed, without the driver's text: that may hold cells."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(inner, "sqlstate", None) or getattr(inner, "sqlite_errorname", None)
    return f"{type(inner).__name__}{f' {state}' if state else ''}"
