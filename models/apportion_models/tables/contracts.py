"""What a column and a table must be: the words in which `declared` states every contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "number", "amount", "count", "time", "flag", "list", "choice"]

KINDS: dict[Kind, str] = {
    "id": "a name for one thing, kept as text (`007` stays `007`); only stray spaces and a float's `.0` are taken off",
    "text": "words, kept as text",
    "number": "a number",
    "amount": "a number of money, all of one currency",
    "count": "a whole number",
    "time": "a date or a time, kept in UTC; a date alone means its midnight in the file's `time_zone`",
    "flag": "true or false; missing is false",
    "list": "several words with `;` between them; missing is the empty list",
    "choice": "one of the words that the table states",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column's contract.

    `low` and `high` are inclusive bounds. `literal` names words that elsewhere mean "missing" and are values here.
    `words` maps each choice to the spellings that CRM systems use for it. `whole_day`: a date without a time of day
    means the end of that day, not its midnight.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    unique: bool = False
    low: float | None = None
    high: float | None = None
    aliases: tuple[str, ...] = ()
    literal: tuple[str, ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    whole_day: bool = False

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that a `choice` may take."""
        return tuple(choice for choice, _ in self.words)


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table's contract: its columns, and which of them together name a row once (`key`; empty: none do)."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    def column(self, name: str) -> Column | None:
        """The contract of one column; None when it is an attribute."""
        return next((column for column in self.columns if column.name == name), None)
