"""From a predicate's text to a checked tree: a small grammar on top of Python's parser, with every node on a list.

Nothing of the text is ever executed. `startswith`, `endswith` and `contains` may stand between their operands; they are
put to Python's parser as operators of the same length, so that positions in messages stay true.
"""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from apportion.policy.predicates.values import PredicateError

Scope = Literal["lead", "rep", "pair"]

MAX_LENGTH, MAX_NODES, MAX_DEPTH = 2000, 400, 40
INFIX = {"startswith": "<<", "endswith": ">>", "contains": "|"}
OPERATORS: dict[type[ast.operator], str] = {ast.LShift: "startswith", ast.RShift: "endswith", ast.BitOr: "contains"}
REFUSED = {
    "=": "Write == to compare.", ":=": "Write == to compare.", "<>": "Write !=.",
    "&": "Write and.", "&&": "Write and.", "|": "Write or.", "||": "Write or.", "!": "Write not.", "~": "Write not.",
    "<<": "Write startswith.", ">>": "Write endswith.",
}  # fmt: skip
FUNCTIONS = {
    "has": 2, "overlaps": 2, "missing": 1, "known": 1, "startswith": 2, "endswith": 2, "contains": 2,
    "lower": 1, "upper": 1, "length": 1, "abs": 1,
    "days_since": 1, "days_until": 1, "hours_since": 1, "weekday": 1, "hour": 1, "month": 1, "date": 1,
}  # fmt: skip
WORDS = {"true": True, "True": True, "false": False, "False": False}
NOTHING = {"None", "none", "null", "NULL", "nan", "NaN"}
COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)


@dataclass(frozen=True)
class Predicate:
    """A checked sentence. `columns` are the (side, column) pairs that it names; equal texts are equal predicates."""

    text: str
    scope: Scope
    tree: ast.expr = field(compare=False, repr=False)
    columns: frozenset[tuple[str, str]] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.text


