"""What happens by itself goes on by itself, whatever is away for a while."""

from __future__ import annotations

import datetime as dt
import io
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from apportion.connectors import FileDrop, Message, Receipt, RetryLaterError
from apportion.service import clockwork as clockwork_module
from apportion.service.clockwork import Clockwork
from apportion.service.outbox import Route
from apportion.service.store import AwayError, Store, open_store
from apportion.service.store.schema import idempotency
from apportion.service.watching import Metrics, set_up_logs
from tests.solver.service import tables
from tests.solver.service.conftest import FakeClock
from tests.solver.service.faults import (
    CASES,
    fill_the_disk,
    killed_at,
    make_room,
    moments,
    nothing_lost_or_doubled,
    way_to,
)  # fmt: skip

NINE = {"equity": [], "schedule": {"times": [{"name": "nine", "cron": "0 9 * * *"}]}}


class Mailbox:
    """Keeps what it is told."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.got = list(errors), list[Message]()

    def deliver(self, message: Message, *, key: str) -> Receipt:
        if self.errors:
            raise self.errors.pop(0)
        self.got.append(message)
        return Receipt(key=key, where="here")


@contextmanager
def _running(clockwork: Clockwork) -> Iterator[None]:
    """It goes on by itself inside the block, and has ended after it."""
    stop = threading.Event()
    thread = threading.Thread(target=clockwork.forever, args=(stop,), kwargs={"seconds": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=60)
    assert not thread.is_alive()


def _until(holds: Callable[[], Any], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def test_a_round_runs_tells_and_logs(store: Store, clock: FakeClock) -> None:
    """The slot's run, its letter, the metrics and the log; what hears plans alone gets no alarm, and the reverse."""
    tables.set_up(store, policy=NINE)
    clock.turn(3600)
    plans, alerts, stream, metrics = Mailbox(), Mailbox(), io.StringIO(), Metrics()
    routes = {"plans": Route(plans, ("plan.done",)), "alerts": Route(alerts, ("alert",))}
    clockwork = Clockwork(store, routes, metrics=metrics, log=set_up_logs(stream=stream))
    done = clockwork.once()
    assert [run.state for run in done.ticked.ended] == ["done"]
    assert (done.sent.received, len(plans.got), len(alerts.got)) == (1, 1, 0)
    assert clockwork.once().ticked.asked == ()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["letter received", "run asked", "run ended"]
    assert not any(f"L{number:04}" in stream.getvalue() for number in range(1, 13))
    assert b'apportion_runs_total{state="done"} 1.0' in metrics.text()


def test_it_goes_on_until_it_is_stopped(store: Store, clock: FakeClock) -> None:
    """Slots come as the clock goes; a sink that is busy, and one that breaks, are tried again."""
    tables.set_up(store, policy=NINE)
    mailbox = Mailbox(RetryLaterError("busy"), ValueError("bug"))
    with _running(Clockwork(store, {"crm": Route(mailbox)})):
        clock.turn(3600)
        _until(lambda: mailbox.got or clock.turn(1))
    assert len(mailbox.got) == 1


def test_a_database_that_is_away_is_waited_for(store: Store, clock: FakeClock) -> None:
    """Rounds that fail are logged, and the next one does what they left."""
    tables.set_up(store, policy=NINE)
    clock.turn(3600)
    stream, fails = io.StringIO(), [AwayError("away"), ValueError("Anna's bug")]
    mailbox = Mailbox()
    clockwork = Clockwork(store, {"crm": Route(mailbox)}, log=set_up_logs(stream=stream))
    tick = clockwork._runner.tick

    def failing(**more: Any) -> Any:
        if fails:
            raise fails.pop(0)
        return tick(**more)

    clockwork._runner.tick = failing  # type: ignore[method-assign]
    with _running(clockwork):
        _until(lambda: mailbox.got)
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events[:2] == ["store away", "round failed"]
    assert "Anna" not in stream.getvalue()


