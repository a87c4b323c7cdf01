"""Outcomes: what became of leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from apportion.service.store.cells import Record, records
from apportion.service.store.desk import Desk, parts
from apportion.service.store.leads import Lead, Upserted
from apportion.service.store.schema import leads, outcomes
from apportion_models.errors import Finding, TableError

WORDS = ("won", "lost", "open")


@dataclass(frozen=True)
class Outcome:
    """What became of one lead."""

    lead_id: str
    outcome: str
    closed_at: dt.datetime | None
    deal_value: float | None


class Outcomes(Desk):
    """What can be asked and said of outcomes."""

    def upsert(self, table: pd.DataFrame) -> Upserted:
        """Store outcomes: `lead_id`, `outcome` (won, lost, open), and optionally `closed_at` (aware) and `deal_value`.

        A lead that is won or lost is closed, and no longer open with its rep; one that is open again is with its rep.
        Raises TableError naming every row with an unknown lead or outcome, or a deal value that is negative.
        """
        rows = list({str(row.get("lead_id")): row for row in records(table)}.values())
        there = self.tx.leads.many([str(row.get("lead_id")) for row in rows])
        if faults := [fault for place, row in enumerate(rows, 1) for fault in _faults(place, row, there)]:
            raise TableError(faults)
        known = dict(self._known(there))
        given = [_kept(row, there[str(row["lead_id"])].lead_key) for row in rows]
        fresh = [row for row in given if known.get(row["lead_key"]) != _content(row)]
        self._store(fresh)
        new = sum(row["lead_key"] not in known for row in fresh)
        if fresh:
            self.note("outcomes.upsert", new=new, changed=len(fresh) - new)
        return Upserted(new, len(fresh) - new, len(given) - len(fresh))

    def get(self, lead_id: str) -> Outcome | None:
        """What became of one lead; None where nobody said."""
        asked = sa.select(leads.c.lead_id, outcomes).select_from(outcomes.join(leads)).where(leads.c.lead_id == lead_id)
        row = self.first(asked)
        return None if row is None else Outcome(row.lead_id, row.outcome, row.closed_at, row.deal_value)

    def _store(self, fresh: list[dict[str, Any]]) -> None:
        if not fresh:
            return
        when = {"told_at": self.tx.now(), "told_tick": self.tx.tick("assignments")}
        statement = self.tx.insert(outcomes)
        kept = ("outcome", "closed_at", "deal_value", "told_at", "told_tick")
        again = {name: statement.excluded[name] for name in kept}
        for part in parts(fresh):
            upsert = statement.on_conflict_do_update(index_elements=["lead_key"], set_=again)
            self.changed(upsert, [row | when for row in part])
        closed = [row["lead_key"] for row in fresh if row["outcome"] != "open"]
        self.tx.leads.set_state(closed, "closed")
        self._reopen([row["lead_key"] for row in fresh if row["outcome"] == "open"])

    def _reopen(self, keys: list[int]) -> None:
        for part in parts(keys):
            back = sa.update(leads).where(leads.c.lead_key.in_(part), leads.c.state == "closed")
            self.changed(back.values(state="assigned"))

    def _known(self, there: dict[str, Lead]) -> Iterator[tuple[int, tuple[Any, ...]]]:
        for part in parts([lead.lead_key for lead in there.values()]):
            for row in self.rows(sa.select(outcomes).where(outcomes.c.lead_key.in_(part))):
                yield int(row.lead_key), _content(row._mapping)


def _kept(row: Record, lead_key: int) -> dict[str, Any]:
    closed_at, value = row.get("closed_at"), row.get("deal_value")
    return {
        "lead_key": lead_key,
        "outcome": row["outcome"],
        "closed_at": None if closed_at is None else dt.datetime.fromisoformat(closed_at),
        "deal_value": None if value is None else float(value),
    }


def _content(row: Any) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("outcome", "closed_at", "deal_value"))


def _faults(place: int, row: Record, there: dict[str, Lead]) -> Iterator[Finding]:
    def fault(column: str, message: str) -> Finding:
        return Finding(
            severity="error", table="outcomes", row=place, column=column, value=row.get(column), message=message
        )

    if str(row.get("lead_id")) not in there:
        yield fault("lead_id", "must be a lead of the store.")
    if row.get("outcome") not in WORDS:
        yield fault("outcome", f"must be one of {', '.join(WORDS)}.")
    value = row.get("deal_value")
    if value is not None and (isinstance(value, (bool, str, list)) or value < 0):
        yield fault("deal_value", "must be a number, 0 or more.")
    if row.get("closed_at") is not None and not _aware(row["closed_at"]):
        yield fault("closed_at", "must be a time with a zone, such as 2026-03-02T08:00:00Z.")


def _aware(text: Any) -> bool:
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False
