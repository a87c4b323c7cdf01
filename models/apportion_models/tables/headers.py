"""Which of the source's columns is which of ours: by the mapping, by our own name, by a CRM system's name for it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from apportion_models.tables.contracts import Column, Table
from apportion_models.tables.notes import Notes

OUTCOME_FLAGS = (("IsWon", "IsClosed"), ("Is Closed Won", "Is Deal Closed?"), ("hs_is_closed_won", "hs_is_closed"))
"""Pairs of flags that tell an outcome more surely than the name of a stage does: won, closed."""


def squash(name: str) -> str:
    """A header without case, spaces, underscores and signs.

    >>> squash("Lead ID") == squash("lead_id") == squash("LeadId")
    True
    """
    return re.sub(r"[\W_]+", "", name.casefold())


def match_headers(table: Table, names: Iterable[str], mapped: dict[str, str], notes: Notes) -> dict[str, str]:
    """Ours → theirs. What the mapping names in vain, and what could be two columns, is noted as an error."""
    theirs = list(names)
    out = {ours: found for ours, wanted in mapped.items() if (found := find(wanted, theirs, f"columns.{ours}", notes))}
    free = [name for name in theirs if name not in set(out.values())]
    for column in table.columns:
        if column.name in mapped:
            continue
        name = _own(column, free, notes) or _alias(table, column, free, notes)
        if name is not None:
            out[column.name] = name
    return out


def find(wanted: str, theirs: list[str], key: str, notes: Notes) -> str | None:
    """The source's column that the mapping means; an error names the ones that there are."""
    if wanted in theirs:
        return wanted
    alike = [name for name in theirs if squash(name) == squash(wanted)]
    if len(alike) == 1:
        return alike[0]
    close = difflib.get_close_matches(wanted, theirs, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else f"The columns are: {', '.join(theirs)}."
    notes.add(
        "error",
        f"the mapping key `{notes.table}.{key}` names a column that the source does not have",
        value=wanted,
        remedy=hint,
    )
    return None


def _own(column: Column, free: list[str], notes: Notes) -> str | None:
    if column.name in free:
        return column.name
    return _only(column, [name for name in free if squash(name) == squash(column.name)], notes)


def _alias(table: Table, column: Column, free: list[str], notes: Notes) -> str | None:
    known = {squash(alias) for alias in column.aliases}
    return _only(column, [name for name in free if squash(name) in known], notes)


def _only(column: Column, candidates: list[str], notes: Notes) -> str | None:
    if len(candidates) > 1:
        shown = " and ".join(f"'{name}'" for name in candidates)
        notes.add(
            "error",
            f"could be any of {shown}",
            column=column.name,
            remedy=f"Choose one in the mapping: `{notes.table}.columns.{column.name}: {candidates[0]}`.",
        )
    return candidates[0] if candidates else None


def outcome_flags(names: Iterable[str]) -> tuple[str, str] | None:
    """The two flags, won and closed, that a CRM export has side by side; None when it has not."""
    known = {squash(name): name for name in names}
    for won, closed in OUTCOME_FLAGS:
        if squash(won) in known and squash(closed) in known:
            return known[squash(won)], known[squash(closed)]
    return None
