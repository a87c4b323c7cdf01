"""Tables as a page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from apportion.reasons.report.view import Cell

Rows = list[list[Cell]]


@dataclass(frozen=True)
class Linked(Cell):
    """A cell that leads somewhere. href : under the console's root."""

    href: str = ""


@dataclass(frozen=True)
class Shown:
    """A table. csv : where it is handed out. search : offer a search in it. empty : what to say without rows."""

    id: str
    caption: str
    columns: tuple[str, ...]
    rows: Rows
    csv: str = ""
    search: bool = False
    empty: str = "There is nothing to show."


def to(page: str, **query: Any) -> str:
    """An address under the console's root; ids are in the query, so that no id can be a path."""
    some = {name: value for name, value in query.items() if value not in (None, "")}
    return f"/{page}?{urlencode(some)}" if some else f"/{page}"


def lead_cell(lead: str) -> Linked:
    """A lead's id, leading to its reasons."""
    return Linked(lead, href=to("lead", id=lead))


def rep_cell(rep: object, people: dict[str, str], otherwise: str = "–") -> Cell:
    """A rep's name, leading to the rep; otherwise: where there is none."""
    name = people.get(str(rep))
    return Cell(otherwise) if name is None else Linked(name, href=to("rep", id=rep))
