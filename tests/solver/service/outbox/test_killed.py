"""A deliverer that is killed at any moment loses nothing and doubles nothing.

Few moments here; `APPORTION_TEST_SIZE=full` kills at 100.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from apportion.connectors import FileDrop, Message, Receipt
from apportion.service.outbox import Deliverer, Pauses, Route
from apportion.service.store import open_store
from tests.solver.service.faults import CASES, ended, killed_at, moments, started

LEADS, EACH = 8, 4
LEASE = 0.4  # seconds after which a dead deliverer's letter is taken up again


@dataclass(frozen=True)
class Watched:
    """A drop of files that also notes, each time in one write, what it begins and ends."""

    drop: FileDrop
    log: Path

    def deliver(self, message: Message, *, key: str) -> Receipt:
        self._note("begin", message)
        time.sleep(0.005)
        receipt = self.drop.deliver(message, key=key)
        self._note("end", message)
        return receipt

    def _note(self, what: str, message: Message) -> None:
        with self.log.open("ab", buffering=0) as log:
            log.write(f"{what} {message.rows[0]['n']}\n".encode())


def _deliver(url: str, folder: Path) -> None:
    """Deliver until nothing waits."""
    store = open_store(url)
    sink = Watched(FileDrop(folder=folder / "drop"), folder / "log")
    deliverer = Deliverer(store, {"crm": Route(sink)}, lease_seconds=LEASE, pauses=Pauses(first=0.01, longest=0.05))
    waits = True
    while waits:
        deliverer.all_due()
        with store.read() as tx:
            waits = bool(tx.outbox.counts().get("waiting"))
        time.sleep(0.02)
    store.close()


def _write(url: str) -> set[str]:
    store = open_store(url)
    with store.write() as tx:
        ids = [f"L{number}" for number in range(LEADS)]
        tx.leads.register(ids)
        keys = tx.leads.keys(ids)
        names = {f"{lead}-{number}": keys[lead] for number in range(EACH) for lead in ids}
        for name, lead_key in names.items():
            document = {"kind": "lead.assigned", "at": "2026-03-02T08:00:00Z", "rows": [{"n": name}]}
            tx.outbox.add(
                topic="lead.assigned", key=name, payload={"message": document}, sinks=["crm"], lead_key=lead_key
            )
    store.close()
    return set(names)


def _whole_and_in_order(folder: Path, wanted: set[str]) -> None:
    """Each message is there once and whole; a lead's messages never overtook each other, though one may come twice."""
    dropped = [str(pd.read_csv(path)["n"][0]) for path in (folder / "drop").glob("*.csv")]
    assert sorted(dropped) == sorted(wanted)
    log = [line.split() for line in (folder / "log").read_text().splitlines()]
    for lead in range(LEADS):
        begun = [int(name.split("-")[1]) for what, name in log if what == "begin" and name.startswith(f"L{lead}-")]
        assert begun == sorted(begun)


def test_killed_at_random_moments(ready_url: str, tmp_path: Path) -> None:
    """Deliverers die one after the other; the last one finishes."""
    wanted = _write(ready_url)
    for moment in moments(seed=6, longest=0.6):
        killed_at(lambda: _deliver(ready_url, tmp_path), moment)
    _deliver(ready_url, tmp_path)
    _whole_and_in_order(tmp_path, wanted)


def test_some_at_once_and_one_is_killed(ready_url: str, tmp_path: Path) -> None:
    """Processes share the letters; the one that dies leaves its letter to the others."""
    wanted = _write(ready_url)
    others = [started(lambda: _deliver(ready_url, tmp_path)) for _ in range(2)]
    for moment in moments(seed=7, longest=0.3, count=max(1, CASES // 4)):
        killed_at(lambda: _deliver(ready_url, tmp_path), moment)
    assert [ended(pid) for pid in others] == [0, 0]
    _whole_and_in_order(tmp_path, wanted)
