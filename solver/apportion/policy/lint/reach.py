"""Rules that nothing can reach, and values that occur nowhere."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from typing import Any

import numpy as np

from apportion.policy.lint.batch import CheckedBatch, some
from apportion.policy.predicates import Predicate
from apportion.policy.predicates.parse import place
from apportion_models.errors import Finding

WHOM = {"lead": "no lead of this batch", "rep": "no rep", "pair": "no pair of a lead and a rep"}


def unreached(batch: CheckedBatch) -> Iterator[Finding]:
    """Predicates that hold for nothing, though all texts in them occur."""
    for path, predicate in batch.policy.predicates():
        strange = next(unknown_texts(batch, predicate), None)
        if strange is None and not batch.asked.holds(predicate, path).any():
            message = f"holds for {WHOM[predicate.scope]}"
            yield batch.told("notice", path, message, value=predicate.text, remedy="Is it meant so?")


def shadowed(batch: CheckedBatch) -> Iterator[Finding]:
    """Rules of which the first counts, and that come too late for all that they hold for."""
    policy = batch.policy
    first_counts: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
        ("territories.cover", "when", policy.territories.cover),
        ("screening", "when", policy.screening),
        ("capacity.effort.rules", "when", policy.capacity.effort.rules),
        ("nurture.rules", "when", policy.nurture.rules),
        ("ramp", "reps", policy.ramp),
        ("availability.hours", "reps", policy.availability.hours),
    )
    for section, key, rules in first_counts:
        taken: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None = None
        for index, rule in enumerate(rules):
            path = f"{section}[{index}].{key}"
            holds = batch.asked.holds(getattr(rule, key), path)
            if taken is not None and holds.any() and not (holds & ~taken).any():
                remedy = "Move it up, or narrow the rules before it."
                message = f"'{rule.name}' is never reached: rules before it take all that it holds for"
                yield batch.told("notice", path, message, remedy=remedy)
            taken = holds if taken is None else taken | holds


def unknown_values(batch: CheckedBatch) -> Iterator[Finding]:
    """Texts in a predicate that its column never holds: often a typing error."""
    for path, predicate in batch.policy.predicates():
        for place_of, text, known in unknown_texts(batch, predicate):
            near = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
            remedy = f"Did you mean {near[0]!r}?" if near else f"It holds: {some(known)}."
            nothing = (
                "" if batch.asked.holds(predicate, path).any() else f": the predicate holds for {WHOM[predicate.scope]}"
            )
            message = f"{place_of} is never {text!r} in these tables{nothing}"
            yield batch.told("notice", path, message, value=predicate.text, remedy=remedy)


def unknown_texts(batch: CheckedBatch, predicate: Predicate) -> Iterator[tuple[str, str, list[str]]]:
    """(side.column, text, what the column holds) for every text compared with a column that never holds it."""
    for side, column, text in _compared(predicate):
        values = batch.asked.tables.get(side, column)
        if values.kind in ("text", "list"):
            known = sorted(_distinct(values.data, values.missing))
            if text not in known:
                yield f"{side}.{column}", text, known


def _distinct(
    data: np.ndarray[tuple[int, ...], np.dtype[np.generic]], missing: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> set[str]:
    found: set[str] = set()
    for value in data[~missing]:
        found |= {str(item) for item in value} if isinstance(value, frozenset) else {str(value)}
    return found


def _compared(predicate: Predicate) -> Iterator[tuple[str, str, str]]:
    """(side, column, text) for `column == 'text'`, `column in ['text']` and `has(column, 'text')`."""
    for node in ast.walk(predicate.tree):
        sides: list[ast.expr] = []
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.In)):
            sides = [node.left, node.comparators[0]]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("has", "overlaps"):
            sides = list(node.args)
        for subject, other in (sides, sides[::-1]) if sides else ():
            found = place(subject, scope=predicate.scope)
            if found is not None:
                for item in other.elts if isinstance(other, (ast.List, ast.Tuple)) else [other]:
                    if isinstance(item, ast.Constant) and isinstance(item.value, str):
                        yield found[0], found[1], item.value
