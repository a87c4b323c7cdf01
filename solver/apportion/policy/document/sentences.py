"""Predicates in plain words: `country in ['SE', 'NO']` reads "country is SE or NO"."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from apportion.policy.predicates import Predicate
from apportion.policy.predicates.parse import OPERATORS, place

COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "is",
    ast.NotEq: "is not",
    ast.Lt: "is below",
    ast.LtE: "is at most",
    ast.Gt: "is above",
    ast.GtE: "is at least",
}
SIGNS: dict[type[ast.operator], str] = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "divided by"}
TESTS = {
    "startswith": "{0} begins with {1}",
    "endswith": "{0} ends with {1}",
    "contains": "{0} contains {1}",
    "has": "{0} include {1}",
    "overlaps": "{0} share something with {1}",
    "missing": "{0} is missing",
    "known": "{0} is known",
    "lower": "{0} in small letters",
    "upper": "{0} in capitals",
    "length": "the length of {0}",
    "abs": "the size of {0}",
    "days_since": "days since {0}",
    "days_until": "days until {0}",
    "hours_since": "hours since {0}",
    "weekday": "the weekday of {0}",
    "hour": "the hour of {0}",
    "month": "the month of {0}",
    "date": "{0}",
}


def said(predicate: Predicate) -> str:
    """The predicate as an English clause."""
    return _Speaker(predicate.scope == "pair").clause(predicate.tree)


def listed(items: Sequence[str], joint: str = "and") -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {joint} {items[-1]}" if items else "nothing"


class _Speaker:
    def __init__(self, both: bool) -> None:
        self.both = both

    def clause(self, node: ast.expr) -> str:
        """What is said to hold: `country is SE`."""
        match node:
            case ast.BoolOp(op=ast.And(), values=parts):
                return ", and ".join(self.inner(part) for part in parts)
            case ast.BoolOp(values=parts):
                return " or ".join(self.inner(part) for part in parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"it is not so that {self.inner(operand)}"
            case ast.Compare():
                return self.comparison(node)
            case ast.Name(id="true"):
                return "always"
            case ast.Name() | ast.Attribute():
                return f"{self.thing(node)} is set"
        return self.thing(node)

    def inner(self, node: ast.expr) -> str:
        text = self.clause(node)
        return f"({text})" if isinstance(node, ast.BoolOp) else text

    def comparison(self, node: ast.Compare) -> str:
        parts, left = [], node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self.compared(op, left, right))
            left = right
        return ", and ".join(parts)

    def compared(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> str:
        if isinstance(op, (ast.In, ast.NotIn)):
            negation = " not" if isinstance(op, ast.NotIn) else ""
            if isinstance(right, (ast.List, ast.Tuple)):
                return f"{self.thing(left)} is{negation} {self.thing(right)}"
            return f"{self.thing(left)} is{negation} among {self.thing(right)}"
        return f"{self.thing(left)} {COMPARED[type(op)]} {self.thing(right)}"

    def thing(self, node: ast.expr) -> str:
        """What is spoken of: `country`, `SE or NO`, `value plus 10`."""
        match node:
            case ast.Constant(value=value):
                return f"{value:,}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return listed([self.thing(item) for item in items], "or")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"−{self.thing(operand)}"
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return TESTS[OPERATORS[type(op)]].format(self.thing(left), self.thing(right))
            case ast.BinOp(left=left, op=op, right=right):
                return f"{self.thing(left)} {SIGNS[type(op)]} {self.thing(right)}"
            case ast.Call(func=ast.Name(id=name), args=args):
                return TESTS[name].format(*(self.thing(arg) for arg in args))
            case ast.Name(id=word) if word in ("true", "false", "now"):
                return word
            case ast.Name() | ast.Attribute():
                side, column = place(node, scope="lead") or ("lead", "")
                words = column.replace("_", " ")
                return f"the {side}'s {words}" if self.both else words
        return self.clause(node)
