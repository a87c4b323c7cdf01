"""Columns and constants as typed arrays with their missing entries, and truth in three values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Kind = Literal["number", "text", "flag", "time", "list", "nothing"]
Bools = NDArray[np.bool_]

MICROSECONDS = {"hour": 3_600_000_000, "day": 86_400_000_000}


class PredicateError(ValueError):
    """A predicate cannot be understood, or does not fit the tables: what is wrong, where, and what would be right."""

    def __init__(self, message: str, *, text: str, position: int, remedy: str = "", column: str | None = None) -> None:
        self.text, self.position, self.remedy, self.column = text, position, remedy, column
        self.message = message
        super().__init__(f"{message} (at character {position + 1} of `{text}`).{' ' + remedy if remedy else ''}")


@dataclass(frozen=True)
class Values:
    """One operand: a column of leads as (L, 1), of reps as (1, R), a constant as (1, 1), or what was computed of them.

    Data by kind: float64; object of str; bool; int64 microseconds since 1970 in UTC; object of frozenset.
    """

    kind: Kind
    data: NDArray[Any]
    missing: Bools
    literal: bool = False  # written out in the predicate


@dataclass(frozen=True)
class Choices:
    """A list written out in the predicate: `['SE', 'NO']`."""

    items: tuple[Any, ...]


@dataclass(frozen=True)
class Truth:
    """Where a sentence is true and where it is false; in neither, something that it needs is missing."""

    yes: Bools
    no: Bools

    @staticmethod
    def of(result: Bools, missing: Bools) -> Truth:
        """True or false as computed, neither where an operand is missing."""
        return Truth(result & ~missing, ~result & ~missing)

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.yes | other.yes, self.no & other.no)

    def __invert__(self) -> Truth:
        return Truth(self.no, self.yes)


def constant(value: Any) -> Values:
    """A single value, to be broadcast."""
    known = np.zeros((1, 1), dtype=bool)
    if isinstance(value, bool):
        return Values("flag", np.full((1, 1), value), known, literal=True)
    if isinstance(value, (int, float)):
        return Values("number", np.full((1, 1), float(value)), known, literal=True)
    if isinstance(value, (pd.Timestamp, dt.datetime, dt.date)):
        return Values("time", np.full((1, 1), microseconds(value)), known, literal=True)
    return Values("text", _objects([value]).reshape(1, 1), known, literal=True)


def moment_of(values: Values) -> Values | None:
    """A text that is written out in the predicate, read as a date; None where it is none."""
    if values.kind != "text" or not values.literal:
        return None
    try:
        stamp = pd.Timestamp(values.data.item())
    except (ValueError, TypeError):
        return None
    return None if pd.isna(stamp) else constant(stamp)


def microseconds(value: Any) -> int:
    """A moment as microseconds since 1970; one without a zone is taken as UTC."""
    stamp = pd.Timestamp(value)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int(np.datetime64(stamp.tz_localize(None), "us").astype("int64"))


def column(series: pd.Series[Any]) -> tuple[Kind, NDArray[Any], Bools]:
    """A table's column as (kind, 1-d data, 1-d missing). Raises TypeError when it mixes kinds."""
    missing = series.isna().to_numpy(dtype=bool)
    if pd.api.types.is_bool_dtype(series.dtype):
        return "flag", series.fillna(False).to_numpy(dtype=bool), missing
    if pd.api.types.is_numeric_dtype(series.dtype):
        return "number", series.to_numpy(dtype=float, na_value=np.nan), missing
    if isinstance(series.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(series.dtype):
        return "time", _moments(series), missing
    return _loose_column(series, missing)


def _loose_column(series: pd.Series[Any], missing: Bools) -> tuple[Kind, NDArray[Any], Bools]:
    raw = _objects(list(series))
    known = raw[~missing]
    if not len(known):
        return "nothing", np.zeros(len(raw)), missing
    kinds = {_kind_of(value) for value in known}
    if len(kinds) > 1:
        raise TypeError(f"mixes {' and '.join(sorted(kinds))}")
    kind = kinds.pop()
    if kind == "text":
        raw[missing] = ""
        return kind, raw, missing
    if kind == "list":
        return (
            kind,
            _objects([frozenset() if gap else frozenset(value) for value, gap in zip(raw, missing, strict=True)]),
            missing,
        )
    if kind == "flag":
        return kind, np.array([bool(value) and not gap for value, gap in zip(raw, missing, strict=True)]), missing
    if kind == "number":
        return (
            kind,
            np.array([np.nan if gap else float(value) for value, gap in zip(raw, missing, strict=True)]),
            missing,
        )
    return kind, np.array([0 if gap else microseconds(value) for value, gap in zip(raw, missing, strict=True)]), missing


def _kind_of(value: object) -> Kind:
    if isinstance(value, (bool, np.bool_)):
        return "flag"
    if isinstance(value, (int, float, np.number)):
        return "number"
    if isinstance(value, (dt.date, dt.datetime, np.datetime64)):
        return "time"
    if isinstance(value, (tuple, list, set, frozenset)):
        return "list"
    return "text"


def _moments(series: pd.Series[Any]) -> NDArray[Any]:
    zoned = series.dt.tz_localize("UTC") if series.dt.tz is None else series.dt.tz_convert("UTC")
    plain = zoned.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.asarray(plain.astype("int64"))


def _objects(items: list[Any]) -> NDArray[Any]:
    out = np.empty(len(items), dtype=object)
    for position, item in enumerate(items):
        out[position] = item
    return out


def by_distinct(test: Callable[[Any, Any], bool], left: Values, right: Values) -> Bools:
    """`test` of every broadcast pair, run once for each pair of distinct values: texts cost no more than codes."""
    left_codes, left_values = _codes(left)
    right_codes, right_values = _codes(right)
    if left.data.shape == right.data.shape:
        together = left_codes * max(len(right_values), 1) + right_codes
        distinct, inverse = np.unique(together, return_inverse=True)
        width = max(len(right_values), 1)
        answers = np.array(
            [test(left_values[code // width], right_values[code % width]) for code in distinct], dtype=bool
        )
        return np.asarray(answers[inverse.reshape(together.shape)])
    table = np.array([[test(a, b) for b in right_values] for a in left_values], dtype=bool)
    return np.asarray(table[left_codes, right_codes])


def _codes(values: Values) -> tuple[NDArray[np.int64], list[Any]]:
    index: dict[Any, int] = {}
    flat = [index.setdefault(item, len(index)) for item in values.data.ravel()]
    return np.array(flat, dtype=np.int64).reshape(values.data.shape), list(index)


def mapped(kind: Kind, function: Callable[[Any], Any], values: Values) -> Values:
    """`function` of every entry, run once for each distinct value."""
    codes, distinct = _codes(values)
    answers = _objects([function(item) for item in distinct])
    data = answers[codes] if len(distinct) else np.empty(values.data.shape, dtype=object)
    return Values(kind, data.astype(float) if kind == "number" else data, values.missing)
