"""What is decided by and what is done: each state made for real, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from apportion.service.doctor import Check
from apportion.service.store import Store
from apportion.service.store.schema import model_files, models
from apportion_models.errors import TableError
from tests.solver.service.conftest import FakeClock
from tests.solver.service.doctor.conftest import Said
from tests.solver.service.tables import reps, set_up

HOUR, DAY = 3600.0, 86_400.0


def one(found: dict[str, list[Check]], name: str) -> Check:
    """The only check of that name."""
    (check,) = found[name]
    return check


def test_a_service_that_is_as_it_should_be(store: Store, said: Said) -> None:
    """Leads, reps, policy, model, a key with an end: nothing is wrong, and of all only the test's clock is odd."""
    set_up(store)
    with store.write() as tx:
        tx.keys.create("a", ["read"], expires_at=tx.now() + dt.timedelta(days=30))
    found = said(store)
    del found["clock"], found["room"]
    found.pop("store file", None)
    assert {check.state for checks in found.values() for check in checks} == {"ok"}, found


def test_nothing_in_use(store: Store, said: Said) -> None:
    """Without a policy it goes by the defaults; without a model or reps nothing goes."""
    found = said(store)
    assert [one(found, name).state for name in ("policy", "model", "batches", "keys")] == [
        "warning", "wrong", "ok", "warning",
    ]  # fmt: skip
    assert "apportion store model" in one(found, "model").remedy
    set_up(store, n_reps=3)
    with store.write() as tx:
        tx.reps.retire(["R1", "R2", "R3"])
    assert one(said(store), "reps").state == "wrong"


def test_a_model_that_is_old_damaged_or_knows_nobody(store: Store, clock: FakeClock, said: Said) -> None:
    """Its age is told in days, a damaged file by name, strangers by their share."""
    set_up(store)
    clock.turn(200 * DAY)
    assert "240 days ago" in said(store)["model"][0].sentence
    assert said(store)["model"][0].state == "warning"
    clock.turn(-200 * DAY)
    with store.write() as tx:
        tx.reps.upsert(reps(5).assign(rep_id=[f"N{number}" for number in range(5)]))
    assert one(said(store), "reps").state == "warning"
    with store.engine.begin() as connection:
        card = dict(connection.execute(sa.select(models.c.card)).scalar_one())
        connection.execute(sa.update(models).values(card=card | {"out_of_time": {}}))
    assert one(said(store), "calibration").state == "warning"
    with store.engine.begin() as connection:
        connection.execute(sa.update(model_files).values(content=b"x"))
    found = said(store)
    assert one(found, "model").state == "wrong"
    assert "changed in the store" in one(found, "model").sentence


def test_slots_that_nobody_takes_on(store: Store, clock: FakeClock, said: Said) -> None:
    """Due now is fine; some minutes late a warning; late by the schedule's own word wrong; taken on: fine again."""
    rules = {"equity": [], "schedule": {"times": [{"name": "mornings", "cron": "0 9 * * *"}], "missed": "all"}}
    set_up(store, policy=rules)
    with store.write() as tx:
        tx.runs.add(schedule="mornings", slot=tx.now())
    (asked,) = said(store)["schedule"]
    assert asked.state == "ok"
    assert "2026-03-02 09:00 UTC" in asked.sentence
    clock.turn(HOUR + 60)
    assert one(said(store), "schedule").state == "ok"
    clock.turn(4 * 60)
    assert one(said(store), "schedule").state == "warning"
    clock.turn(HOUR)
    late = one(said(store), "schedule")
    assert late.state == "wrong"
    assert "mornings@2026-03-02T09:00:00Z has been due for 65 minutes" in late.sentence
    with store.write() as tx:
        tx.runs.add(schedule="mornings", slot=clock.now.replace(hour=9, minute=0))
    assert one(said(store), "schedule").state == "ok"


def test_workers_that_died(store: Store, clock: FakeClock, said: Said) -> None:
    """A living lease is ok; one that lapsed a warning, wrong when nobody takes it over; a run that waits too."""
    set_up(store)
    with store.write() as tx:
        run = tx.runs.add()
        assert run is not None
        taken = tx.runs.take("me", 60.0)
        assert taken is not None
        tx.runs.start(*taken)
    assert one(said(store), "workers").state == "ok"
    clock.turn(90)
    assert one(said(store), "workers").state == "warning"
    clock.turn(1000)
    silent = one(said(store), "workers")
    assert silent.state == "wrong"
    assert run.run_id in silent.sentence
    assert "attempt 1" in silent.sentence
    with store.write() as tx:
        tx.runs.add()
    clock.turn(1000)
    assert [check.state for check in said(store)["workers"]] == ["wrong", "warning"]


def test_a_batch_that_failed_and_leads_that_wait(store: Store, clock: FakeClock, said: Said) -> None:
    """The newest batch's fault by its code alone: its words may hold a cell."""
    set_up(store)
    assert "12 leads wait" in one(said(store), "leads").sentence
    with store.write() as tx:
        tx.runs.add()
        taken = tx.runs.take("me", 60.0)
        assert taken is not None
        tx.runs.fail(*taken, TableError("anna@example.org is no number"))
    clock.turn(3 * DAY)
    found = said(store)
    assert one(found, "batches").state == "wrong"
    assert "bad_table" in one(found, "batches").sentence
    assert "anna" not in str(found)
    assert one(found, "leads").state == "warning"
    assert "3 days" in one(found, "leads").sentence


def test_messages(store: Store, clock: FakeClock, said: Said) -> None:
    """Dead ones are wrong; those to a sink of no name here, and late ones, are told."""
    with store.write() as tx:
        for key in ("k1", "k2"):
            tx.outbox.add(topic="alert", key=key, payload={}, sinks=["crm"])
    assert one(said(store), "messages").state == "ok"
    unnamed = one(said(store, routes={}), "messages")
    assert unnamed.state == "warning"
    assert "no sink of that name" in unnamed.sentence
    clock.turn(2 * HOUR)
    assert "oldest for 2 hours" in one(said(store), "messages").sentence
    with store.write() as tx:
        letter = tx.outbox.take("me", seconds=60.0, limit=1)[0]
        tx.outbox.dead(letter, error="410")
    dead, late = said(store)["messages"]
    assert (dead.state, late.state) == ("wrong", "warning")
    assert "1 message to crm could not be delivered" in dead.sentence
    assert "outbox replay" in dead.remedy


@pytest.mark.parametrize(
    ("days", "states", "words"),
    [((None, 5.0), ["warning", "warning"], "5 days"), ((100.0,), ["ok"], "1 key"), ((0.5,), ["warning"], "12 hours")],
)
def test_keys(store: Store, said: Said, days: tuple[float | None, ...], states: list[str], words: str) -> None:
    """Those that end soon and those that never do are named; what has ended, or was revoked, is not spoken of."""
    with store.write() as tx:
        for number, left in enumerate(days):
            until = None if left is None else tx.now() + dt.timedelta(days=left)
            tx.keys.create(f"key{number}", ["read"], expires_at=until)
        gone = tx.keys.create("gone", ["read"])[0]
        tx.keys.revoke(gone.key_id)
        tx.keys.create("ended", ["read"], expires_at=tx.now())
    found = said(store)["keys"]
    assert [check.state for check in found] == states
    assert words in found[0].sentence
    assert "gone" not in str(found)
    assert "ended" not in str(found)
