"""A deliverer that is killed at any moment loses nothing and doubles nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from apportion.service.store import open_store
from tests.solver.service.nursery import kill_at_random, nursery

LEADS, EACH = 8, 4
KILLS = 100 if os.environ.get("APPORTION_TEST_SIZE") == "full" else 6


def _write(url: str) -> None:
    store = open_store(url)
    with store.write() as tx:
        ids = [f"L{number}" for number in range(LEADS)]
        tx.leads.register(ids)
        keys = tx.leads.keys(ids)
        for number in range(EACH):
            for lead in ids:
                name = f"{lead}-{number}"
                document = {"kind": "lead.assigned", "at": "2026-03-02T08:00:00Z", "rows": [{"n": name}]}
                tx.outbox.add(topic="lead.assigned", key=name, payload={"message": document}, sinks=["crm"],
                              lead_key=keys[lead])  # fmt: skip
    store.close()


def test_killed_at_random_moments(ready_url: str, tmp_path: Path) -> None:
    """All letters are there, whole and once; a lead's letters never overtake each other, though one may come twice."""
    _write(ready_url)
    with nursery("tests.solver.service.outbox.dying", ready_url, str(tmp_path)) as made:
        kill_at_random(made, times=KILLS, longest=0.4, seed=6)
    wanted = {f"L{lead}-{number}" for lead in range(LEADS) for number in range(EACH)}
    files = list((tmp_path / "drop").glob("*.csv"))
    assert sorted(pd.read_csv(path)["n"][0] for path in files) == sorted(wanted)
    log = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    for lead in range(LEADS):
        begun = [int(name.split("-")[1]) for what, name in log if what == "begin" and name.startswith(f"L{lead}-")]
        assert begun == sorted(begun)
