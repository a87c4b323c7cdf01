"""The runner: asks for a run of every slot that is due, and works runs off. Any number of runners may be up.

The store holds what makes it exactly once: a slot has one run, a lead is in one open run, one batch runs at a time. A
runner that dies leaves a run whose lease lapses; the next runner takes it over with the leads and inputs that it had.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from apportion.policy import Policy
from apportion.policy.schema.schedule import Schedule
from apportion.service.runs import work
from apportion.service.schedule.due import Slot, due, next_time
from apportion.service.schedule.learning import Learnt, learn_anew, learnt_since
from apportion.service.store import LostError, Run, Store, Tx
from apportion.service.store.schema import leads

LEASE_SECONDS = 60.0
PLAN_DONE = "plan.done"


@dataclass(frozen=True)
class Ticked:
    """What one look at the clock led to. asked : runs that are new. ended : runs that this runner brought to their end,
    also those of others that died. learnt : what became of learning anew."""

    asked: tuple[Run, ...] = ()
    ended: tuple[Run, ...] = ()
    learnt: tuple[Learnt, ...] = ()


class Runner:
    """Runs what the active policy's schedule says. sinks : the names of those that are told of a plan."""

    def __init__(self, store: Store, *, sinks: Sequence[str] = (), lease_seconds: float = LEASE_SECONDS) -> None:
        self._store, self._sinks, self._seconds = store, tuple(sinks), lease_seconds
        self._owner = f"runner:{uuid.uuid4().hex}"

    def tick(self, *, stopped: Callable[[], bool] = lambda: False) -> Ticked:
        """Ask for what is due, work off what there is, learn. Raises AwayError where the store stays away."""
        slots, asked = self._store.attempt(lambda tx: ask_for_due(tx, sinks=self._sinks), actor=self._owner)
        ended: list[Run] = []
        while not stopped():
            try:
                run = work(self._store, owner=self._owner, seconds=self._seconds)
            except LostError:
                continue  # another took it over: it is theirs now
            if run is None:
                break
            ended.append(run)
        learnt = [learn_anew(self._store, slot, owner=self._owner) for slot in slots if slot.kind == "retrain"]
        return Ticked(tuple(asked), tuple(ended), tuple(one for one in learnt if one is not None))

    def next_time(self) -> dt.datetime | None:
        """When the clock next starts something; None where nothing goes by the clock."""
        with self._store.read() as tx:
            return next_time(schedule_of(tx), after=tx.now())


def ask_for_due(tx: Tx, *, sinks: Sequence[str] = ()) -> tuple[tuple[Slot, ...], list[Run]]:
    """The slots that are due, and the runs that are new: a slot that has its run already gives none."""
    slots = slots_due(tx)
    options = {"sinks": list(sinks)}
    asked = [tx.runs.add(schedule=slot.rule, slot=slot.at, options=options) for slot in slots if slot.kind == "batch"]
    return slots, [run for run in asked if run is not None]


def slots_due(tx: Tx) -> tuple[Slot, ...]:
    """The slots of the policy in use that are due now and have not been taken on, by what the store knows."""
    schedule = schedule_of(tx)
    return due(schedule, now=tx.now(), last=_last(tx, schedule), waiting=_came(tx, schedule))


def schedule_of(tx: Tx) -> Schedule:
    """The schedule of the policy in use; the default's, which is empty, where none was activated."""
    active = tx.policies.active()
    return (Policy() if active is None else active.policy).schedule


def _last(tx: Tx, schedule: Schedule) -> dict[str, dt.datetime]:
    """The latest slot that each rule's runs were asked for; for learning, when a model was last learnt."""
    found = {rule.name: tx.runs.last_slot(rule.name) for rule in schedule.rules() if rule is not schedule.retrain}
    if schedule.retrain is not None:
        found[schedule.retrain.name] = learnt_since(tx)
    return {name: at for name, at in found.items() if at is not None}


def _came(tx: Tx, schedule: Schedule) -> list[dt.datetime]:
    """Since when the leads wait that waited longest: as many as the rule asks for."""
    if schedule.waiting is None:
        return []
    since = sa.select(leads.c.waiting_since).where(leads.c.state == "waiting", leads.c.waiting_since.is_not(None))
    rows = tx.leads.rows(since.order_by(leads.c.waiting_since).limit(schedule.waiting.leads or 1))
    return [row.waiting_since for row in rows]
