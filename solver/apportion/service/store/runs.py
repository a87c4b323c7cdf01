"""Runs: what was asked for, how far it is, what came out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from apportion.service.store.desk import Desk, Page
from apportion.service.store.leases import FORESEEN as FORESEEN
from apportion.service.store.leases import Lease
from apportion.service.store.outbox import PLAN_DONE
from apportion.service.store.schema import runs
from apportion_models.errors import ApportionError, ConflictError, NotFoundError, UsageError

OPEN = ("queued", "running")
NEW = {"state": "queued", "cancel_asked": False, "exclusive": False, "attempts": 0}


@dataclass(frozen=True)
class Run:
    """One run.

    tick : it knows of the assignments up to this one. inputs : fingerprints. plan : plan.json without its leads.
    """

    run_id: str
    number: int
    kind: str
    state: str
    schedule: str | None
    slot: dt.datetime | None
    at: dt.datetime | None
    seed: int | None
    policy_version: int | None
    model_version: int | None
    options: Mapping[str, Any]
    tick: int | None
    inputs: Mapping[str, str] | None
    plan: Mapping[str, Any] | None
    certificate: Mapping[str, Any] | None
    plan_hash: str | None
    progress: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    cancel_asked: bool
    exclusive: bool
    attempts: int
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    asked_by: str

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.state not in OPEN


def lease_name(run_id: str) -> str:
    """What a run's lease is called."""
    return f"run:{run_id}"


