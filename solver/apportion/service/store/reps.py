"""Reps: what is known of them, and how many leads are open with each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from apportion.service.store.cells import Record, records, row_hash
from apportion.service.store.desk import ROSTER, Desk, Page, parts
from apportion.service.store.leads import Upserted
from apportion.service.store.schema import assignments, leads, outcomes, reps

TOLD = ("open_leads", "open_pipeline")


@dataclass(frozen=True)
class Rep:
    """One rep as stored. content : the row, by the names of the reps table. active : whether they may get leads."""

    rep_key: int
    rep_id: str
    active: bool
    content: Record
    told_tick: int
    changed_at: dt.datetime


class Reps(Desk):
    """What can be asked and said of reps."""

    def upsert(self, table: pd.DataFrame) -> Upserted:
        """Store the rows of a table as `read_reps` gives it; each takes the place of the one before it, whole.

        `open_leads` and `open_pipeline` are taken as what holds now: from here on the store counts what it gives and
        what closes.
        """
        now, tick = self.tx.now(), self.tx.last_tick("assignments")
        rows = {str(row["rep_id"]): row for row in records(table)}
        known = {rep.rep_id: rep for rep in self.all(active=None)}
        given = [self._row(rep_id, row, known.get(rep_id), now, tick) for rep_id, row in rows.items()]
        fresh = sorted(
            (row for row in given if _differs(row, known.get(row["rep_id"]))), key=lambda row: str(row["rep_id"])
        )
        statement = self.tx.insert(reps)
        again = {name: statement.excluded[name] for name in ("content", "hash", "active", "told_tick", "changed_at")}
        for part in parts(fresh):
            self.changed(statement.on_conflict_do_update(index_elements=["rep_id"], set_=again), part)
        new = sum(row["rep_id"] not in known for row in fresh)
        told = Upserted(new, len(fresh) - new, len(given) - len(fresh))
        if fresh:
            self.tx.tick(ROSTER)
            self.note("reps.upsert", new=told.new, changed=told.changed)
        return told

    def _row(self, rep_id: str, row: Record, before: Rep | None, now: dt.datetime, tick: int) -> dict[str, Any]:
        return {
            "rep_id": rep_id,
            "content": row,
            "hash": row_hash(row),
            "active": True,
            "told_tick": tick if before is None or any(name in row for name in TOLD) else before.told_tick,
            "changed_at": now,
        }

    def retire(self, rep_ids: Sequence[str]) -> int:
        """Let these reps get no more leads, and leave them those they have. Gives how many were active."""
        stopped = sum(
            self.changed(
                sa.update(reps)
                .where(reps.c.rep_id.in_(part), reps.c.active)
                .values(active=False, changed_at=self.tx.now())
            )
            for part in parts(rep_ids)
        )
        if stopped:
            self.tx.tick(ROSTER)
            self.note("reps.retire", reps=sorted(self.keys(rep_ids).values()))
        return stopped

    def register(self, rep_ids: Sequence[str]) -> None:
        """Give a number to ids that are only spoken of; such reps are not active."""
        now, tick = self.tx.now(), self.tx.last_tick("assignments")
        statement = self.tx.insert(reps).on_conflict_do_nothing(index_elements=["rep_id"])
        for part in parts(rep_ids):
            rows = [self._row(rep_id, {}, None, now, tick) | {"active": False} for rep_id in part]
            self.changed(statement, rows)

    def get(self, rep_id: str) -> Rep | None:
        """One rep; None where there is none of that id."""
        row = self.first(sa.select(reps).where(reps.c.rep_id == rep_id))
        return None if row is None else _rep(row)

    def page(self, *, after: str | None = None, limit: int = 100, active: bool | None = True) -> Page[Rep]:
        """Reps in the order of their ids. active : None for all."""
        return self.listed(_of(active), reps.c.rep_id, _rep, after=after, limit=limit)

    def all(self, *, active: bool | None = True) -> list[Rep]:
        """Every rep, in the order of ids."""
        return sorted((_rep(row) for row in self.rows(_of(active))), key=lambda rep: rep.rep_id)

    def keys(self, rep_ids: Sequence[str]) -> dict[str, int]:
        """The stored number of each of these ids that there is."""
        asked = sa.select(reps.c.rep_id, reps.c.rep_key)
        return {
            row.rep_id: int(row.rep_key)
            for part in parts(rep_ids)
            for row in self.rows(asked.where(reps.c.rep_id.in_(part)))
        }

    def contents(self) -> list[Record]:
        """The active reps' rows with `open_leads` and `open_pipeline` as they are now: what was told last, and what
        the store gave and saw closing since."""
        given, closed = self._given_since(), self._closed_since()
        rows = []
        for rep in self.all():
            more, less = given.get(rep.rep_key, (0, 0.0)), closed.get(rep.rep_key, (0, 0.0))
            row = dict(rep.content)
            for place, name in enumerate(TOLD):
                row[name] = max(float(row.get(name, 0.0)) + more[place] - less[place], 0.0)
            rows.append(dict(sorted(row.items())))
        return rows

    def _given_since(self) -> dict[int, tuple[float, float]]:
        """Leads, and their deal value, that a rep got after the counts were told and that are open."""
        mine = assignments.join(reps, assignments.c.rep_key == reps.c.rep_key).join(
            leads, assignments.c.lead_key == leads.c.lead_key
        )
        still = assignments.c.is_current & (leads.c.state == "assigned")
        return self._totals(mine, still & (assignments.c.tick > reps.c.told_tick))

    def _closed_since(self) -> dict[int, tuple[float, float]]:
        """Leads, and their deal value, that a rep had when the counts were told and that closed since."""
        mine = assignments.join(reps, assignments.c.rep_key == reps.c.rep_key).join(
            outcomes, assignments.c.lead_key == outcomes.c.lead_key
        )
        gone = assignments.c.is_current & (outcomes.c.outcome != "open") & (outcomes.c.told_tick > reps.c.told_tick)
        return self._totals(mine, gone & (assignments.c.tick <= reps.c.told_tick))

    def _totals(self, joined: sa.FromClause, which: sa.ColumnElement[bool]) -> dict[int, tuple[float, float]]:
        worth = sa.func.coalesce(sa.func.sum(assignments.c.deal_value), 0.0).label("worth")
        number = sa.func.count().label("number")
        asked = sa.select(assignments.c.rep_key, number, worth).select_from(joined)
        found = self.rows(asked.where(which).group_by(assignments.c.rep_key))
        return {int(row.rep_key): (float(row.number), float(row.worth)) for row in found}


def _of(active: bool | None) -> sa.Select[Any]:
    return sa.select(reps) if active is None else sa.select(reps).where(reps.c.active == active)


def _differs(row: dict[str, Any], before: Rep | None) -> bool:
    return (
        before is None
        or not before.active
        or before.told_tick != row["told_tick"]
        or row_hash(before.content) != row["hash"]
    )


def _rep(row: sa.Row[Any]) -> Rep:
    return Rep(int(row.rep_key), row.rep_id, bool(row.active), row.content, int(row.told_tick), row.changed_at)
