"""Cells that a spreadsheet would take for a formula are written with an apostrophe in front, and read back without it.

A cell is dangerous where it, or a part of it after `;`, a tab or a line break (which a spreadsheet of another country
may take for the next cell), begins with = + - @, a tab or a carriage return, and is no number. So that nothing is lost,
a part that begins with apostrophes and then such a sign gets one more. Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

SIGNS = "=+\\-@\t\r＝＋－＠"
BREAKS = ";\t\r\n"
NUMBER = r"[+-]?[0-9][0-9 .,()/-]*(?:[eE][+-]?[0-9]+)?%?(?=$|[;\t\r\n])"  # also +46 (0)70-123 45 67
_FIRST = frozenset("'" + SIGNS.replace("\\", ""))
_BREAK = re.compile(f"[{BREAKS}]")
_DANGER = re.compile(rf"(^|(?<=[{BREAKS}]))(?='*[{SIGNS}])(?!{NUMBER})")
_MENDED = re.compile(rf"(^|(?<=[{BREAKS}]))'(?='*[{SIGNS}])")


def harmless(table: pd.DataFrame) -> pd.DataFrame:
    """The table for a CSV file: dangerous text, also in the headers, behind an apostrophe. Numbers stay."""
    return _each_text(table, _DANGER, r"'")


def as_was(table: pd.DataFrame) -> pd.DataFrame:
    """The table that `harmless` was given, from what it gave."""
    return _each_text(table, _MENDED, "")


def _each_text(table: pd.DataFrame, pattern: re.Pattern[str], instead: str) -> pd.DataFrame:
    def mended(cell: Any) -> Any:
        if not isinstance(cell, str) or not cell or (cell[0] not in _FIRST and not _BREAK.search(cell)):
            return cell  # nearly every cell: told without trying each of its letters
        return pattern.sub(instead, cell)

    changed = table.rename(columns=mended)
    for place in range(changed.shape[1]):
        column = changed.iloc[:, place]
        if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object:
            changed.isetitem(place, column.map(mended).array)
    return changed
