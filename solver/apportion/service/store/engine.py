"""Opening the database. SQLite: one writer at a time, readers beside it, nothing lost when the power goes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from apportion_models.errors import UsageError

BEGIN = "apportion_begin"  # the execution option that says how a transaction begins
BUSY_SECONDS = 30.0
ONLY_MINE = 0o600  # the mode of files with personal data
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
SERVER = "postgresql+psycopg"


def read_url(text: str) -> sa.URL:
    """The address of a store: `sqlite:///file.db` or `postgresql://user@host/name`. Raises UsageError."""
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError("The store's URL must look like sqlite:///file.db or postgresql://user@host/name.") from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername=SERVER)
    if url.get_backend_name() != "sqlite":
        raise UsageError(f"The store must be SQLite or PostgreSQL. Got {url.get_backend_name()!r}.")
    if not url.database or url.database == ":memory:":
        raise UsageError("The store must be a file, such as sqlite:///apportion.db: a store in memory keeps nothing.")
    return url


def exists(url: sa.URL) -> bool:
    """Whether there is a file, where the store is one."""
    return url.get_backend_name() != "sqlite" or Path(str(url.database)).exists()


def make_engine(url: sa.URL) -> sa.Engine:
    """A pool of connections that begin transactions as the store wants them."""
    if url.get_backend_name() == "sqlite":
        file = f"file:{quote(str(url.database))}?mode=rw"  # a file that is not there is not made: `migrate` does

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(file, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)

        engine = sa.create_engine(url, creator=connect, pool_size=16, max_overflow=48)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = sa.create_engine(
        url, pool_size=16, max_overflow=48, pool_pre_ping=True, connect_args={"connect_timeout": 10}
    )
    sa.event.listen(engine, "connect", _prepare_server)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; `_begin_sqlite` does
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))


def _prepare_server(connection: Any, _: Any) -> None:
    """Times are told in UTC whatever the server's own zone."""
    connection.execute("SET TIME ZONE 'UTC'")
    connection.commit()
