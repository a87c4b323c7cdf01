"""Column types that hold the same in SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from apportion_models.errors import Finding, InputError

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows only in a column of type INTEGER
_TEXT_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


class Moment(TypeDecorator[dt.datetime]):
    """A moment in UTC, to the microsecond. SQLite keeps it as text whose order is the order of time."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL has a type for it."""
        own = sa.TIMESTAMP(timezone=True) if dialect.name == "postgresql" else sa.Text()
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """Refuse a moment without a zone: it would mean another moment on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment must have a time zone; got {value!r}")
        value = value.astimezone(dt.UTC)
        return value if dialect.name == "postgresql" else value.strftime(_TEXT_FORM)

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """Always aware, always in UTC."""
        if value is None:
            return None
        moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
        return moment.astimezone(dt.UTC)


class Json(TypeDecorator[Any]):
    """JSON as ASCII text: equal content, equal bytes, and no character that a database would refuse."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """NaN and infinity are refused."""
        return None if value is None else canonical(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """What was stored."""
        return None if value is None else json.loads(value)


class Words(TypeDecorator[str]):
    """Text that both databases can hold; what one of them cannot is refused by both."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Raises InputError for a NUL or half a surrogate pair."""
        if value is not None and ("\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
            message = "must be text without NUL characters and half surrogate pairs."
            raise InputError(Finding(severity="error", table="store", message=message, value=value))
        return value


def canonical(content: Any) -> str:
    """The one way in which content is written as JSON, for storing and for hashing."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
