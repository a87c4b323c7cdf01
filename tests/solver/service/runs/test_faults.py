"""Nothing is lost and nothing doubled: killed workers, several at once, a database that goes away, a disk that fills.

Few cases here; `APPORTION_TEST_SIZE=full` kills at 100 moments each.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest
import sqlalchemy as sa

from apportion.service.runs import starting, work
from apportion.service.store import Store, open_store
from apportion.service.store.migrate import newest_revision, present_revision
from apportion.service.store.schema import metadata
from apportion_models.errors import ServiceError
from tests.solver.service.faults import (
    CASES,
    ended,
    fill_the_disk,
    killed_at,
    make_room,
    moments,
    nothing_lost_or_doubled,
    started,
    way_to,
)  # fmt: skip
from tests.solver.service.tables import leads, set_up

LEASE = 1.0  # seconds after which a dead worker's run is taken over


def ask_for(store: Store, n_runs: int, n_leads: int) -> tuple[set[str], set[str]]:
    """Runs of two leads each, the last of whatever is left. Gives the ids of runs and leads."""
    set_up(store, n_leads=n_leads, n_reps=3, policy={"equity": [], "capacity": {"default": 1000}})
    with store.write() as tx:
        asked = [tx.runs.add(options={"limit": 2, "sinks": ["hook"]}) for _ in range(n_runs - 1)]
        asked.append(tx.runs.add(options={"sinks": ["hook"]}))
        return {run.run_id for run in asked if run is not None}, {lead.lead_id for lead in tx.leads.page(limit=1000)}


def work_off(url: str, owner: str, *, until: float = 120.0) -> None:
    """Work until no run is open."""
    end = time.monotonic() + until
    with closing(open_store(url)) as store:
        while time.monotonic() < end:
            if work(store, owner=owner, seconds=LEASE) is None:
                with store.read() as tx:
                    if not tx.runs.open():
                        break
                time.sleep(0.05)


def test_killed_workers_lose_and_double_nothing(ready_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers die by SIGKILL at seeded moments of their runs; those after them finish, each lead once."""
    monkeypatch.setattr(starting, "MOST_ATTEMPTS", 1000)  # these deaths are not the run's doing
    store = open_store(ready_url)
    n_runs = max(3, CASES // 2)
    run_ids, lead_ids = ask_for(store, n_runs, 2 * n_runs + 3)
    store.close()
    killed = 0
    for number, moment in enumerate(
        sorted(moments(seed=6, longest=1.5))
    ):  # the first dies whatever the machine's speed
        killed += killed_at(lambda name=f"w{number}": work_off(ready_url, name), moment) < 0  # type: ignore[misc]
    assert killed
    work_off(ready_url, "last")
    store = open_store(ready_url)
    nothing_lost_or_doubled(store, lead_ids=lead_ids, run_ids=run_ids)
    store.close()


def test_four_workers_at_once(ready_url: str) -> None:
    """Four processes share the runs: each is done once, and no lead is placed twice."""
    store = open_store(ready_url)
    run_ids, lead_ids = ask_for(store, 5, 13)
    store.close()
    pids = [started(lambda name=f"w{number}": work_off(ready_url, name)) for number in range(4)]  # type: ignore[misc]
    assert [ended(pid) for pid in pids] == [0, 0, 0, 0]
    store = open_store(ready_url)
    nothing_lost_or_doubled(store, lead_ids=lead_ids, run_ids=run_ids)
    store.close()


def test_claims_of_many_processes_are_distinct(ready_url: str) -> None:
    """Six processes claim leads by tens, some killed on the way: none is claimed twice, and none is lost."""
    store = open_store(ready_url)
    with store.write() as tx:
        tx.leads.upsert(leads(300))
        runs = [tx.runs.add(kind="given", run_id=f"run{number}") for number in range(60)]
    store.close()
    assert all(runs)

    def claim(first: int) -> None:
        mine = open_store(ready_url)
        for number in range(first, first + 10):
            with mine.write() as tx:
                tx.claims.take(f"run{number}", limit=10)
        mine.close()

    pids = [started(lambda first=10 * number: claim(first)) for number in range(5)]  # type: ignore[misc]
    for moment in moments(seed=1, longest=0.1, count=2):
        killed_at(lambda: claim(50), moment)
    assert [ended(pid) for pid in pids] == [0] * 5
    store = open_store(ready_url)
    with store.read() as tx:
        claimed = [key for number in range(60) for key in tx.claims.of(f"run{number}")]
        counts = tx.leads.counts()
    store.close()
    assert len(claimed) == len(set(claimed)) == counts.get("claimed", 0) == 300 - counts.get("waiting", 0)


def test_a_slot_is_taken_by_one_of_many(ready_url: str) -> None:
    """Processes that ask for the same slots at the same time get each slot once among them."""
    import datetime as dt

    start = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)

    def ask() -> None:
        mine = open_store(ready_url)
        for hour in range(8):
            mine.attempt(lambda tx, hour=hour: tx.runs.add(schedule="s", slot=start + dt.timedelta(hours=hour)))  # type: ignore[misc]
        mine.close()

    pids = [started(ask) for _ in range(4)]
    assert [ended(pid) for pid in pids] == [0] * 4
    store = open_store(ready_url)
    with store.read() as tx:
        assert len(tx.runs.page()) == 8
        assert tx.audit.verify().entries == 8
    store.close()


