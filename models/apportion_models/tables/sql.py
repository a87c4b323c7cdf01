"""Tables from a database: `sqlite:///crm.db#leads`, or a query in the place of the table's name. Only ever read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from apportion_models.errors import ServiceError, UsageError
from apportion_models.tables.notes import Notes

_NO_DATABASE = ("http", "https", "ftp", "sftp", "file", "s3", "gs", "abfs", "abfss", "hdfs")
_SECRET = re.compile(r"(?i)pass|pwd|secret|token|key")


def is_url(source: str) -> bool:
    """Whether a source names a database (or another service), not a file."""
    return re.match(r"[A-Za-z][A-Za-z0-9+._-]*://", source) is not None


def read_sql(source: str, notes: Notes) -> pd.DataFrame:
    """The table or query after the `#`. A database beyond reach raises `ServiceError`; no error shows a password."""
    address, _, wanted = source.partition("#")
    if address.split("://")[0].lower() in _NO_DATABASE:
        raise UsageError("files are read from disk and tables from a database; download the file first")
    url = _url(address)
    shown = _shown(url)
    if not wanted.strip():
        raise UsageError(f"{shown} must name a table or a query after a '#', such as {shown}#{notes.table}")
    if (
        url.get_backend_name() == "sqlite"
        and url.database
        and url.database != ":memory:"
        and not Path(url.database).is_file()
    ):
        raise ServiceError(f"{shown} cannot be reached: there is no such file")
    try:
        engine = sa.create_engine(url)
    except (NoSuchModuleError, ImportError):
        raise UsageError(
            f"no driver for '{url.drivername}' is installed; install it, or export the table as CSV"
        ) from None
    try:
        with engine.connect() as connection:
            _only_reads(connection)
            return _rows(connection, wanted.strip(), shown, notes)
    except OperationalError as error:
        raise ServiceError(f"{shown} cannot be reached: {_told(error, url)}") from None
    except SQLAlchemyError as error:
        raise ServiceError(f"{shown} failed: {_told(error, url)}") from None
    finally:
        engine.dispose()


def _url(address: str) -> sa.URL:
    try:
        return sa.make_url(address)
    except (ArgumentError, ValueError):
        raise UsageError("the database URL must look like dialect://user:password@host/database#table") from None


def _shown(url: sa.URL) -> str:
    """The URL without anything that could be a secret."""
    hidden = {key: "***" for key in url.query if _SECRET.search(key)}
    return url.update_query_dict(hidden).render_as_string(hide_password=True).replace("%2A", "*")


def _told(error: SQLAlchemyError, url: sa.URL) -> str:
    """The driver's first line, without secrets."""
    text = str(getattr(error, "orig", error)).strip().split("\n")[0]
    secrets = [url.password, *(value for key, value in url.query.items() if _SECRET.search(key))]
    for secret in secrets:
        for part in [secret] if isinstance(secret, str) else secret or ():
            text = text.replace(str(part), "***") if part else text
    return text


def _only_reads(connection: sa.Connection) -> None:
    """Let the database itself refuse to write: a query may begin with WITH and delete, and SQLite would commit it."""
    name = connection.dialect.name
    if name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    elif name == "postgresql":
        connection.execution_options(postgresql_readonly=True)
    elif name in ("mysql", "mariadb", "oracle"):
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def _rows(connection: sa.Connection, wanted: str, shown: str, notes: Notes) -> pd.DataFrame:
    """A query is only accepted when it selects; nothing is committed."""
    if re.match(r"(?is)(select|with)\s", wanted):
        return _query(connection, wanted, shown, notes)
    inspector = sa.inspect(connection)
    schema, _, name = ("", "", wanted) if inspector.has_table(wanted) else wanted.rpartition(".")
    known = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
    if name in known:
        return _frame(connection.execute(sa.select(sa.text("*")).select_from(sa.table(name, schema=schema or None))))
    there = ", ".join(sorted(known)[:20]) or "none"
    remedy = "Name one of them after the '#', or a SELECT."
    notes.add("error", f"{shown} has no table '{wanted}'; it has: {there}", remedy=remedy)
    return pd.DataFrame()


def _query(connection: sa.Connection, wanted: str, shown: str, notes: Notes) -> pd.DataFrame:
    """The rows of a SELECT, taken as it stands; one that the database refuses is noted as an error."""
    try:
        result = connection.execute(sa.text(wanted.replace(":", r"\:")))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        said = str(error.orig).splitlines()[0]
        notes.add("error", f"{shown}: the query fails: {said}", remedy="Correct the query.")
        return pd.DataFrame()
    if result.returns_rows:
        return _frame(result)
    notes.add("error", f"{shown}: the query gives no rows", remedy="Write a SELECT.")
    return pd.DataFrame()


def _frame(result: Any) -> pd.DataFrame:
    return pd.DataFrame.from_records(result.fetchall(), columns=list(result.keys()), coerce_float=True)
