"""Overrides: a person's locks (this lead, this rep) and bans (not this one)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from apportion.service.store.cells import Record
from apportion.service.store.desk import Desk, Page, parts
from apportion.service.store.schema import leads, overrides, reps
from apportion_models.errors import ConflictError, Finding, NotFoundError, TableError

JOINED = overrides.join(leads, overrides.c.lead_key == leads.c.lead_key).join(
    reps, overrides.c.rep_key == reps.c.rep_key
)


@dataclass(frozen=True)
class Override:
    """One lock or ban. said_by, reason : in the person's own words. lifted_at : None while it holds."""

    id: int
    lead_id: str
    rep_id: str
    kind: str
    said_by: str | None
    reason: str | None
    set_at: dt.datetime
    lifted_at: dt.datetime | None


class Overrides(Desk):
    """What can be asked and said of overrides."""

    def set(
        self, *, lead_id: str, rep_id: str, kind: str, said_by: str | None = None, reason: str | None = None
    ) -> Override:
        """Lock a lead to a rep, or ban the pair. The same again gives the one there is.

        Raises TableError for an unknown lead, rep or kind; ConflictError where the lead is locked to another rep, or
        the pair is both locked and banned.
        """
        lead, rep = self._pair(lead_id, rep_id, kind)
        for other in self.of([lead]):
            same_rep = other.rep_id == rep_id
            if other.kind == kind and same_rep:
                return other
            if (other.kind == "lock" and kind == "lock") or (other.kind != kind and same_rep):
                raise ConflictError(
                    f"There is a {other.kind} of this lead already (override {other.id}): lift it first."
                )
        row = {"lead_key": lead, "rep_key": rep, "kind": kind, "said_by": said_by, "reason": reason}
        made = sa.insert(overrides).values(**row, set_at=self.tx.now()).returning(overrides.c.id)
        number = int(self.rows(made)[0].id)
        self.note("override.set", override=number, lead=lead, rep=rep, kind=kind)
        return self.get(number)

    def lift(self, number: int) -> Override:
        """Let an override hold no longer. Raises NotFoundError."""
        found = self.get(number)
        if found.lifted_at is None:
            self.changed(sa.update(overrides).where(overrides.c.id == number).values(lifted_at=self.tx.now()))
            self.note("override.lift", override=number)
        return self.get(number)

    def get(self, number: int) -> Override:
        """One override. Raises NotFoundError."""
        row = self.first(_asked().where(overrides.c.id == number))
        if row is None:
            raise NotFoundError(f"There is no override {number}.")
        return _override(row)

    def page(self, *, after: str | None = None, limit: int = 100, holding: bool = True) -> Page[Override]:
        """Overrides in the order in which they were set. holding : only those that hold."""
        asked = _asked().where(overrides.c.lifted_at.is_(None)) if holding else _asked()
        return self.listed(asked, overrides.c.id, _override, after=None if after is None else int(after), limit=limit)

    def of(self, lead_keys: Sequence[int]) -> list[Override]:
        """Those that hold on these leads, in the order in which they were set."""
        found = [
            _override(row)
            for part in parts(lead_keys)
            for row in self.rows(_asked().where(overrides.c.lead_key.in_(part), overrides.c.lifted_at.is_(None)))
        ]
        return sorted(found, key=lambda override: override.id)

    def _pair(self, lead_id: str, rep_id: str, kind: str) -> tuple[int, int]:
        lead, rep = self.tx.leads.keys([lead_id]).get(lead_id), self.tx.reps.keys([rep_id]).get(rep_id)
        checks = (
            ("lead_id", lead_id, lead is not None, "must be a lead of the store."),
            ("rep_id", rep_id, rep is not None, "must be a rep of the store."),
            ("kind", kind, kind in ("lock", "ban"), "must be lock or ban."),
        )
        faults = [
            Finding(severity="error", table="overrides", column=column, value=value, message=message)
            for column, value, holds, message in checks
            if not holds
        ]
        if faults or lead is None or rep is None:
            raise TableError(faults)
        return lead, rep


def as_record(override: Override) -> Record:
    """An override as a row of the table of overrides."""
    row = {"lead_id": override.lead_id, "rep_id": override.rep_id, "kind": override.kind}
    return row | {"at": override.set_at.isoformat()}


def _asked() -> sa.Select[Any]:
    return sa.select(overrides, leads.c.lead_id, reps.c.rep_id).select_from(JOINED)


def _override(row: sa.Row[Any]) -> Override:
    return Override(int(row.id), row.lead_id, row.rep_id, row.kind, row.said_by, row.reason, row.set_at, row.lifted_at)