class Hanging(Mailbox):
    """Holds the first message until it is let go; tells when it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go, self.closed = threading.Event(), threading.Event()

    def deliver(self, message: Message, *, key: str) -> Receipt:
        self.let_go.wait(60)
        return super().deliver(message, key=key)

    def close(self) -> None:
        self.closed.set()


def _letter(store: Store, name: str, *sinks: str) -> None:
    message = Message(kind="plan.done", at=tables.START, rows=({"lead_id": name},))
    with store.write() as tx:
        tx.outbox.add(topic="plan.done", key=name, payload={"message": message.document()}, sinks=sinks)


def test_a_sink_that_hangs_holds_up_no_other(store: Store) -> None:
    """What is written for another sink while the first one hangs comes at once; in the end both let go of what they
    hold open."""
    slow, quick = Hanging(), Mailbox()
    _letter(store, "first", "slow", "quick")
    with _running(Clockwork(store, {"slow": Route(slow), "quick": Route(quick)})):
        _until(lambda: len(quick.got) == 1)
        _letter(store, "second", "quick")
        _until(lambda: len(quick.got) == 2)
        assert slow.got == []
        slow.let_go.set()
        _until(lambda: slow.got)
    assert slow.closed.is_set()


def test_one_round_does_not_deliver_for_ever(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """`run-due` is called each minute: a receiver that hangs at each of many letters must not let them pile up."""
    for number in range(5):
        _letter(store, str(number), "crm")
    mailbox = Mailbox()
    clockwork = Clockwork(store, {"crm": Route(mailbox)})
    with monkeypatch.context() as patched:
        patched.setattr(clockwork_module, "SEND_SECONDS", 0.0)
        assert clockwork.once().sent.received == 0
    assert clockwork.once().sent.received == 5


def test_answers_that_are_kept_no_longer_are_removed(store: Store, clock: FakeClock) -> None:
    """The table of answers would grow for ever."""
    with store.write() as tx:
        tx.idempotency.begin(scope="s", key="k", body_hash="h")
        tx.idempotency.finish(scope="s", key="k", status=200, response=None)
    clockwork = Clockwork(store, {})
    clockwork.once()
    clock.turn(25 * 3600)
    clockwork._next_sweep = 0.0
    clockwork.once()
    with store.read() as tx:
        assert tx.connection.execute(sa.select(sa.func.count()).select_from(idempotency)).scalar_one() == 0


def test_a_full_disk_is_waited_out(ready_url: str, clock: FakeClock) -> None:
    """The store has no room left when the slot comes: it is logged, and when there is room the run is done, once."""
    store = open_store(ready_url, clock=clock)
    tables.set_up(store, n_leads=60, policy=NINE)
    clock.turn(3600)
    fill_the_disk(store)
    stream, mailbox = io.StringIO(), Mailbox()
    with _running(Clockwork(store, {"hook": Route(mailbox)}, lease_seconds=1.0, log=set_up_logs(stream=stream))):
        _until(lambda: "round failed" in stream.getvalue())
        make_room(store)
        _until(lambda: mailbox.got or clock.turn(0.1))
    with store.read() as tx:
        runs = {run.run_id for run in tx.runs.page()}
    nothing_lost_or_doubled(store, lead_ids={f"L{number:04}" for number in range(1, 61)}, run_ids=runs)
    assert len(runs) == len(mailbox.got) == 1
    store.close()


def test_a_database_that_is_gone_for_a_while(ready_url: str, kind: str, clock: FakeClock) -> None:
    """A server cut off twice, a file that another holds: slots, runs and letters wait, and then come, once."""
    store = open_store(ready_url, clock=clock)
    tables.set_up(store, policy=NINE)
    clock.turn(3600)
    mailbox = Mailbox()
    with _gone_for_a_while(ready_url, kind) as (address, gone):
        through = open_store(address, clock=clock)
        with _running(Clockwork(through, {"hook": Route(mailbox)}, lease_seconds=1.0, letter_seconds=1.0)):
            for _ in range(2):
                with gone():
                    time.sleep(0.7)
                time.sleep(0.3)
            _until(lambda: mailbox.got or clock.turn(0.1))
        through.close()
    with store.read() as tx:
        runs = {run.run_id for run in tx.runs.page()}
    nothing_lost_or_doubled(store, lead_ids={f"L{number:04}" for number in range(1, 13)}, run_ids=runs)
    store.close()


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_server_that_only_reads_is_waited_for(ready_url: str) -> None:
    """Another has just taken its place, or it has not yet taken another's: that passes, and is no bug."""
    name = sa.make_url(ready_url).database
    with closing(open_store(ready_url)) as store, store.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with closing(open_store(ready_url)) as store, pytest.raises(AwayError), store.write() as tx:
        tx.leads.upsert(tables.leads(1))


