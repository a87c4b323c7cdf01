"""The functions of the predicate language, each over whole operands."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

import numpy as np
import pandas as pd

from apportion.policy.predicates.values import (
    MICROSECONDS,
    Choices,
    Kind,
    Truth,
    Values,
    by_distinct,
    constant,
    mapped,
    moment_of,
)

Result = Values | Truth | Choices
TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
    "contains": lambda text, part: part in text,
}
CLOCK = {
    "weekday": lambda stamps: stamps.day_of_week + 1,
    "hour": lambda stamps: stamps.hour,
    "month": lambda stamps: stamps.month,
}


class Asker(Protocol):
    """Who calls: knows the moment and how to refuse."""

    tables: Any

    def fail(self, node: ast.AST, message: str, remedy: str = "", column: str | None = None) -> NoReturn:
        """Refuse, at the node's position."""

    def shown(self, node: ast.expr) -> str:
        """The operand as written."""


def call(name: str, args: list[Result], asker: Asker, node: ast.expr) -> Result:
    """The answer of function `name` for operands `args`; refuses operands of the wrong kind through `asker`."""
    if name in ("missing", "known"):
        return _missing(name, _single(args[0], asker, node))
    if name in TEXT_TESTS:
        return _text_test(name, args, asker, node)
    if name in ("has", "overlaps"):
        return _list_test(name, args, asker, node)
    value = _single(args[0], asker, node)
    if name in ("lower", "upper"):
        _need(value, ("text",), name, asker, node)
        return mapped("text", str.lower if name == "lower" else str.upper, value) if value.kind == "text" else value
    if name == "length":
        _need(value, ("text", "list"), name, asker, node)
        return mapped("number", len, value) if value.kind != "nothing" else value
    if name == "abs":
        _need(value, ("number",), name, asker, node)
        return Values(value.kind, np.abs(value.data), value.missing)
    if name == "date":
        return _date(value, asker, node)
    return _time(name, value, asker, node)


def _single(value: Result, asker: Asker, node: ast.expr) -> Values:
    if not isinstance(value, Values):
        asker.fail(node, f"{asker.shown(node)} must have a column or a single value as operand")
    return value


def _need(value: Values, kinds: tuple[Kind, ...], name: str, asker: Asker, node: ast.expr) -> None:
    if value.kind not in (*kinds, "nothing"):
        asker.fail(node, f"{name} must have a {' or a '.join(kinds)} as operand, and got a {value.kind}")


def _missing(name: str, value: Values) -> Truth:
    gone = value.missing
    if value.kind == "list":
        empty = np.array([not items for items in value.data.ravel()], dtype=bool).reshape(value.data.shape)
        gone = gone | empty
    return Truth(gone, ~gone) if name == "missing" else Truth(~gone, gone)


def _text_test(name: str, args: list[Result], asker: Asker, node: ast.expr) -> Truth:
    subject, part = _single(args[0], asker, node), args[1]
    if name == "contains" and subject.kind == "list":
        return _list_test("has", args, asker, node)
    _need(subject, ("text",), name, asker, node)
    options = part.items if isinstance(part, Choices) else (part,)
    truth = Truth.of(np.zeros(subject.missing.shape, dtype=bool), subject.missing)
    for option in options:
        right = option if isinstance(option, Values) else constant(option)
        _need(right, ("text",), name, asker, node)
        missing = subject.missing | right.missing
        if "nothing" in (subject.kind, right.kind):
            truth = truth | Truth.of(np.zeros(missing.shape, dtype=bool), np.ones(missing.shape, dtype=bool))
        else:
            truth = truth | Truth.of(by_distinct(TEXT_TESTS[name], subject, right), missing)
    return truth


def _list_test(name: str, args: list[Result], asker: Asker, node: ast.expr) -> Truth:
    """`has`: the list holds the value (every one, if the value is a list too); `overlaps`: the lists share a value."""
    left, right = (_as_list(arg, asker, node) for arg in args)
    _need(left, ("list",), name, asker, node)
    if name == "overlaps":
        _need(right, ("list",), name, asker, node)
    missing = left.missing | right.missing
    if "nothing" in (left.kind, right.kind):
        return Truth.of(np.zeros(missing.shape, dtype=bool), np.ones(missing.shape, dtype=bool))
    return Truth.of(by_distinct(_holds_all if name == "has" else _share, left, right), missing)


def _as_list(arg: Result, asker: Asker, node: ast.expr) -> Values:
    if isinstance(arg, Choices):
        data = np.empty((1, 1), dtype=object)
        data[0, 0] = frozenset(arg.items)
        return Values("list", data, np.zeros((1, 1), dtype=bool))
    return _single(arg, asker, node)


def _holds_all(items: frozenset[Any], wanted: Any) -> bool:
    return wanted <= items if isinstance(wanted, frozenset) else wanted in items


def _share(items: frozenset[Any], others: frozenset[Any]) -> bool:
    return not items.isdisjoint(others)


def _date(value: Values, asker: Asker, node: ast.expr) -> Values:
    moment = moment_of(value)
    if moment is None:
        asker.fail(node, "date must have a date in text as operand", "Write date('2026-01-31').")
    return moment


def _time(name: str, value: Values, asker: Asker, node: ast.expr) -> Values:
    _need(value, ("time",), name, asker, node)
    if value.kind == "nothing":
        return Values("number", np.full(value.missing.shape, np.nan), value.missing)
    if name in CLOCK:
        stamps = pd.DatetimeIndex(value.data.ravel().astype("datetime64[us]"))
        return Values("number", CLOCK[name](stamps).to_numpy(dtype=float).reshape(value.data.shape), value.missing)
    now = constant(asker.tables.at).data
    unit = MICROSECONDS["hour" if name.startswith("hours") else "day"]
    gap = (value.data - now) if name == "days_until" else (now - value.data)
    return Values("number", gap / unit, value.missing)