class Runs(Desk):
    """What can be asked and said of runs."""

    def add(
        self,
        *,
        kind: str = "batch",
        schedule: str | None = None,
        slot: dt.datetime | None = None,
        at: dt.datetime | None = None,
        seed: int | None = None,
        policy_version: int | None = None,
        model_version: int | None = None,
        options: Mapping[str, Any] | None = None,
        run_id: str | None = None,
    ) -> Run | None:
        """Ask for a run, which a worker will take up; None where the schedule's slot has one already.

        kind : "batch", the leads that wait; "given", tables of its own, which change nothing. at : the moment it is
        assigned; else the slot, else when it starts. policy_version, model_version : those in use when it starts,
        unless they are given. options : gap, time_limit, limit (most leads), sinks (else whom the store tells). Raises
        UsageError for a batch of a moment more than a day ahead: all after it would count from there.
        """
        moment = slot if at is None else at
        if kind == "batch" and moment is not None and moment > self.tx.now() + FORESEEN:
            raise UsageError(f"A batch must be of now or of a moment within a day. Got {moment.isoformat()}.")
        told = {"sinks": list(sinks)} if kind == "batch" and (sinks := self.tx.outbox.hearers(PLAN_DONE)) else {}
        asked = {
            "kind": kind,
            "schedule": schedule,
            "slot": slot,
            "at": moment,
            "seed": seed,
            "options": told | dict(options or {}),
        }
        versions = {"policy_version": policy_version, "model_version": model_version}
        row = {"run_id": run_id or self.tx.new_id(), "number": self.tx.count("runs"), **asked, **versions, **NEW}
        row |= {"created_at": self.tx.now(), "asked_by": self.tx.actor}
        statement = self.tx.insert(runs).values(row)
        if not self.inserted(statement.on_conflict_do_nothing(index_elements=["schedule", "slot"])):
            return None
        self.note("run.add", run=row["run_id"], kind=kind, schedule=schedule, slot=_text(slot))
        return self.get(str(row["run_id"]))

    def get(self, run_id: str) -> Run:
        """One run. Raises NotFoundError."""
        row = self.first(sa.select(runs).where(runs.c.run_id == run_id))
        if row is None:
            raise NotFoundError(f"There is no run {run_id!r}.")
        return _run(row)

    def of_slot(self, schedule: str, slot: dt.datetime) -> Run | None:
        """The run of a schedule's slot; None where there is none."""
        row = self.first(sa.select(runs).where(runs.c.schedule == schedule, runs.c.slot == slot))
        return None if row is None else _run(row)

    def last_slot(self, schedule: str) -> dt.datetime | None:
        """The latest slot of a schedule that has a run."""
        asked = sa.select(runs.c.slot).where(runs.c.schedule == schedule, runs.c.slot.is_not(None))
        row = self.first(asked.order_by(runs.c.slot.desc()).limit(1))
        return None if row is None else row.slot

    def page(self, *, after: str | None = None, limit: int = 100, state: str | None = None) -> Page[Run]:
        """Runs, the newest first."""
        asked = sa.select(runs) if state is None else sa.select(runs).where(runs.c.state == state)
        place = None if after is None else int(after)
        return self.listed(asked, runs.c.number, _run, after=place, limit=limit, newest_first=True)

    def last_planned(self) -> str | None:
        """The newest batch that is done, whose prices are those of the store's own leads; None before the first."""
        asked = sa.select(runs.c.run_id).where(runs.c.kind == "batch", runs.c.state == "done")
        row = self.first(asked.order_by(runs.c.number.desc()).limit(1))
        return None if row is None else str(row.run_id)

    def is_exclusive(self) -> bool:
        """Whether a batch has asked that nothing else be assigned until it is done."""
        return self.first(sa.select(runs.c.run_id).where(runs.c.exclusive, runs.c.state == "running")) is not None

    def open(self) -> list[Run]:
        """Every run that is queued or running, the oldest first."""
        return [_run(row) for row in self.rows(sa.select(runs).where(runs.c.state.in_(OPEN)).order_by(runs.c.number))]

    def take(self, owner: str, seconds: float, *, run_id: str | None = None) -> tuple[Run, Lease] | None:
        """The oldest run that nobody works on, with its lease: one that waits, or whose worker let its lease lapse.

        A batch waits while another is running, for both would give the same capacity away. None where there is none.
        """
        there = self.open()
        busy = any(run.kind == "batch" and run.state == "running" for run in there)
        for run in there:
            waits_its_turn = busy and run.kind == "batch" and run.state == "queued"
            if waits_its_turn or run_id not in (None, run.run_id):
                continue
            lease = self.tx.leases.take(lease_name(run.run_id), owner, seconds)
            if lease is None:
                continue
            now = self.get(run.run_id)  # another may have ended it just before the lease came free
            if not now.is_over:
                return now, lease
            self.tx.leases.give_back(lease)
        return None

    def start(self, run: Run, lease: Lease, **facts: Any) -> Run:
        """The run begins, or begins again. facts : policy_version, model_version.

        Raises LostError; ConflictError where another batch is running.
        """
        now = self.tx.now()
        first = {"started_at": now} if run.started_at is None else {}
        return self._change(run, lease, state="running", attempts=run.attempts + 1, **first, **facts)

    def set_facts(self, run: Run, lease: Lease, **facts: Any) -> Run:
        """What the run is made from: at, tick, exclusive. Raises LostError."""
        return self._change(run, lease, **facts)

    def tell(self, lease: Lease, seconds: float, progress: Mapping[str, Any] | None = None) -> bool:
        """The worker is alive, and so far. Gives whether the run is to be cancelled. Raises LostError."""
        self.tx.leases.beat(lease, seconds)
        mine = runs.c.run_id == lease.name.removeprefix("run:")
        if progress is not None:
            self.changed(sa.update(runs).where(mine).values(progress=dict(progress)))
        return bool(self.rows(sa.select(runs.c.cancel_asked).where(mine))[0].cancel_asked)

    def done(self, run: Run, lease: Lease, **results: Any) -> Run:
        """The run came to its end. results : plan, certificate, plan_hash. Raises LostError."""
        self.note("run.done", run=run.run_id, plan=results.get("plan_hash"))
        return self._end(run, lease, state="done", **results)

    def fail(self, run: Run, lease: Lease, error: ApportionError) -> Run:
        """The run came to nothing; its leads wait again. Raises LostError."""
        self.note("run.fail", run=run.run_id, code=error.code)
        return self._end(run, lease, state="failed", error={"code": error.code, "message": str(error)})

    def stop(self, run: Run, lease: Lease) -> Run:
        """The worker did as the cancelling said; the run's leads wait again. Raises LostError."""
        self.note("run.cancelled", run=run.run_id)
        return self._end(run, lease, state="cancelled")

    def cancel(self, run_id: str) -> Run:
        """Call a run off: at once where it waits, soon where it runs. Raises NotFoundError, ConflictError."""
        run = self.get(run_id)
        if run.is_over:
            raise ConflictError(f"Run {run_id} is {run.state} already.")
        waits = (runs.c.run_id == run_id) & (runs.c.state == "queued")
        ended = {"state": "cancelled", "finished_at": self.tx.now(), "cancel_asked": True}
        if not self.changed(sa.update(runs).where(waits).values(ended)):
            self.changed(sa.update(runs).where(runs.c.run_id == run_id).values(cancel_asked=True))
        self.note("run.cancel", run=run_id)
        return self.get(run_id)

    def _end(self, run: Run, lease: Lease, **facts: Any) -> Run:
        if facts["state"] != "done":
            self.tx.claims.give_back(run.run_id)
        ended = self._change(run, lease, finished_at=self.tx.now(), exclusive=False, **facts)
        self.tx.leases.give_back(lease)
        return ended

    def _change(self, run: Run, lease: Lease, **facts: Any) -> Run:
        self.tx.leases.hold(lease)
        mine = sa.update(runs).where(runs.c.run_id == run.run_id, runs.c.state.in_(OPEN))
        if not self.changed(mine.values(facts)):
            raise ConflictError(f"Run {run.run_id} is over already.")
        return self.get(run.run_id)


def _run(row: sa.Row[Any]) -> Run:
    return Run(**row._mapping)


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