@contextmanager
def _gone_for_a_while(url: str, kind: str) -> Iterator[tuple[str, Callable[[], AbstractContextManager[None]]]]:
    """An address of the database, and a block inside which it cannot be used."""
    if kind == "sqlite":

        @contextmanager
        def held() -> Iterator[None]:
            with closing(sqlite3.connect(str(sa.make_url(url).database), timeout=60)) as holder:
                holder.execute("BEGIN IMMEDIATE")
                yield
                holder.rollback()

        yield url, held
        return
    with way_to(sa.make_url(url)) as way:

        @contextmanager
        def cut() -> Iterator[None]:
            way.cut()
            yield
            way.mend()

        yield way.url, cut


def test_killed_at_any_moment_of_run_and_delivery(ready_url: str, tmp_path: Path) -> None:
    """Services die one after the other, anywhere between slot, run and letter: every slot has one run, every lead is
    placed once, and every lead is told of in one file."""
    store = open_store(ready_url)
    times = [{"name": "often", "cron": "* * * * *"}]
    policy = {"equity": [], "capacity": {"default": 5000}, "schedule": {"times": times, "missed": "all"}}
    tables.set_up(store, n_leads=1, policy=policy)

    def serve() -> None:
        mine = open_store(ready_url)
        route = Route(FileDrop(folder=tmp_path / "drop"), ("plan.done",))
        clockwork = Clockwork(mine, {"hook": route}, lease_seconds=1.0, letter_seconds=1.0)
        waits = True
        while waits:
            clockwork.once()
            with mine.read() as tx:
                waits = bool(tx.runs.open() or tx.outbox.counts().get("waiting") or tx.leads.waiting().count)
        mine.close()

    batches = max(1, CASES // 4)
    for number in range(batches):
        with store.write() as tx:
            tx.leads.upsert(tables.leads(12, first=12 * number + 1))
        store.close()  # nothing open is inherited
        for moment in moments(seed=8 + number, longest=1.2, count=4):
            killed_at(serve, moment)
        serve()
    lead_ids = {f"L{number:04}" for number in range(1, 12 * batches + 1)}
    with store.read() as tx:
        runs = list(tx.runs.page(limit=1000))
        assert len({(run.schedule, run.slot) for run in runs}) == len(runs)
    nothing_lost_or_doubled(store, lead_ids=lead_ids, run_ids={run.run_id for run in runs})
    store.close()
    told = [lead for path in (tmp_path / "drop").glob("*.csv") for lead in pd.read_csv(path)["lead_id"]]
    assert sorted(told) == sorted(lead_ids)


def test_answers_that_were_kept_long_enough_are_swept(store: Store, clock: FakeClock) -> None:
    """In the first round after their time, whoever made them, and none before."""
    with store.write() as tx:
        for key, hours in (("old", 1), ("young", 48)):
            assert tx.idempotency.begin(scope="s", key=key, body_hash="h") is None
            tx.idempotency.finish(scope="s", key=key, status=200, response={}, keep=dt.timedelta(hours=hours))
    assert Clockwork(store, {}).once().swept == 0
    clock.turn(2 * 3600)
    clockwork = Clockwork(store, {})
    assert [clockwork.once().swept for _ in range(2)] == [1, 0]
