"""What a sink and a source must keep: one small class each, and `kit` tries whether it does.

A sink takes messages out of Apportion. It is called at least once for each message, with the same key every time, so it
must see to it that twice has the effect of once: by overwriting, by an upsert, or by passing the key on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from apportion_models.errors import ServiceError, UsageError

Scalar = str | int | float | bool | None
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}")
LONGEST_WAIT = 86_400.0  # seconds: nobody who asks us to wait is believed for longer
KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


class RetryLaterError(ServiceError):
    """The other end cannot take the message now. `after`: seconds that it asked us to wait; None if it did not say."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class GiveUpError(ServiceError):
    """The other end will never take this message as it is: a person must look at it."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What happened, as rows of plain cells.

    kind : such as `plan.assigned`. at : when it happened, with a time zone. rows : one or more; text, numbers that are
    finite, flags and None. Raises UsageError where it is anything else.
    """

    kind: str
    at: dt.datetime
    rows: tuple[Mapping[str, Scalar], ...]

    def __post_init__(self) -> None:
        if not KIND.fullmatch(self.kind):
            raise UsageError(f"A message's kind must be lower-case words joined by dots. Got {self.kind!r}.")
        if self.at.tzinfo is None:
            raise UsageError("A message's time must have a time zone.")
        if not self.rows:
            raise UsageError("A message must have at least one row.")
        for row in self.rows:
            for name, cell in row.items():
                _check_cell(name, cell)

    def document(self) -> dict[str, Any]:
        """The message as JSON; `from_document` reads it."""
        return {"kind": self.kind, "at": utc_text(self.at), "rows": [dict(row) for row in self.rows]}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Message:
        """The message that `document()` gave."""
        at = dt.datetime.fromisoformat(str(document["at"]))
        return cls(kind=str(document["kind"]), at=at, rows=tuple(dict(row) for row in document["rows"]))

    def frame(self) -> pd.DataFrame:
        """The rows as a table, columns in the order in which they first come."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        cells = {name: pd.Series([row.get(name) for row in self.rows], dtype=object) for name in columns}
        return pd.DataFrame(cells)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The other end has the message. again : it said, or we saw, that it had it before."""

    key: str
    where: str
    again: bool = False


@runtime_checkable
class Sink(Protocol):
    """Where messages go.

    The message is there when `deliver` returns. The same key again changes nothing at the other end. A key that is none
    is a UsageError, as `check_key` raises it. Everything else that can go wrong is a RetryLaterError or a GiveUpError,
    within a bounded time. No error, receipt or repr shows a secret or a cell. Threads may call it at the same time.
    """

    def deliver(self, message: Message, *, key: str) -> Receipt:
        """Hand over the message, or say that it should be tried again, or given up."""
        ...


@runtime_checkable
class Source(Protocol):
    """Where tables come from.

    The rows are there in a fixed order, under the source's own column names and with its cells, twice alike; reading
    changes nothing. A table that is not there is an InputError that names it, a service beyond reach a ServiceError;
    neither shows a secret. `read_leads(frame, mapping=...)` and its sisters then hold it to the contract of the tables.
    """

    def read(self, table: str) -> pd.DataFrame:
        """The table of this name: leads, reps, history ..."""
        ...


def message_key(*parts: str) -> str:
    """A key that is the same for the same parts, and for no others: SHA-256 in hexadecimal."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def check_key(key: str) -> None:
    """Raise UsageError unless the key is 1 to 200 letters, digits, `_`, `-`, the first a letter or digit."""
    if not KEY.fullmatch(key):
        raise UsageError(f"A key must be 1 to 200 letters, digits, '_' and '-', no sign first. Got {key[:40]!r}.")


def utc_text(at: dt.datetime) -> str:
    """RFC 3339 in UTC, always to the microsecond, so that texts sort as the instants do."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _check_cell(name: str, cell: object) -> None:
    if not isinstance(name, str) or not name:
        raise UsageError("A message's columns must have names.")
    if cell is not None and not isinstance(cell, str | int | float | bool):
        raise UsageError(
            f"A message's cells must be text, numbers, flags or None. Got {type(cell).__name__} in {name!r}."
        )
    if isinstance(cell, float) and not math.isfinite(cell):
        raise UsageError(f"A message's numbers must be finite. Got {cell!r} in {name!r}.")
