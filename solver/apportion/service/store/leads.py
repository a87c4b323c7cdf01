"""Leads: what is known of them, and where each stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from apportion.service.store.cells import Record, records, row_hash
from apportion.service.store.desk import Desk, Page, parts
from apportion.service.store.schema import leads
from apportion_models.errors import Finding, TableError

AGAIN = ("nurture", "reject", "assigned", "outside")  # states from which a lead may come back to wait


@dataclass(frozen=True)
class Lead:
    """One lead as it is stored. content : its row, by the names of the leads table."""

    lead_key: int
    lead_id: str
    state: str
    content: Record
    created_at: dt.datetime
    waiting_since: dt.datetime | None
    changed_at: dt.datetime


@dataclass(frozen=True)
class Upserted:
    """How many rows were new, changed, or as they were."""

    new: int
    changed: int
    same: int


@dataclass(frozen=True)
class Waiting:
    """How many leads wait, and since when the longest of them."""

    count: int
    since: dt.datetime | None


class Leads(Desk):
    """What can be asked and said of leads."""

    def upsert(self, table: pd.DataFrame, *, state: str = "waiting") -> Upserted:
        """Store the rows of a table as `read_leads` gives it: new leads wait; known ones get the new content.

        A row takes the place of the one before it, whole. state : of new leads. A known one keeps its own.
        """
        return self.upsert_rows(records(table), state=state)

    def upsert_rows(self, given_rows: Sequence[Record], *, state: str = "waiting") -> Upserted:
        """The same for rows as `records` gives them."""
        now = self.tx.now()
        rows = {str(row["lead_id"]): row for row in given_rows}
        known = {row.lead_id: row.hash for row in self._known(list(rows), leads.c.lead_id, leads.c.hash)}
        given = [self._row(lead_id, row, state, now) for lead_id, row in rows.items()]
        fresh = [row for row in given if known.get(row["lead_id"]) != row["hash"]]
        fresh.sort(key=_id)  # two who write the same rows must not wait for each other
        statement = self.tx.insert(leads)
        kept = ("content", "hash", "created_at", "account_id", "changed_at")
        again: dict[str, Any] = {name: statement.excluded[name] for name in kept}
        for name in ("state", "waiting_since"):  # one that was only spoken of begins to wait
            again[name] = sa.case((leads.c.state == "outside", statement.excluded[name]), else_=leads.c[name])
        for part in parts(fresh):
            self.changed(statement.on_conflict_do_update(index_elements=["lead_id"], set_=again), part)
        new = sum(row["lead_id"] not in known for row in fresh)
        told = Upserted(new, len(fresh) - new, len(given) - len(fresh))
        if fresh:
            self.note("leads.upsert", new=told.new, changed=told.changed)
        return told

    def _row(self, lead_id: str, row: Record, state: str, now: dt.datetime) -> dict[str, Any]:
        arrived = row.get("created_at")
        return {
            "lead_id": lead_id,
            "content": row,
            "hash": row_hash(row),
            "state": state,
            "created_at": now if arrived is None else dt.datetime.fromisoformat(arrived),
            "account_id": row.get("account_id"),
            "waiting_since": now if state == "waiting" else None,
            "changed_at": now,
        }

    def register(self, lead_ids: Sequence[str]) -> None:
        """Give a number to ids that are only spoken of, such as in a plan of other tables; they never wait."""
        self._insert_absent([self._row(lead_id, {}, "outside", self.tx.now()) for lead_id in lead_ids])

    def _insert_absent(self, rows: Sequence[dict[str, Any]]) -> None:
        statement = self.tx.insert(leads).on_conflict_do_nothing(index_elements=["lead_id"])
        for part in parts(rows):
            self.changed(statement, part)

    def get(self, lead_id: str) -> Lead | None:
        """One lead; None where there is none of that id."""
        row = self.first(sa.select(leads).where(leads.c.lead_id == lead_id))
        return None if row is None else _lead(row)

    def many(self, lead_ids: Sequence[str]) -> dict[str, Lead]:
        """The leads of these ids that there are."""
        return {row.lead_id: _lead(row) for row in self._known(lead_ids, *leads.c)}

    def held(self, lead_ids: Sequence[str]) -> dict[str, Lead]:
        """The same; nobody else changes them before this transaction ends."""
        chosen = [sa.select(leads).where(leads.c.lead_id.in_(part)) for part in parts(lead_ids)]
        rows = [row for asked in chosen for row in self.rows(asked.order_by(leads.c.lead_id).with_for_update())]
        return {row.lead_id: _lead(row) for row in rows}

    def page(self, *, after: str | None = None, limit: int = 100, state: str | None = None) -> Page[Lead]:
        """Leads in the order of their ids."""
        statement = sa.select(leads) if state is None else sa.select(leads).where(leads.c.state == state)
        return self.listed(statement, leads.c.lead_id, _lead, after=after, limit=limit)

    def counts(self) -> dict[str, int]:
        """How many leads there are in each state."""
        statement = sa.select(leads.c.state, sa.func.count()).group_by(leads.c.state)
        return {state: int(count) for state, count in sorted(tuple(row) for row in self.rows(statement))}

    def waiting(self) -> Waiting:
        """How many leads wait for a batch, and since when."""
        longest = sa.func.min(leads.c.waiting_since).label("since")
        asked = sa.select(sa.func.count().label("number"), longest).where(leads.c.state == "waiting")
        found = self.rows(asked)[0]
        return Waiting(int(found.number), found.since)

    def requeue(self, lead_ids: Sequence[str]) -> int:
        """Let leads wait again: those in nurture, rejected, or with a rep, who loses them. Gives how many.

        Raises TableError naming every id that is unknown or cannot wait now.
        """
        there = self.many(lead_ids)
        faults = [_fault(row, lead_id, there.get(lead_id)) for row, lead_id in enumerate(lead_ids, 1)]
        if found := [fault for fault in faults if fault is not None]:
            raise TableError(found)
        keys = [lead.lead_key for lead in there.values() if lead.state != "waiting"]
        self.tx.assignments.withdraw(keys)
        self.set_state(keys, "waiting")
        if keys:
            self.note("leads.requeue", leads=keys)
        return len(keys)

    def set_state(self, keys: Sequence[int], state: str) -> None:
        """Where these leads stand from now on."""
        since = self.tx.now() if state == "waiting" else None
        for part in parts(keys):
            changed = sa.update(leads).where(leads.c.lead_key.in_(part))
            self.changed(changed.values(state=state, waiting_since=since))

    def keys(self, lead_ids: Sequence[str]) -> dict[str, int]:
        """The stored number of each of these ids that there is."""
        return {row.lead_id: int(row.lead_key) for row in self._known(lead_ids, leads.c.lead_id, leads.c.lead_key)}

    def contents(self, keys: Sequence[int]) -> list[Mapping[str, Any]]:
        """The rows of these leads, in the order of their ids."""
        found = [
            row
            for part in parts(keys)
            for row in self.rows(sa.select(leads.c.lead_id, leads.c.content).where(leads.c.lead_key.in_(part)))
        ]
        return [row.content for row in sorted(found, key=lambda row: str(row.lead_id))]

    def _known(self, lead_ids: Sequence[str], *columns: sa.Column[Any]) -> list[sa.Row[Any]]:
        return [
            row for part in parts(lead_ids) for row in self.rows(sa.select(*columns).where(leads.c.lead_id.in_(part)))
        ]


def _id(row: dict[str, Any]) -> str:
    return str(row["lead_id"])


def _lead(row: sa.Row[Any]) -> Lead:
    return Lead(
        int(row.lead_key), row.lead_id, row.state, row.content, row.created_at, row.waiting_since, row.changed_at
    )


def _fault(row: int, lead_id: str, lead: Lead | None) -> Finding | None:
    if lead is not None and lead.state in (*AGAIN, "waiting"):
        return None
    message = "is no lead of the store." if lead is None else f"cannot wait again: it is {lead.state}."
    return Finding(severity="error", table="leads", row=row, column="lead_id", value=lead_id, message=message)