def parse(text: str, *, scope: Scope) -> Predicate:
    """Read `text` as a predicate over leads, reps or pairs of both; raises PredicateError with the position."""
    text = " ".join(text.split("\n")).replace("\t", " ").strip()
    if not text:
        raise PredicateError(
            "A predicate must not be empty", text=text, position=0, remedy="Write true for everything."
        )
    if len(text) > MAX_LENGTH:
        raise PredicateError(
            f"A predicate must have at most {MAX_LENGTH} characters", text=text[:40] + "…", position=MAX_LENGTH
        )
    _check_characters(text)
    source = _rewrite(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an escape such as '\\d' that means nothing is refused, not guessed at
            tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        raise _syntax(text, error) from None
    except (RecursionError, MemoryError, ValueError):
        raise PredicateError(
            "Too deeply nested", text=text, position=0, remedy="Split it into several rules."
        ) from None
    checker = _Checker(text, scope)
    checker.check(tree, 0)
    return Predicate(text, scope, tree, frozenset(checker.columns))


def place(node: ast.expr, *, scope: Scope) -> tuple[str, str] | None:
    """The (side, column) that a name stands for, if any; a bare name is of the lead, in a rule over reps of the rep."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id, node.attr
    if isinstance(node, ast.Name) and node.id not in WORDS and node.id != "now":
        return ("rep" if scope == "rep" else "lead"), node.id
    return None


def character(text: str, offset: int) -> int:
    """The parser counts bytes of UTF-8; people count characters."""
    return len(text.encode()[:offset].decode(errors="ignore"))


def _rewrite(text: str) -> str:
    """Put the infix words as operators of equal length, and refuse the operators of other languages by name."""
    out = list(text)
    ends_operand = False
    for token in _tokens(text):
        if token.string in REFUSED:
            _refuse(text, token.start[1], f"'{token.string}' is not known here", REFUSED[token.string])
        infix = token.type == tokenize.NAME and token.string in INFIX and ends_operand
        if infix:
            start, width = token.start[1], len(token.string)
            out[start : start + width] = INFIX[token.string].ljust(width)
        word = token.type == tokenize.NAME and token.string not in ("and", "or", "not", "in", "is")
        ends_operand = not infix and (
            word or token.type in (tokenize.NUMBER, tokenize.STRING) or token.string in (")", "]")
        )
    return "".join(out)


def _check_characters(text: str) -> None:
    """Refuse quotes left open, and characters that have no place outside of quotes, alike in all versions of Python."""
    quote, opened, skip = "", 0, False
    for position, letter in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = letter == "\\"
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote, opened = letter, position
        elif letter in "$?`;#{}@^\\" or (letter == "!" and text[position + 1 : position + 2] != "="):
            remedy = "Write not." if letter == "!" else "Put text between quotes: 'like this'."
            _refuse(text, position, f"{letter!r} is not understood", remedy)
    if quote:
        _refuse(text, opened, "A quote is not closed", "Close every bracket and quote.")


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, SyntaxError):
        _refuse(text, len(text) - 1, "The sentence does not end", "Close every bracket and quote.")


def _refuse(text: str, position: int, message: str, remedy: str = "") -> None:
    raise PredicateError(message, text=text, position=position, remedy=remedy)


def _syntax(text: str, error: SyntaxError) -> PredicateError:
    position = max(0, min((error.offset or 1) - 1, len(text) - 1))
    remedy = "Write for example: country in ['SE', 'NO'] and company_size >= 50."
    for word in INFIX:
        if f"not {word}" in text:
            remedy = f"Write not (column {word} '…')."
    return PredicateError("Not a sentence that can be read", text=text, position=position, remedy=remedy)


class _Checker:
    """Walks the tree once: every node must be on the list, every function known, every side allowed in the scope."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text, self.scope, self.nodes = text, scope, 0
        self.columns: set[tuple[str, str]] = set()

    def fail(self, node: ast.AST, message: str, remedy: str = "") -> None:
        _refuse(self.text, character(self.text, getattr(node, "col_offset", 0)), message, remedy)

    def check(self, node: ast.AST, depth: int) -> None:
        """Refuse whatever the language does not have, here and below, and note the columns that are named."""
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            self.fail(node, "Too long or too deeply nested", "Split it into several rules.")
        match node:
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not() | ast.USub()):
                self.children(node, depth)
            case ast.Compare(ops=ops):
                if any(not isinstance(op, COMPARISONS) for op in ops):
                    self.fail(node, "'is' is not known here", "Write ==, or missing(column).")
                self.children(node, depth)
            case ast.BinOp(
                op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.LShift() | ast.RShift() | ast.BitOr()
            ):
                self.children(node, depth)
            case ast.Call():
                self.call(node, depth)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                for item in items:
                    self.item(item)
            case ast.Constant(value=value):
                self.constant(node, value)
            case ast.Name() | ast.Attribute():
                self.name(node)
            case _:
                self.fail(node, "This is not part of the language of predicates", "See docs/policy.md, 'Predicates'.")

    def children(self, node: ast.AST, depth: int) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.check(child, depth + 1)

    def call(self, node: ast.Call, depth: int) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            near = difflib.get_close_matches(name, FUNCTIONS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(sorted(FUNCTIONS))}."
            self.fail(node, f"There is no function {name!r}", hint)
        if node.keywords or len(node.args) != FUNCTIONS[name] or any(isinstance(arg, ast.Starred) for arg in node.args):
            self.fail(node, f"{name} must have {FUNCTIONS[name]} operand{'s' if FUNCTIONS[name] > 1 else ''}")
        for arg in node.args:
            self.check(arg, depth + 1)

    def item(self, node: ast.expr) -> None:
        inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
        if isinstance(inner, ast.Name) and inner.id in WORDS:
            return
        if not isinstance(inner, ast.Constant):
            self.fail(node, "A list must hold texts or numbers", "Put text between quotes: ['SE', 'NO'].")
        else:
            self.constant(inner, inner.value)

    def constant(self, node: ast.AST, value: object) -> None:
        if value is None:
            self.fail(node, "None is not known here", "Write missing(column) or known(column).")
        if isinstance(value, str) and "\x00" in value:
            self.fail(node, "A text must not hold a zero byte")
        if not isinstance(value, (str, int, float, bool)) or (isinstance(value, int) and abs(value) > 2**53):
            self.fail(node, f"{str(value)[:20]} is neither a text nor a number that can be compared")

    def name(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name) and node.id in NOTHING:
            self.fail(node, f"{node.id} is not known here", "Write missing(column) or known(column).")
        if isinstance(node, ast.Name) and node.id in ("lead", "rep"):
            self.fail(node, f"'{node.id}' must be followed by a column", f"Write for example {node.id}.{node.id}_id.")
        found = place(node, scope=self.scope)
        if isinstance(node, ast.Attribute) and (found is None or found[0] not in ("lead", "rep")):
            self.fail(node, "Only lead.column and rep.column can be written with a dot")
        if found is None:
            return
        if self.scope != "pair" and found[0] != self.scope:
            other = "reps" if self.scope == "lead" else "leads"
            self.fail(
                node, f"This rule is over {self.scope}s alone, and '{found[0]}.{found[1]}' is a column of {other}"
            )
        self.columns.add(found)
