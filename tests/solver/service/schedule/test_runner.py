"""Each slot is run exactly once, however many runners look, and whoever dies on the way."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from apportion.policy import load_policy
from apportion.service.schedule import Runner, runner
from apportion.service.store import Run, Store, Tx, open_store
from apportion_models import read_leads
from tests.solver.service.conftest import FakeClock

MORNINGS = {"times": [{"name": "mornings", "cron": "0 9,13 * * *"}]}


def _activate(store: Store, **schedule: Any) -> None:
    with store.write() as tx:
        tx.policies.activate(tx.policies.add(load_policy({"schedule": schedule})).version)


def _leads(store: Store, *names: str) -> None:
    table = pd.DataFrame({"lead_id": names, "created_at": "2026-03-02T07:00:00Z"})
    with store.write() as tx:
        tx.leads.upsert(read_leads(table))


def _slots(store: Store) -> list[tuple[str, str]]:
    with store.read() as tx:
        runs = sorted(tx.runs.page().items, key=lambda run: run.number)
        return [(str(run.schedule), f"{run.slot:%d %H:%M}") for run in runs]


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Runs are ended at once, without solving: what is tried here is who takes which."""
    done: list[str] = []

    def work(store: Store, *, owner: str, seconds: float) -> Run | None:
        def end(tx: Tx) -> Run | None:
            taken = tx.runs.take(owner, seconds)
            if taken is None:
                return None
            run, lease = taken
            run = tx.runs.start(run, lease) if run.state == "queued" else run
            tx.claims.take(run.run_id)
            tx.claims.close(run.run_id)
            return tx.runs.done(run, lease)

        ended = store.attempt(end)
        done.extend([] if ended is None else [ended.run_id])
        return ended

    monkeypatch.setattr(runner, "work", work)
    yield done


def test_without_a_schedule_nothing_is_due(store: Store, worked: list[str]) -> None:
    """Neither before a policy was activated, nor under one without times."""
    assert Runner(store).tick().asked == ()
    _activate(store)
    assert Runner(store).tick().asked == () and Runner(store).next_time() is None


def test_a_slot_is_run_once(store: Store, clock: FakeClock, worked: list[str]) -> None:
    """However often one looks; the next slot is the next run; the sinks are told to."""
    _activate(store, **MORNINGS)
    assert Runner(store).next_time() == dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    clock.turn(3600)
    asked = [len(Runner(store, sinks=["crm"]).tick().asked) for _ in range(3)]
    assert asked == [1, 0, 0]
    clock.turn(4 * 3600)
    assert len(Runner(store).tick().asked) == 1
    assert _slots(store) == [("mornings", "02 09:00"), ("mornings", "02 13:00")]
    with store.read() as tx:
        assert [run.options["sinks"] for run in tx.runs.page().items] == [[], ["crm"]]
    assert len(worked) == len(set(worked)) == 2


@pytest.mark.parametrize(
    ("missed", "wanted"), [("latest", ["03 13:00"]), ("all", ["03 09:00", "03 13:00"]), ("skip", [])]
)
def test_after_an_outage(store: Store, clock: FakeClock, worked: list[str], missed: str, wanted: list[str]) -> None:
    """What was missed in a day and a half is caught up as the policy says, the older first."""
    _activate(store, **MORNINGS, missed=missed, catch_up_hours=10)
    clock.turn(3600)
    Runner(store).tick()
    clock.turn(30 * 3600)
    Runner(store).tick()
    assert [at for _, at in _slots(store)[1:]] == wanted


