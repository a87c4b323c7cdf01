"""Evaluate a predicate over whole columns: leads as (L, 1), reps as (1, R), so that a pair costs a broadcast.

Missing follows SQL: a comparison with a missing value is neither true nor false, `and`, `or`, `not` carry that through
(Kleene's logic), and in the end a rule holds only where its sentence is true. So `country != 'SE'` and
`not (country == 'SE')` mean the same, and neither holds for a lead whose country is missing.
"""

from __future__ import annotations

import ast
import difflib
import operator
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from apportion.policy.predicates.functions import call
from apportion.policy.predicates.parse import OPERATORS, WORDS, Predicate, character, place
from apportion.policy.predicates.values import (
    Bools,
    Choices,
    PredicateError,
    Truth,
    Values,
    by_distinct,
    column,
    constant,
    moment_of,
)

Result = Values | Truth | Choices
ORDER = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
ARITHMETIC = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply}


class Tables:
    """The leads and reps that predicates are asked about at one moment; each column is prepared once."""

    def __init__(
        self, *, leads: pd.DataFrame | None = None, reps: pd.DataFrame | None = None, at: pd.Timestamp
    ) -> None:
        self.frames = {"lead": leads, "rep": reps}
        self.at = at
        self._ready: dict[tuple[str, str], Values] = {}

    def rows(self, side: str) -> int:
        """Number of leads or of reps; 1 when the table is not there."""
        frame = self.frames[side]
        return 1 if frame is None else len(frame)

    def columns(self, side: str) -> list[str]:
        """Names of the columns that can be asked for."""
        frame = self.frames[side]
        return [] if frame is None else [str(name) for name in frame.columns]

    def get(self, side: str, name: str) -> Values:
        """A column, shaped for broadcasting. Raises KeyError when there is none, TypeError when it mixes kinds."""
        if (side, name) not in self._ready:
            frame = self.frames[side]
            if frame is None or name not in frame.columns:
                raise KeyError(name)
            kind, data, missing = column(frame[name])
            shape = (-1, 1) if side == "lead" else (1, -1)
            self._ready[side, name] = Values(kind, data.reshape(shape), missing.reshape(shape))
        return self._ready[side, name]

    def probe(self) -> Tables:
        """One lead and one rep with the columns' kinds: asks at no cost whether a predicate fits the tables."""
        small = _Probe(at=self.at)
        small.whole, small.frames = self, self.frames
        return small


class _Probe(Tables):
    whole: Tables

    def rows(self, side: str) -> int:
        return 1

    def get(self, side: str, name: str) -> Values:
        values = self.whole.get(side, name)
        if not values.data.size:
            return Values("nothing", np.zeros((1, 1)), np.ones((1, 1), dtype=bool))
        return Values(values.kind, values.data.reshape(-1, 1)[:1], values.missing.reshape(-1, 1)[:1])


def holds(predicate: Predicate, tables: Tables) -> Bools:
    """Where the predicate is true: (L,) of leads, (R,) of reps, (L, R) of pairs. Raises PredicateError."""
    truth = _Evaluation(predicate, tables).truth(predicate.tree).yes
    if predicate.scope == "pair":
        return np.array(np.broadcast_to(truth, (tables.rows("lead"), tables.rows("rep"))))
    return np.array(np.broadcast_to(truth.ravel(), (tables.rows(predicate.scope),)))