def test_killed_migrations_leave_all_or_nothing(url: str, kind: str) -> None:
    """A migration that dies leaves the schema as it was, and the next one makes it whole."""
    engine, begins, whole = open_store(url).engine, time.monotonic(), 0
    assert ended(started(lambda: migrate_once(url))) == 0
    longest = time.monotonic() - begins
    wipe(engine, kind)
    for moment in moments(seed=3, longest=longest):
        killed_at(lambda: migrate_once(url), moment)
        there = present_revision(engine)
        with engine.connect() as connection:
            tables = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
        assert (there, tables) in ((None, set()), (newest_revision(), set(metadata.tables)))
        whole += there is not None
        store = open_store(url)
        assert store.migrate() == newest_revision()
        store.check()
        store.close()
        wipe(engine, kind)
    assert whole < CASES
    engine.dispose()


def migrate_once(url: str) -> None:
    """In a process of its own."""
    open_store(url).migrate()


def wipe(engine: sa.Engine, kind: str) -> None:
    """Make the database empty again."""
    with engine.connect() as connection:
        if kind == "postgresql":
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        else:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            for name in sa.inspect(connection).get_table_names():
                connection.exec_driver_sql(f"DROP TABLE {name}")
            connection.exec_driver_sql("BEGIN")
        connection.commit()


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_server_that_goes_away_comes_back(ready_url: str) -> None:
    """While the server is gone, connections cut and refused, work waits; when it is back, all is done, once."""
    store = open_store(ready_url)
    run_ids, lead_ids = ask_for(store, 4, 11)
    store.close()
    with way_to(sa.make_url(ready_url)) as way:
        working = threading.Thread(target=lambda: persistently(way.url))
        working.start()
        for seconds in (0.8, 0.5):
            time.sleep(seconds)
            way.cut()
            time.sleep(1.2)
            way.mend()
        working.join(timeout=120)
        assert not working.is_alive()
    store = open_store(ready_url)
    nothing_lost_or_doubled(store, lead_ids=lead_ids, run_ids=run_ids)
    store.close()


def persistently(url: str) -> None:
    """Work as a service does: begin anew whenever the store failed."""
    end = time.monotonic() + 100
    while time.monotonic() < end:
        try:
            work_off(url, "patient")
            return
        except ServiceError:
            time.sleep(0.1)


def test_a_locked_store_is_waited_for(ready_url: str) -> None:
    """Another's long write delays, and does no harm."""
    store, other = open_store(ready_url), open_store(ready_url)
    holds, done = threading.Event(), []

    def long_write() -> None:
        with other.write() as tx:
            tx.leads.upsert(leads(1))
            holds.set()
            time.sleep(1.0)

    thread = threading.Thread(target=long_write)
    thread.start()
    holds.wait()
    store.attempt(lambda tx: done.append(tx.leads.upsert(leads(3))))
    thread.join()
    with store.read() as tx:
        assert tx.leads.counts() == {"waiting": 3}
    for one in (store, other):
        one.close()


def test_a_full_disk_changes_nothing(ready_url: str) -> None:
    """Without room, a write says so and leaves the store as it was; with room again, the run is done, once."""
    store = open_store(ready_url)
    run_ids, lead_ids = ask_for(store, 1, 60)
    fill_the_disk(store)
    with pytest.raises(ServiceError, match="no room left"), store.write() as tx:
        tx.leads.upsert(leads(2000, first=5000))
    with pytest.raises(ServiceError, match="no room left"):
        work(store, owner="w1", seconds=LEASE)
    with store.read() as tx:
        assert sum(tx.leads.counts().values()) == 60
        assert tx.assignments.page().items == ()
        assert tx.audit.verify().ok
    make_room(store)
    work_off(ready_url, "w2")
    nothing_lost_or_doubled(store, lead_ids=lead_ids, run_ids=run_ids)
    store.close()
