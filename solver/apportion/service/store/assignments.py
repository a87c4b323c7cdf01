"""Assignments: who got which lead, why, and with what chance. Nothing in them is changed but that one is withdrawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from apportion.service.store.cells import Record
from apportion.service.store.desk import Desk, Page, parts
from apportion.service.store.errors import AwayError
from apportion.service.store.outbox import LEAD_ASSIGNED
from apportion.service.store.schema import assignments, leads, reps
from apportion_models.errors import ConflictError

JOINED = assignments.join(leads, assignments.c.lead_key == leads.c.lead_key).outerjoin(
    reps, assignments.c.rep_key == reps.c.rep_key
)
SINGLY = ("route", "person")  # origins of which each lead is told by itself; a batch is told as a whole
FROM_STATE = {"batch": "claimed", "route": "waiting", "person": "waiting"}  # where a lead stands before it is placed


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What was decided of one lead. rep_key : None for nurture and reject. told : the lead's entry in plan.json.

    effort in effort units; opportunity, expected_revenue and deal_value in currency. propensity : the chance with
    which this pair was chosen, 1 where nothing was left to chance.
    """

    lead_key: int
    rep_key: int | None
    outcome: str
    told: Mapping[str, Any]
    place: int | None = None
    account_id: str | None = None
    effort: float | None = None
    opportunity: float | None = None
    expected_revenue: float | None = None
    deal_value: float | None = None
    fit: float | None = None
    propensity: float | None = None
    tier: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Assignment:
    """One placement as it is stored. rep_id : None for nurture and reject. is_current : the rep has the lead now."""

    id: int
    lead_id: str
    rep_id: str | None
    run_id: str | None
    origin: str
    outcome: str
    is_current: bool
    assigned_at: dt.datetime
    effort: float | None
    opportunity: float | None
    expected_revenue: float | None
    deal_value: float | None
    fit: float | None
    propensity: float | None
    tier: str | None
    reason: str | None
    told: Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """What was decided of one lead, as far as those who count need to know. rep_id : None for nurture and reject."""

    tick: int
    origin: str
    effort: float | None
    deal_value: float | None
    account_id: str | None
    assigned_at: dt.datetime
    rep_id: str | None