class _Evaluation:
    def __init__(self, predicate: Predicate, tables: Tables) -> None:
        self.predicate, self.tables = predicate, tables

    def fail(self, node: ast.AST, message: str, remedy: str = "", column: str | None = None) -> NoReturn:
        """Raises PredicateError, with the place of the node in the text."""
        position = character(self.predicate.text, getattr(node, "col_offset", 0))
        raise PredicateError(message, text=self.predicate.text, position=position, remedy=remedy, column=column)

    def truth(self, node: ast.expr) -> Truth:
        """Where the node is true, and where it is known: both broadcast to (L, R). Raises PredicateError."""
        match node:
            case ast.BoolOp(op=op, values=parts):
                result = self.truth(parts[0])
                for part in parts[1:]:
                    result = result & self.truth(part) if isinstance(op, ast.And) else result | self.truth(part)
                return result
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return ~self.truth(inner)
            case ast.Compare():
                return self.comparison(node)
        value = self.value(node)
        if isinstance(value, Truth):
            return value
        if not isinstance(value, Values) or value.kind not in ("flag", "nothing"):
            self.fail(node, f"{self.shown(node)} is neither true nor false", "Compare it with something.")
        return Truth.of(value.data.astype(bool), value.missing)

    def value(self, node: ast.expr) -> Result:
        """What the node stands for: values, choices or a truth. Raises PredicateError."""
        match node:
            case ast.Constant(value=literal):
                return constant(literal)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return Choices(tuple(self.literal(item) for item in items))
            case ast.Name(id=word) if word in WORDS:
                return constant(WORDS[word])
            case ast.Name(id="now"):
                return constant(self.tables.at)
            case ast.Name() | ast.Attribute():
                return self.column(node)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                number = self.number(inner)
                return Values("number", -number.data, number.missing)
            case ast.BinOp(op=op) if type(op) in OPERATORS:
                return call(OPERATORS[type(op)], [self.value(node.left), self.value(node.right)], self, node)
            case ast.BinOp():
                return self.arithmetic(node)
            case ast.Call(func=ast.Name(id=name), args=args):
                return call(name, [self.value(arg) for arg in args], self, node)
        return self.truth(node)

    def literal(self, node: ast.expr) -> Any:
        if isinstance(node, ast.UnaryOp):
            return -self.literal(node.operand)
        return WORDS[node.id] if isinstance(node, ast.Name) else getattr(node, "value", None)

    def column(self, node: ast.expr) -> Values:
        side, name = place(node, scope=self.predicate.scope) or ("lead", "")
        try:
            return self.tables.get(side, name)
        except KeyError:
            self.fail(node, f"The {side}s have no column '{name}'", near_columns(name, side, self.tables), column=name)
        except TypeError as error:
            self.fail(
                node, f"The {side}s' column '{name}' {error}", "Make it one kind of value throughout.", column=name
            )

    def number(self, node: ast.expr) -> Values:
        value = self.value(node)
        if isinstance(value, Values) and value.kind == "nothing":
            return Values("number", np.full(value.missing.shape, np.nan), value.missing)
        if not isinstance(value, Values) or value.kind != "number":
            self.fail(node, f"{self.shown(node)} must be a number, and is {kind_name(value)}")
        return value

    def arithmetic(self, node: ast.BinOp) -> Values:
        left, right = self.number(node.left), self.number(node.right)
        missing = left.missing | right.missing
        with np.errstate(all="ignore"):
            if isinstance(node.op, ast.Div):
                data = left.data / np.where(right.data == 0, np.nan, right.data)
            else:
                data = ARITHMETIC[type(node.op)](left.data, right.data)
        return Values("number", data, missing | ~np.isfinite(data))

    def comparison(self, node: ast.Compare) -> Truth:
        """A chain such as `1 < a <= 2`: every link must hold."""
        result: Truth | None = None
        left_node = node.left
        left = self.value(left_node)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            part = self.compare(op, left, right, left_node, right_node)
            result = part if result is None else result & part
            left, left_node = right, right_node
        assert result is not None
        return result

    def compare(self, op: ast.cmpop, left: Result, right: Result, left_node: ast.expr, right_node: ast.expr) -> Truth:
        """One link of a chain, row by row; unknown where either side is missing."""
        if isinstance(op, (ast.In, ast.NotIn)):
            found = self.membership(left, right, left_node, right_node)
            return ~found if isinstance(op, ast.NotIn) else found
        if not isinstance(left, Values) or not isinstance(right, Values):
            self.fail(left_node, "Only single values can be compared so", "Write `column in ['a', 'b']` for a list.")
        left, right = self.matched(left, right, left_node, right_node)
        missing = left.missing | right.missing
        if "nothing" in (left.kind, right.kind):
            return Truth.of(np.zeros(missing.shape, dtype=bool), np.ones(missing.shape, dtype=bool))
        if isinstance(op, (ast.Eq, ast.NotEq)):
            equal = (
                by_distinct(operator.eq, left, right) if left.kind == "text" else np.asarray(left.data == right.data)
            )
            truth = Truth.of(equal, missing)
            return ~truth if isinstance(op, ast.NotEq) else truth
        if left.kind not in ("number", "time"):
            self.fail(
                left_node, f"{self.shown(left_node)} is {kind_name(left)}, and has no order", "Write == or in [...]."
            )
        return Truth.of(np.asarray(ORDER[type(op)](left.data, right.data)), missing)

    def matched(self, left: Values, right: Values, left_node: ast.expr, right_node: ast.expr) -> tuple[Values, Values]:
        """Both operands of one kind: a text beside a time is read as a date; anything else that differs is refused."""
        if left.kind == "time" and right.kind == "text":
            return left, self.as_time(right, right_node)
        if right.kind == "time" and left.kind == "text":
            return self.as_time(left, left_node), right
        if "list" in (left.kind, right.kind):
            self.fail(left_node, "A list cannot be compared so", "Write has(list, value) or overlaps(list, list).")
        if left.kind != right.kind and "nothing" not in (left.kind, right.kind):
            message = (
                f"{self.shown(left_node)} is {kind_name(left)}, and {self.shown(right_node)} is {kind_name(right)}"
            )
            quoted = {left.kind, right.kind} == {"number", "text"}
            self.fail(left_node, message, "A number is written without quotes, a text with quotes." if quoted else "")
        return left, right

    def membership(self, left: Result, right: Result, left_node: ast.expr, right_node: ast.expr) -> Truth:
        """`value in list column`, or `column in [choices]`: equal to one of them."""
        if isinstance(right, Values) and right.kind in ("list", "nothing"):
            return call_truth("has", [right, left], self, left_node)
        if not isinstance(right, Choices) or not isinstance(left, Values):
            self.fail(
                right_node,
                f"'in' must be followed by a list, and {self.shown(right_node)} is none",
                "Write ['a', 'b'].",
            )
        no_one = np.zeros(left.missing.shape, dtype=bool)
        result = Truth.of(no_one, left.missing)
        for item in right.items:
            result = result | self.compare(ast.Eq(), left, constant(item), left_node, right_node)
        return result

    def as_time(self, values: Values, node: ast.expr) -> Values:
        moment = moment_of(values)
        if moment is None:
            message = f"{self.shown(node)} is a text and no date, and is compared with a time"
            self.fail(node, message, "Write it as '2026-01-31' or '2026-01-31T09:00'.")
        return moment

    def shown(self, node: ast.expr) -> str:
        """The operand as the policy's author wrote it."""
        written = self.predicate.text.encode()[node.col_offset : node.end_col_offset]
        return f"`{written.decode()}`"


def call_truth(name: str, args: list[Result], context: _Evaluation, node: ast.expr) -> Truth:
    """A function whose answer is true or false."""
    answer = call(name, args, context, node)
    assert isinstance(answer, Truth)
    return answer


def kind_name(value: Result) -> str:
    """The kind in plain words."""
    if isinstance(value, Choices):
        return "a list"
    if isinstance(value, Truth):
        return "true or false"
    names = {"number": "a number", "text": "a text", "flag": "true or false", "time": "a time", "list": "a list"}
    return names.get(value.kind, "missing throughout")


def near_columns(name: str, side: str, tables: Tables) -> str:
    """What the author may have meant: close names on this side, or the same name on the other."""
    other = "rep" if side == "lead" else "lead"
    if name in tables.columns(other):
        return f"The {other}s have one: write {other}.{name}, where the rule is over pairs or over {other}s."
    near = difflib.get_close_matches(name, tables.columns(side), n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"They have: {', '.join(tables.columns(side)[:20])}."
