"""From what a database or its driver raises to errors that say what happened, and never a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from apportion.service.store.engine import exists
from apportion_models.errors import ApportionError, ConflictError, ServiceError

# PostgreSQL: serialization failure, deadlock, lock not available; a server that is not, or no more, the one to write to
AGAIN = ("40001", "40P01", "55P03", "25006")
FULL = ("53100", "13")  # PostgreSQL's and SQLite's codes for a disk that is full
BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")


class AwayError(ServiceError):
    """The database is busy, or cannot be reached for now: the same may work a little later."""


class LostError(ConflictError):
    """The lease was taken over by another worker: what this one still does must not count."""


@contextmanager
def translated(url: sa.URL) -> Iterator[None]:
    """Raise our own errors in the place of the database's."""
    try:
        yield
    except StatementError as error:
        if isinstance(error.orig, ApportionError):
            raise error.orig from None
        raise _ours(error, url) from error
    except SQLAlchemyError as error:
        raise _ours(error, url) from error


def shown(url: sa.URL) -> str:
    """The address without its password and without options, which may hold one."""
    return url.set(query={}).render_as_string(hide_password=True)


def _ours(error: SQLAlchemyError, url: sa.URL) -> Exception:
    said = _first_line(error, url)
    if isinstance(error, IntegrityError):
        return ConflictError(f"The store refused it, for it breaks one of its rules: {said}.")
    if isinstance(error, DBAPIError):
        code = str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorcode", ""))
        name = str(getattr(error.orig, "sqlite_errorname", ""))
        if code in FULL:
            return ServiceError(f"The store at {shown(url)} has no room left: {said}. Nothing was changed. Make room.")
        if name.startswith(BUSY) or code in AGAIN:
            return AwayError(f"The store at {shown(url)} is busy: {said}.")
        if "no such table" in said or code == "42P01" or not exists(url):
            return ServiceError(f"The store at {shown(url)} is not set up: run `apportion store migrate`.")
        if error.connection_invalidated or _unreachable(error):
            return AwayError(f"The store at {shown(url)} cannot be reached: {said}.")
    return ServiceError(f"The store at {shown(url)} failed: {said}.")


def _unreachable(error: DBAPIError) -> bool:
    """Whether there was no answer at all: a connection refused, cut, or a file that cannot be opened."""
    state = getattr(error.orig, "sqlstate", None)
    if str(getattr(error.orig, "sqlite_errorname", "")).startswith(("SQLITE_CANTOPEN", "SQLITE_IOERR")):
        return True
    foreign = not hasattr(error.orig, "sqlite_errorcode")
    return (
        foreign
        and isinstance(error, sa.exc.OperationalError)
        and (state is None or str(state).startswith(("08", "57P")))
    )


def _first_line(error: SQLAlchemyError, url: sa.URL) -> str:
    """The driver's first line, without the password and without the values of the statement."""
    text = str(getattr(error, "orig", None) or type(error).__name__).strip().split("\n")[0].rstrip(".")
    return text.replace(url.password, "***") if isinstance(url.password, str) and url.password else text
