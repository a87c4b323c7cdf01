"""`apportion serve` is killed at any moment, up to four at once on one store, its receiver misbehaving all the while.

Few moments here; `APPORTION_TEST_SIZE=full` kills at 100 on each database.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from apportion.cli.main import run
from apportion.connectors.webhook import new_secret
from apportion.service import serving
from apportion.service.clockwork import Clockwork
from apportion.service.outbox import Pauses
from apportion.service.runs import starting
from apportion.service.store import Store, open_store
from tests.solver.service import tables
from tests.solver.service.api.served import free_port
from tests.solver.service.faults import CASES, ended, moments, nothing_lost_or_doubled, started
from tests.solver.service.receiver import SECRET_NAME, Receiver, receiver

MOMENTS = CASES if CASES > 4 else 2
TOGETHER = (1, 2, 4)  # processes on one store, by turns
EACH = 4  # leads that come between two deaths
POLICY = {
    "equity": [],
    "schedule": {
        "times": [{"name": "often", "cron": "* * * * *"}],
        "waiting": {"leads": EACH, "pause_minutes": 0.01},
        "missed": "all",
    },
}


class Quick(Clockwork):
    """Looks more often than a service needs to, and takes the dead for dead sooner."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more, letter_seconds=1.0)
        self._deliverer._pauses = Pauses(first=0.1, longest=0.5, most_tries=10_000)

    def forever(self, stop: threading.Event, *, seconds: float = 0.1) -> None:
        super().forever(stop, seconds=seconds)


def _serve(url: str, folder: Path) -> Callable[[], None]:
    """What a process does: the command, its words in a file."""

    def serve() -> None:
        sys.stdout = sys.stderr = (folder / "served.log").open("a", buffering=1)
        sinks = str(folder / "sinks.toml")
        assert run(["serve", "--store", url, "--port", str(free_port()), "--sinks", sinks]) == 0

    return serve


def _killed_together(child: Callable[[], None], count: int, moment: float) -> None:
    pids = [started(child) for _ in range(count)]
    time.sleep(moment)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert [ended(pid) for pid in pids] == [-signal.SIGKILL] * count


def _is_idle(store: Store) -> bool:
    with store.read() as tx:
        return not (tx.runs.open() or tx.leads.waiting().count or tx.outbox.counts().get("waiting"))


def _finished(child: Callable[[], None], url: str, *, seconds: float = 180.0) -> None:
    """One that nobody kills does what the others left, and stops when it is told to."""
    pid, end = started(child), time.monotonic() + seconds
    try:
        with closing(open_store(url)) as store:
            while not _is_idle(store):
                assert time.monotonic() < end, "it never came to an end"
                time.sleep(0.1)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        ended(pid)
        raise
    os.kill(pid, signal.SIGTERM)
    assert ended(pid) == 0


def _all_told_once(store: Store, hook: Receiver) -> None:
    """What the receiver made of its messages is what the store says: each lead once, with the rep who has it."""
    with store.read() as tx:
        given = {one.lead_id: one.rep_id for one in tx.assignments.page(limit=10_000)}
        assert tx.outbox.counts().get("dead", 0) == 0
    applied = [(row["lead_id"], row["rep_id"]) for row in hook.applied()]
    assert sorted(applied) == sorted(given.items())


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    """Shared with the receiver."""
    made = new_secret()
    monkeypatch.setenv(SECRET_NAME, made)
    return made


def test_killed_at_any_moment_of_the_whole_service(
    ready_url: str, tmp_path: Path, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost and nothing doubled: each slot has one run, each lead one rep, each message comes at least once
    and is applied once, and the audit trail is whole."""
    monkeypatch.setattr(serving, "Clockwork", Quick)
    monkeypatch.setattr(starting, "MOST_ATTEMPTS", 1000)  # these deaths are not the run's doing
    monkeypatch.setenv("APPORTION_LEASE_SECONDS", "1")
    store, number = open_store(ready_url), 0
    tables.set_up(store, n_leads=EACH, policy=POLICY)
    with store.write() as tx:
        tx.reps.upsert(tables.reps(3, capacity=[5000.0] * 3))
    with receiver(tmp_path, secret, seed=3) as hook:
        (tmp_path / "sinks.toml").write_text(hook.sinks())
        child = _serve(ready_url, tmp_path)
        for number, moment in enumerate(moments(seed=11, longest=3.0, count=MOMENTS), 1):
            store.close()  # nothing open is inherited
            _killed_together(child, TOGETHER[number % 3], moment)
            with store.write() as tx:
                tx.leads.upsert(tables.leads(EACH, first=EACH * number + 1))
        store.close()
        _finished(child, ready_url)
        with store.read() as tx:
            runs = list(tx.runs.page(limit=1000))
        assert len({(run.schedule, run.slot) for run in runs}) == len(runs)
        lead_ids = {f"L{place:04}" for place in range(1, EACH * (number + 1) + 1)}
        nothing_lost_or_doubled(store, lead_ids=lead_ids, run_ids={run.run_id for run in runs})
        _all_told_once(store, hook)
    store.close()
