"""Tx: everything that can be asked of a store and said to it, in one transaction, one desk a subject."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from apportion.service.store.assignments import Assignments
from apportion.service.store.audit import Audit
from apportion.service.store.claims import Claims
from apportion.service.store.idempotency import Idempotency
from apportion.service.store.keys import Keys
from apportion.service.store.leads import Leads
from apportion.service.store.leases import Leases
from apportion.service.store.models import Models
from apportion.service.store.outbox import Outbox
from apportion.service.store.outcomes import Outcomes
from apportion.service.store.overrides import Overrides
from apportion.service.store.policies import Policies
from apportion.service.store.reps import Reps
from apportion.service.store.runs import Runs
from apportion.service.store.scenarios import Scenarios
from apportion.service.store.schema import ticks
from apportion.service.store.snapshots import Snapshots
from apportion.service.store.tables import ReferenceTables


class Tx:
    """One transaction. `Store.read` and `Store.write` give it; it ends with their block."""

    def __init__(
        self,
        connection: sa.Connection,
        clock: Callable[[], dt.datetime] | None,
        *,
        actor: str = "system",
        told: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """told : the sinks that hear of each topic."""
        self.connection, self.actor, self._clock, self.told = connection, actor, clock, told or {}
        self._ticked: dict[str, int] = {}

    @property
    def embedded(self) -> bool:
        """Whether it is SQLite."""
        return self.connection.dialect.name == "sqlite"

    def now(self) -> dt.datetime:
        """The time, aware, in UTC: the server's, so that workers on several machines agree; or the clock given."""
        if self._clock is not None:
            return self._clock().astimezone(dt.UTC)
        if self.embedded:
            return dt.datetime.now(dt.UTC)
        told: dt.datetime = self.connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return told.astimezone(dt.UTC)

    def new_id(self) -> str:
        """A name that nothing else has."""
        return uuid.uuid4().hex

    def insert(self, table: sa.Table) -> Any:
        """An INSERT that can be told what to do where the row is there already."""
        return sqlite.insert(table) if self.embedded else postgresql.insert(table)

    def count(self, name: str) -> int:
        """The next number of a count, in the order in which transactions end: the others wait for this one's end."""
        first = self.insert(ticks).values(name=name, tick=1)
        statement = first.on_conflict_do_update(index_elements=["name"], set_={"tick": ticks.c.tick + 1})
        return int(self.connection.execute(statement.returning(ticks.c.tick)).scalar_one())

    def tick(self, name: str) -> int:
        """The same, but one number for the whole transaction."""
        if name not in self._ticked:
            self._ticked[name] = self.count(name)
        return self._ticked[name]

    def last_tick(self, name: str) -> int:
        """The last number given out; 0 before the first."""
        found = self.connection.execute(sa.select(ticks.c.tick).where(ticks.c.name == name)).scalar()
        return 0 if found is None else int(found)

    @contextmanager
    def acting(self, actor: str) -> Iterator[None]:
        """Inside, somebody else is noted in the audit trail."""
        before, self.actor = self.actor, actor
        try:
            yield
        finally:
            self.actor = before

    def seal(self) -> None:
        """The last thing before the transaction is committed: what was noted goes into the audit trail."""
        self.audit.seal()

    @cached_property
    def leads(self) -> Leads:
        """Leads."""
        return Leads(self)

    @cached_property
    def reps(self) -> Reps:
        """Reps."""
        return Reps(self)

    @cached_property
    def tables(self) -> ReferenceTables:
        """Accounts, teams, territories and calendar."""
        return ReferenceTables(self)

    @cached_property
    def outcomes(self) -> Outcomes:
        """What became of leads."""
        return Outcomes(self)

    @cached_property
    def overrides(self) -> Overrides:
        """Locks and bans."""
        return Overrides(self)

    @cached_property
    def policies(self) -> Policies:
        """Policies by version."""
        return Policies(self)

    @cached_property
    def models(self) -> Models:
        """Models by version."""
        return Models(self)

    @cached_property
    def runs(self) -> Runs:
        """Runs."""
        return Runs(self)

    @cached_property
    def claims(self) -> Claims:
        """Which run has which leads."""
        return Claims(self)

    @cached_property
    def snapshots(self) -> Snapshots:
        """What runs were made from."""
        return Snapshots(self)

    @cached_property
    def assignments(self) -> Assignments:
        """Who got which lead, and why."""
        return Assignments(self)

    @cached_property
    def leases(self) -> Leases:
        """Who may do what, until when."""
        return Leases(self)

    @cached_property
    def outbox(self) -> Outbox:
        """What is to be told to others."""
        return Outbox(self)

    @cached_property
    def idempotency(self) -> Idempotency:
        """Answers that were given before."""
        return Idempotency(self)

    @cached_property
    def keys(self) -> Keys:
        """API keys."""
        return Keys(self)

    @cached_property
    def scenarios(self) -> Scenarios:
        """Scenarios that were saved."""
        return Scenarios(self)

    @cached_property
    def audit(self) -> Audit:
        """What was done, by whom; nothing in it can be changed."""
        return Audit(self)
