"""What is being done: batches, workers, waiting leads, messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import sqlalchemy as sa

from apportion.service.doctor.check import Check, Look, counted, ok, span, warning, wrong
from apportion.service.store import Run, Tx
from apportion.service.store.runs import lease_name
from apportion.service.store.schema import leases, outbox

TAKEN_OVER = dt.timedelta(minutes=10)  # after which somebody would have, if anybody looked at the clock
LATE_MESSAGE = dt.timedelta(hours=1)
LONG = dt.timedelta(days=2)  # for a lead to wait
NOBODY = "See whether `apportion serve` is up, or `apportion run-due` called each minute: the next one takes it over."


def batches(tx: Tx, look: Look) -> Iterator[Check]:
    """How the newest batch ended."""
    over = [run for run in tx.runs.page(limit=20) if run.kind == "batch" and run.is_over]
    if not over:
        yield ok("batches", "No batch has run yet.")
        return
    newest = over[0]
    ended = span(tx.now() - (newest.finished_at or newest.created_at))
    if newest.state == "failed":
        code = (newest.error or {}).get("code", "")
        said = f"The newest batch, {newest.run_id}, failed {ended} ago ({code}); its leads wait again."
        yield wrong("batches", said, f"GET /v1/plans/{newest.run_id} tells the fault: mend it, and ask for a run anew.")
    else:
        yield ok("batches", f"The newest batch was {newest.state} {ended} ago.")


def leads(tx: Tx, look: Look) -> Iterator[Check]:
    """How many wait, and how long."""
    waiting = tx.leads.waiting()
    if waiting.since is None:
        yield ok("leads", "No lead waits.")
        return
    gone = tx.now() - waiting.since
    said = f"{counted(waiting.count, 'lead')} wait{'s' if waiting.count == 1 else ''}, the longest for {span(gone)}."
    if gone > LONG:
        yield warning("leads", said, "See whether the policy's schedule runs batches, and whether they succeed.")
    else:
        yield ok("leads", said)


def workers(tx: Tx, look: Look) -> Iterator[Check]:
    """Whether each run that has begun is in living hands, and each that waits is waited on."""
    now, open_runs = tx.now(), tx.runs.open()
    ends = {row.name: row.until for row in tx.leases.rows(sa.select(leases.c.name, leases.c.until))}
    found = [check for run in open_runs if (check := _hands(run, ends.get(lease_name(run.run_id)), now))]
    yield from found
    if not found:
        yield ok("workers", f"{counted(len(open_runs), 'run')} open, none of a dead worker.")


def _hands(run: Run, until: dt.datetime | None, now: dt.datetime) -> Check | None:
    """What is the matter with one run that is not over, if anything."""
    if run.state == "queued":
        gone = now - run.created_at
        said = f"Run {run.run_id} has waited for {span(gone)} for somebody to begin it."
        return warning("workers", said, NOBODY) if gone > TAKEN_OVER else None
    if until is not None and until > now:
        return None
    gone = now - (until or run.started_at or run.created_at)
    said = (
        f"The worker of run {run.run_id} has been silent; its lease lapsed {span(gone)} ago (attempt {run.attempts})."
    )
    make = wrong if gone > TAKEN_OVER else warning
    return make("workers", said, NOBODY)


def messages(tx: Tx, look: Look) -> Iterator[Check]:
    """Whether what is to be told to others is told."""
    columns = (outbox.c.sink, outbox.c.state, sa.func.count().label("letters"), sa.func.min(outbox.c.created_at))
    asked = sa.select(*columns).where(outbox.c.state.in_(("waiting", "dead"))).group_by(outbox.c.sink, outbox.c.state)
    found = [
        check
        for sink, state, count, oldest in sorted(tuple(row) for row in tx.outbox.rows(asked))
        if (check := _told(look, sink, state, int(count), tx.now() - oldest))
    ]
    yield from found
    if not found:
        yield ok("messages", "Every message has been delivered, or is about to be.")


def _told(look: Look, sink: str, state: str, count: int, oldest: dt.timedelta) -> Check | None:
    letters = counted(count, "message")
    if state == "dead":
        said = f"{letters} to {sink} could not be delivered and will not be tried again."
        return wrong("messages", said, "`apportion outbox show` tells why; mend the receiver, then "
                     "`apportion outbox replay --all`.")  # fmt: skip
    if look.routes is not None and sink not in look.routes:
        said = f"{letters} to {sink} wait, and there is no sink of that name here."
        return warning("messages", said, "Name the sink again in the file of sinks, or deliver where it is named.")
    if oldest > LATE_MESSAGE:
        said = f"{letters} to {sink} wait, the oldest for {span(oldest)}."
        return warning("messages", said, "`apportion outbox show --state waiting` tells why.")
    return None