@pytest.mark.parametrize("runners", [2, 4])
def test_several_schedulers_at_once(ready_url: str, worked: list[str], runners: int) -> None:
    """Each with its own connection to the database: over many slots, one run each, none left out."""
    clock = FakeClock()
    first = open_store(ready_url, clock=clock)
    _activate(first, times=[{"name": "a", "cron": "* * * * *"}, {"name": "b", "cron": "*/2 * * * *"}], missed="all")
    stores = [open_store(ready_url, clock=clock) for _ in range(runners)]
    faults: list[BaseException] = []
    gate = threading.Barrier(runners)

    def look(store: Store) -> None:
        try:
            for _ in range(5):
                gate.wait()
                Runner(store).tick()
                if gate.wait() == 0:
                    clock.turn(60)
        except BaseException as error:
            faults.append(error)
            gate.abort()

    threads = [threading.Thread(target=look, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    Runner(first).tick()
    slots = _slots(first)
    assert len(slots) == len(set(slots))
    minutes = [at for rule, at in slots if rule == "a"]
    assert sorted(minutes) == [f"02 {time}" for time in _minutes("07:51", 15)]
    assert len(worked) == len(set(worked)) == len(slots)
    for store in (first, *stores):
        store.close()


def _minutes(first: str, count: int) -> list[str]:
    begin = dt.datetime.strptime(first, "%H:%M")
    return [f"{begin + dt.timedelta(minutes=number):%H:%M}" for number in range(count)]


def test_leads_that_wait_start_a_run(store: Store, clock: FakeClock, worked: list[str]) -> None:
    """As soon as the third is there, once; then not before the pause is over."""
    _activate(store, waiting={"leads": 3, "pause_minutes": 5})
    _leads(store, "L1", "L2")
    assert Runner(store).tick().asked == ()
    clock.turn(60)
    _leads(store, "L3")
    assert len(Runner(store).tick().asked) == 1
    assert Runner(store).tick().asked == ()
    clock.turn(60)
    _leads(store, "L4", "L5", "L6")
    assert Runner(store).tick().asked == ()
    clock.turn(240)
    assert len(Runner(store).tick().asked) == 1
    assert _slots(store) == [("waiting leads", "02 08:01"), ("waiting leads", "02 08:06")]


def test_a_run_that_has_not_begun_is_not_asked_for_again(
    store: Store, clock: FakeClock, worked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It will take all that wait: while another batch is long, no runs pile up behind it that will find nothing."""
    _activate(store, waiting={"leads": 2, "pause_minutes": 5})
    _leads(store, "L1", "L2")
    with monkeypatch.context() as patched:
        patched.setattr(runner, "work", lambda *_, **__: None)  # all are busy
        asked = []
        for _ in range(4):
            asked.append(len(Runner(store).tick().asked))
            clock.turn(600)
    assert asked == [1, 0, 0, 0]
    assert len(Runner(store).tick().ended) == 1
    _leads(store, "L3", "L4")
    assert len(Runner(store).tick().asked) == 1


def test_one_that_has_waited_starts_a_run(store: Store, clock: FakeClock, worked: list[str]) -> None:
    """At ten minutes, under the name of that minute, also where one looks later."""
    _activate(store, waiting={"minutes": 10})
    _leads(store, "L1")
    clock.turn(599)
    assert Runner(store).tick().asked == ()
    clock.turn(120)
    assert len(Runner(store).tick().asked) == 1
    assert _slots(store) == [("waiting leads", "02 08:10")]


def test_a_run_whose_runner_died_is_taken_over(store: Store, clock: FakeClock, worked: list[str]) -> None:
    """Not while its lease holds; then by whoever looks next, and it is the same run."""
    _activate(store, **MORNINGS)
    clock.turn(3600)
    with store.write() as tx:
        (run,) = runner.ask_for_due(tx)[1]
        taken = tx.runs.take("the dead one", 60.0)
        assert taken is not None
        tx.runs.start(*taken)
    assert Runner(store).tick().ended == ()
    clock.turn(61)
    assert [ended.run_id for ended in Runner(store).tick().ended] == [run.run_id]
    assert Runner(store).tick().asked == ()


def test_a_runner_that_died_under_a_wrong_clock_is_replaced(store: Store, clock: FakeClock, worked: list[str]) -> None:
    """Its lease lapses next year by the clock that it had: back in this year its run is taken over all the same."""
    _activate(store, **MORNINGS)
    clock.turn(3600)
    with store.write() as tx:
        (run,) = runner.ask_for_due(tx)[1]
    clock.turn(400 * 86_400)
    with store.write() as tx:
        taken = tx.runs.take("the dead one", 60.0)
        assert taken is not None
        tx.runs.start(*taken)
    clock.turn(-400 * 86_400)
    assert [ended.run_id for ended in Runner(store).tick().ended] == [run.run_id]


@pytest.mark.parametrize(
    ("night", "wanted"),
    [
        ("2026-03-28", ["29 00:30", "29 01:00", "29 06:00"]),  # 02:30 is not there: run at 03:00, which is 01:00 UTC
        ("2026-10-24", ["24 23:30", "25 00:30", "25 07:00"]),  # 02:30 comes twice: run the first time
    ],
)
def test_both_clock_changes(store: Store, clock: FakeClock, worked: list[str], night: str, wanted: list[str]) -> None:
    """Looked at every seven minutes by two, the clock jumping back and forth: each slot of the night has one run."""
    times = [{"name": "a", "cron": "30 1,2 * * *"}, {"name": "b", "cron": "0 8 * * *"}]
    _activate(store, times=times, time_zone="Europe/Stockholm", missed="all")
    clock.now = dt.datetime.fromisoformat(f"{night}T20:00+00:00")
    with store.write() as tx:
        tx.runs.add(schedule="a", slot=clock.now - dt.timedelta(hours=1))
        tx.runs.add(schedule="b", slot=clock.now - dt.timedelta(hours=1))
    both = [Runner(store), Runner(store)]
    for look in range(130):
        clock.turn(7 * 60 + (0, 0, -1800, 1800, 0)[look % 5])
        both[look % 2].tick()
    assert sorted(at for _, at in _slots(store) if not at.endswith("19:00")) == wanted


def test_a_clock_that_goes_back_runs_nothing_twice(store: Store, clock: FakeClock, worked: list[str]) -> None:
    """Nor does a leap into the future make the rule sleep until that day."""
    _activate(store, **MORNINGS)
    clock.turn(3600)
    Runner(store).tick()
    clock.turn(-1800)
    Runner(store).tick()
    clock.turn(1800)
    Runner(store).tick()
    assert _slots(store) == [("mornings", "02 09:00")]
    clock.turn(400 * 86_400)
    Runner(store).tick()
    clock.turn(-400 * 86_400 + 4 * 3600)
    Runner(store).tick()
    assert _slots(store)[-1] == ("mornings", "02 13:00")
