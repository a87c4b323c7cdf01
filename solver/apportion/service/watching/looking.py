"""Looking at the store, and telling alarms through the sinks: each alarm about the same thing once."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import sqlalchemy as sa

from apportion.connectors import Message, message_key
from apportion.policy.schema.schedule import Alerts
from apportion.service.feed import unread_lately
from apportion.service.schedule.history import given_of, history_of
from apportion.service.schedule.learning import learnt_lately
from apportion.service.schedule.runner import schedule_of
from apportion.service.store import Run, StillRunningError, Store, Tx
from apportion.service.store.outbox import ALERT
from apportion.service.store.schema import leads, outbox
from apportion.service.watching.alarms import Facts, Finished, Raised, alarms
from apportion_models.drift import monitor
from apportion_models.drift.alarms import Alarm
from apportion_models.errors import InputError

ACTOR, SCOPE = "watching", "monitor"
LONGEST = 600.0  # seconds after which another may monitor in the place of one that died
RUNS = 20  # the newest, that are looked at


def look(tx: Tx, *, monitored: bool = True) -> tuple[Raised, ...]:
    """The alarms that the policy in use wants, by what the store knows now. monitored : compare also what was expected
    of all leads with what became of them, which reads them all."""
    rules = schedule_of(tx).alerts
    runs = [_finished(run) for run in tx.runs.page(limit=RUNS).items if run.is_over and run.kind == "batch"]
    came = tx.leads.rows(sa.select(sa.func.max(leads.c.created_at)).where(leads.c.state != "outside"))
    dead = (
        sa.select(outbox.c.sink, sa.func.count().label("letters"))
        .where(outbox.c.state == "dead")
        .group_by(outbox.c.sink)
    )
    facts = Facts(
        now=tx.now(),
        last_lead=came[0][0],
        runs=runs,
        dead={row.sink: int(row.letters) for row in tx.outbox.rows(dead)},
        monitored=_monitored(tx, rules) if monitored else (),
        learnt=learnt_lately(tx),
        unread=unread_lately(tx),
    )
    return alarms(rules, facts)


def raise_alarms(store: Store, sinks: Sequence[str]) -> tuple[Raised, ...]:
    """Look, and write a letter to each sink of what was not told before. Gives the alarms that are new.

    What reads all leads is looked at once a day, by whoever looks first.
    """
    if not sinks:
        return ()
    day = store.attempt(_day_to_monitor, actor=ACTOR)
    with store.read() as tx:
        found = look(tx, monitored=day is not None)
    return store.attempt(lambda tx: _told(tx, found, sinks, day), actor=ACTOR) if found or day else ()


def _day_to_monitor(tx: Tx) -> str | None:
    """Today, if nobody has monitored today or is doing it; else None."""
    day = f"{tx.now():%Y-%m-%d}"
    try:
        answered = tx.idempotency.begin(scope=SCOPE, key=day, body_hash="", seconds=LONGEST)
    except StillRunningError:
        return None
    return day if answered is None else None


def _told(tx: Tx, found: Sequence[Raised], sinks: Sequence[str], day: str | None) -> tuple[Raised, ...]:
    if day is not None:
        tx.idempotency.finish(scope=SCOPE, key=day, status=200, response=None)
    return tuple(raised for raised in found if _tell(tx, raised, sinks))


def _tell(tx: Tx, raised: Raised, sinks: Sequence[str]) -> bool:
    """Write the letters. Whether any is new."""
    row = {"kind": raised.kind, "where": raised.where, "sentence": raised.sentence, "action": raised.action}
    message = Message(kind=ALERT, at=tx.now(), rows=(row,))
    key = message_key(ALERT, raised.kind, raised.about)
    return tx.outbox.add(topic=ALERT, key=key, payload={"message": message.document()}, sinks=list(sinks)) > 0


def _finished(run: Run) -> Finished:
    summary = (run.plan or {}).get("summary", {})
    return Finished(
        run_id=run.run_id,
        state=run.state,
        day=f"{run.finished_at or run.created_at:%Y-%m-%d}",
        error=str((run.error or {}).get("code", "")),
        gap=(run.certificate or {}).get("gap"),
        leads=int(summary.get("leads", 0)),
        nurture=int(summary.get("nurture", 0)),
    )


def _monitored(tx: Tx, rules: Alerts) -> tuple[Alarm, ...]:
    """What `monitor` finds on what the store gave; nothing where too little is known yet."""
    given = given_of(tx)
    if not len(given):
        return ()
    try:
        report = monitor(given, history_of(tx), as_of=pd.Timestamp(tx.now()), tolerance=rules.calibration)
    except InputError:
        return ()
    return tuple(report.alarms)