class Assignments(Desk):
    """What can be asked and said of assignments."""

    def add(
        self,
        placements: Sequence[Placement],
        *,
        origin: str,
        at: dt.datetime,
        run_id: str | None = None,
        prices_run_id: str | None = None,
    ) -> None:
        """Store placements, and move their leads to where they now stand. Those of a "given" run change no lead.

        origin : "batch", "given", "route", or "person". Raises ConflictError, and changes nothing, where a lead is no
        longer there to be placed, or has a rep already; AwayError where a batch has the floor to itself.
        """
        tick, counts = self.tx.tick("assignments"), origin != "given"
        if origin == "route" and self.tx.runs.is_exclusive():
            raise AwayError("A batch is being placed, and nothing else until it is done: try again a little later.")
        if counts:
            self._move(placements, FROM_STATE[origin])
        common = {"tick": tick, "origin": origin, "assigned_at": at, "run_id": run_id, "prices_run_id": prices_run_id}
        rows = [
            asdict(placement) | common | {"is_current": counts and placement.rep_key is not None}
            for placement in placements
        ]
        for part in parts(rows):
            self.changed(sa.insert(assignments), part)
        if origin in SINGLY:
            self._tell([placement.lead_key for placement in placements])
        placed = sum(placement.rep_key is not None for placement in placements)
        self.note("assignments.add", origin=origin, run=run_id, leads=len(rows), placed=placed)

    def _move(self, placements: Sequence[Placement], from_state: str) -> None:
        for outcome in sorted({placement.outcome for placement in placements}):
            keys = [placement.lead_key for placement in placements if placement.outcome == outcome]
            moved = sum(
                self.changed(
                    sa.update(leads)
                    .where(leads.c.lead_key.in_(part), leads.c.state == from_state)
                    .values(state=outcome, waiting_since=None)
                )
                for part in parts(keys)
            )
            if moved != len(keys):
                raise ConflictError(f"{len(keys) - moved} of {len(keys)} leads are no longer there to be placed.")

    def _tell(self, lead_keys: Sequence[int]) -> None:
        """One letter a lead and sink, where any sink hears of single leads."""
        sinks, tick = self.tx.outbox.hearers(LEAD_ASSIGNED), self.tx.tick("assignments")
        for part in parts(lead_keys) if sinks else ():
            column = assignments.c
            new = sa.select(column.id, column.lead_key).where(column.tick == tick, column.lead_key.in_(part))
            for row in self.rows(new.order_by(column.id)):
                self.tx.outbox.add(
                    topic=LEAD_ASSIGNED, key=f"assignment {row.id}", payload={"assignment_id": row.id}, sinks=sinks,
                    lead_key=row.lead_key,
                )  # fmt: skip

    def withdraw(self, lead_keys: Sequence[int]) -> None:
        """Take these leads from the reps who have them."""
        for part in parts(lead_keys):
            held = sa.update(assignments).where(assignments.c.lead_key.in_(part), assignments.c.is_current)
            self.changed(held.values(is_current=False, withdrawn_tick=self.tx.tick("assignments")))

    def page(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        run_id: str | None = None,
        rep_id: str | None = None,
        lead_id: str | None = None,
        current: bool = False,
    ) -> Page[Assignment]:
        """Assignments in the order in which they were stored. current : only leads that a rep has now."""
        asked = _asked()
        for column, wanted in ((assignments.c.run_id, run_id), (reps.c.rep_id, rep_id), (leads.c.lead_id, lead_id)):
            asked = asked if wanted is None else asked.where(column == wanted)
        asked = asked.where(assignments.c.is_current) if current else asked
        place = None if after is None else int(after)
        return self.listed(asked, assignments.c.id, _assignment, after=place, limit=limit)

    def of_lead(self, lead_id: str) -> Assignment | None:
        """Who has a lead now, and why; None where nobody has."""
        row = self.first(_asked().where(leads.c.lead_id == lead_id, assignments.c.is_current))
        return None if row is None else _assignment(row)

    def told(self, run_id: str) -> list[Record]:
        """The entries of a run's leads in plan.json, in its order."""
        asked = sa.select(assignments.c.told).where(assignments.c.run_id == run_id)
        return [dict(row.told) for row in self.rows(asked.order_by(assignments.c.place))]

    def of_tick(self, tick: int) -> list[Assignment]:
        """What was stored at one tick, in its order."""
        asked = _asked().where(assignments.c.tick == tick)
        return [_assignment(row) for row in self.rows(asked.order_by(assignments.c.id))]

    def since(self, tick: int) -> list[Given]:
        """What was decided of the store's own leads after a tick, withdrawn since or not."""
        column = assignments.c
        chosen = (column.tick, column.origin, column.effort, column.deal_value, column.account_id, column.assigned_at)
        asked = sa.select(*chosen, reps.c.rep_id).select_from(assignments.outerjoin(reps))
        return [Given(**row._mapping) for row in self.rows(asked.where(column.tick > tick).order_by(column.id))]

    def earlier(self, tick: int, *, after: dt.datetime | None = None) -> list[Record]:
        """What was given up to a tick and not withdrawn by then, as rows of the table of assignments.

        `lead_id` is the lead's number, which says nothing of whom it names. after : leave out what was given before.
        """
        column = assignments.c
        asked = sa.select(column.lead_key, column.assigned_at, reps.c.rep_id, *(column[name] for name in _CARRIED))
        counts = (column.origin != "given") & (column.tick <= tick)
        standing = column.withdrawn_tick.is_(None) | (column.withdrawn_tick > tick)
        if after is not None:
            standing &= column.assigned_at >= after
        found = asked.select_from(assignments.join(reps)).where(counts, standing).order_by(column.id)
        return [_earlier(row) for row in self.rows(found)]

    def last_moment(self, *, until: dt.datetime) -> dt.datetime | None:
        """When something was given last, not after `until`; None where nothing was."""
        counts = (assignments.c.origin != "given") & (assignments.c.assigned_at <= until)
        found: dt.datetime | None = self.rows(sa.select(sa.func.max(assignments.c.assigned_at)).where(counts))[0][0]
        return found

    def loads(self, *, since_tick: int) -> dict[str, tuple[int, float]]:
        """Leads and effort that each rep was given after a tick and still has."""
        effort = sa.func.coalesce(sa.func.sum(assignments.c.effort), 0.0).label("units")
        number = sa.func.count().label("number")
        asked = sa.select(reps.c.rep_id, number, effort).select_from(assignments.join(reps))
        mine = asked.where(assignments.c.tick > since_tick, assignments.c.is_current).group_by(reps.c.rep_id)
        return {row.rep_id: (int(row.number), float(row.units)) for row in self.rows(mine)}


_CARRIED = ("account_id", "effort", "opportunity", "expected_revenue", "tier")


def _earlier(row: sa.Row[Any]) -> Record:
    told = {"lead_id": str(row.lead_key), "rep_id": row.rep_id, "assigned_at": row.assigned_at.isoformat()}
    told |= {name: row._mapping[name] for name in _CARRIED if row._mapping[name] is not None}
    return dict(sorted(told.items()))


def _asked() -> sa.Select[Any]:
    return sa.select(assignments, leads.c.lead_id, reps.c.rep_id).select_from(JOINED)


def _assignment(row: sa.Row[Any]) -> Assignment:
    names = Assignment.__dataclass_fields__
    return Assignment(**{name: value for name, value in row._mapping.items() if name in names})
