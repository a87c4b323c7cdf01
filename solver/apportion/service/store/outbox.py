"""Outbox: what is to be told to others, written in the transaction that made it true; delivered at least once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from apportion.service.store.desk import Desk, Page, parts
from apportion.service.store.errors import LostError
from apportion.service.store.leases import FORESEEN
from apportion.service.store.schema import outbox

PLAN_DONE, LEAD_ASSIGNED = "plan.done", "lead.assigned"  # what sinks are told of, a row a lead
PLAN_REPORT, ALERT = "plan.report", "alert"  # and of other things


@dataclass(frozen=True)
class Letter:
    """One message to one sink. key : the same at every attempt, for whoever receives it twice.

    attempts : how often it was taken up, the present time too; it is also the fence by which a settlement is known to
    be of the present attempt.
    """

    id: int
    sink: str
    key: str
    topic: str
    payload: Mapping[str, Any]
    run_id: str | None
    state: str
    attempts: int
    due_at: dt.datetime
    error: str | None
    created_at: dt.datetime
    settled_at: dt.datetime | None


class Outbox(Desk):
    """What can be asked and said of letters."""

    def add(
        self,
        *,
        topic: str,
        key: str,
        payload: Mapping[str, Any],
        sinks: Sequence[str],
        run_id: str | None = None,
        lead_key: int | None = None,
    ) -> int:
        """Write one letter to each sink. Gives how many are new: a sink has one letter of each key.

        The payload should name a run or an assignment, which the delivery reads; what it holds of a lead itself is
        erased with that lead, if `lead_key` says whose it is.
        """
        now = self.tx.now()
        common: dict[str, Any] = {
            "key": key,
            "topic": topic,
            "payload": dict(payload),
            "run_id": run_id,
            "lead_key": lead_key,
        }
        common |= {"state": "waiting", "attempts": 0, "due_at": now, "created_at": now}
        statement = self.tx.insert(outbox).on_conflict_do_nothing(index_elements=["sink", "key"])
        return sum(self.inserted(statement.values(**common, sink=sink)) for sink in sinks)

    def hearers(self, topic: str) -> tuple[str, ...]:
        """The sinks that the store tells of this: see `Store.tells`."""
        return tuple(self.tx.told.get(topic, ()))

    def take(self, owner: str, *, seconds: float, limit: int = 100, sink: str | None = None) -> list[Letter]:
        """Letters that are due, the longest due first, for `seconds`: not settled by then, they are due again.

        What a sink is told of one lead is told in the order in which it was written: a letter waits for every earlier
        one of its lead, and for every earlier one of a whole run, which may tell of that lead too. One that is due in
        the far future is due now: a clock was wrong when it was put off.
        """
        now = self.tx.now()
        is_due = (outbox.c.due_at <= now) | (outbox.c.due_at > now + FORESEEN)
        due = sa.select(outbox.c.id).where(outbox.c.state == "waiting", is_due, *_is_first(sink))
        due = due if sink is None else due.where(outbox.c.sink == sink)
        due = due.order_by(outbox.c.due_at, outbox.c.id).limit(limit)
        mine = due.with_for_update(skip_locked=True, of=outbox)
        until = now + dt.timedelta(seconds=seconds)
        taken = sa.update(outbox).where(outbox.c.id.in_(mine))
        taken = taken.values(owner=owner, due_at=until, attempts=outbox.c.attempts + 1).returning(outbox)
        return sorted((_letter(row) for row in self.rows(taken)), key=lambda letter: letter.id)

    def keep(self, letter: Letter, *, seconds: float) -> None:
        """Have it for `seconds` from now. Raises LostError where it has been taken up anew meanwhile, or settled."""
        until = self.tx.now() + dt.timedelta(seconds=seconds)
        if not self.changed(sa.update(outbox).where(_present(letter)).values(due_at=until)):
            raise LostError(f"Letter {letter.id} was taken over, or is settled.")

    def delivered(self, letter: Letter) -> bool:
        """It was received. False where it has been taken up anew meanwhile, or settled."""
        return self._settle(letter, state="delivered", settled_at=self.tx.now(), error=None)

    def again(self, letter: Letter, *, at: dt.datetime, error: str) -> bool:
        """It was not received: try again at this moment. False as above."""
        return self._settle(letter, due_at=at, error=error)

    def dead(self, letter: Letter, *, error: str) -> bool:
        """It will not be tried again, unless a person says so. False as above."""
        settled = self._settle(letter, state="dead", settled_at=self.tx.now(), error=error)
        if settled:
            self.note("outbox.dead", letter=letter.id)
        return settled

    def drop(self, letter: Letter, *, error: str) -> bool:
        """There is nothing to tell: it is settled without being sent. False as above."""
        return self._settle(letter, state="dropped", settled_at=self.tx.now(), error=error)

    def replay(self, ids: Sequence[int] | None = None) -> int:
        """Try dead letters again, under their old keys: these, or all. Gives how many."""
        which = sa.update(outbox).where(outbox.c.state == "dead")
        new = {"state": "waiting", "attempts": 0, "due_at": self.tx.now(), "settled_at": None}
        chosen = [which] if ids is None else [which.where(outbox.c.id.in_(part)) for part in parts(ids)]
        count = sum(self.changed(statement.values(new)) for statement in chosen)
        if count:
            self.note("outbox.replay", letters=count)
        return count

    def page(self, *, after: str | None = None, limit: int = 100, state: str | None = None) -> Page[Letter]:
        """Letters in the order in which they were written."""
        asked = sa.select(outbox) if state is None else sa.select(outbox).where(outbox.c.state == state)
        place = None if after is None else int(after)
        return self.listed(asked, outbox.c.id, _letter, after=place, limit=limit)

    def counts(self) -> dict[str, int]:
        """How many letters there are in each state."""
        found = self.rows(sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state))
        return {state: int(count) for state, count in sorted(tuple(row) for row in found)}

    def _settle(self, letter: Letter, **facts: Any) -> bool:
        return bool(self.changed(sa.update(outbox).where(_present(letter)).values(owner=None, **facts)))


def _present(letter: Letter) -> sa.ColumnElement[bool]:
    """The letter, if this attempt at it is the present one."""
    return (outbox.c.id == letter.id) & (outbox.c.attempts == letter.attempts) & (outbox.c.state == "waiting")


def _is_first(sink: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    """That no letter to the same sink was written before and is not settled, of the same lead or of a whole run.

    The first that waits, and the first of a whole run, are asked for once: to ask of each letter whether there is one
    before it would take the square of their number, and while one is stuck they are many.
    """
    earlier = outbox.alias("earlier")
    waits = (earlier.c.state == "waiting") & (earlier.c.sink == (outbox.c.sink if sink is None else sink))
    asked = sa.select(sa.func.min(earlier.c.id)).where(waits).correlate(outbox)
    first_of_run = asked.where(earlier.c.lead_key.is_(None)).scalar_subquery()
    of_lead = sa.exists().where(waits, earlier.c.lead_key == outbox.c.lead_key, earlier.c.id < outbox.c.id)
    alone = sa.case(
        (outbox.c.lead_key.is_(None), outbox.c.id <= asked.scalar_subquery()), else_=~of_lead.correlate(outbox)
    )
    return outbox.c.id <= sa.func.coalesce(first_of_run, outbox.c.id), alone


def _letter(row: sa.Row[Any]) -> Letter:
    names = Letter.__dataclass_fields__
    return Letter(**{name: value for name, value in row._mapping.items() if name in names})
