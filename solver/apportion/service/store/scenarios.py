"""Scenarios: named changes that people asked about, kept to be asked again. They change no batch."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from apportion.service.store.desk import Desk
from apportion.service.store.schema import scenarios
from apportion_models.errors import ConflictError, NotFoundError

MOST_SCENARIOS = 1_000


@dataclass(frozen=True)
class SavedScenario:
    """One scenario. content : the text of its file."""

    name: str
    content: str
    saved_at: dt.datetime
    saved_by: str


class Scenarios(Desk):
    """What can be asked and said of saved scenarios."""

    def put(self, name: str, content: str) -> None:
        """Save a scenario, in the place of the one of this name. Raises ConflictError where there are too many."""
        row = {"name": name, "content": content, "saved_at": self.tx.now(), "saved_by": self.tx.actor}
        made = self.tx.insert(scenarios).values(row)
        new = {column: value for column, value in row.items() if column != "name"}
        self.changed(made.on_conflict_do_update(index_elements=["name"], set_=new))
        if self.rows(sa.select(sa.func.count()).select_from(scenarios))[0][0] > MOST_SCENARIOS:
            raise ConflictError(f"There are {MOST_SCENARIOS:,} saved scenarios already: delete one first.")
        self.note("scenario.put", scenario=_print(name))

    def get(self, name: str) -> SavedScenario:
        """One scenario. Raises NotFoundError."""
        row = self.first(sa.select(scenarios).where(scenarios.c.name == name))
        if row is None:
            raise NotFoundError(f"There is no saved scenario {name}.")
        return _saved(row)

    def all(self) -> list[SavedScenario]:
        """Every scenario, by name."""
        return sorted(map(_saved, self.rows(sa.select(scenarios))), key=lambda one: one.name)

    def delete(self, name: str) -> None:
        """Delete one. Raises NotFoundError."""
        if not self.changed(sa.delete(scenarios).where(scenarios.c.name == name)):
            raise NotFoundError(f"There is no saved scenario {name}.")
        self.note("scenario.delete", scenario=_print(name))


def _print(name: str) -> str:
    """A name as the audit trail may hold it, where nothing may tell of a person."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _saved(row: sa.Row[Any]) -> SavedScenario:
    return SavedScenario(**row._mapping)
