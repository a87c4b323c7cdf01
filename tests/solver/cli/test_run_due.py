"""`apportion run-due`: a whole morning from the command line: slot, run, letter, and nothing the second time."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from apportion.cli.main import run
from apportion.service.store import open_store
from tests.solver.service import tables

EVERY_MINUTE = {"equity": [], "schedule": {"times": [{"name": "often", "cron": "* * * * *"}]}}


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A store with leads that wait, and a schedule by which something is due every minute."""
    url = f"sqlite:///{tmp_path}/store.db"
    store = open_store(url)
    store.migrate()
    tables.set_up(store, policy=EVERY_MINUTE)
    store.close()
    return url


def _sinks(folder: Path) -> Path:
    path = folder / "sinks.toml"
    path.write_text(f'[drop]\ntype = "csv"\nfolder = "{folder}/out"\ntells = ["plan.done"]\n')
    return path


def test_what_is_due_is_run_and_told(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve leads are placed, and one file lies in the drop; called again at once, no lead is placed twice."""
    arguments = ["run-due", "--store", address, "--sinks", str(_sinks(tmp_path)), "--json", "--quiet"]
    assert run(arguments) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["schema"] == "apportion.run-due/1" and len(first["asked"]) == 1
    assert first["ended"][0]["state"] == "done" and first["ended"][0]["summary"]["leads"] == 12
    assert first["delivered"] == {"received": 1, "again": 0, "dead": 0}
    (dropped,) = (tmp_path / "out").glob("*.csv")
    told = pd.read_csv(dropped)
    assert sorted(told["lead_id"]) == [f"L{number:04}" for number in range(1, 13)]
    assert run(arguments) == 0
    again = json.loads(capsys.readouterr().out)
    assert sum((ended["summary"] or {}).get("leads", 0) for ended in again["ended"]) == 0


def test_the_readable_summary(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each thing that happened."""
    assert run(["run-due", "--store", address, "--sinks", str(_sinks(tmp_path))]) == 0
    out = capsys.readouterr().out
    assert "of often at" in out and "done, 12 leads." in out
    assert "Delivered: 1 received, 0 to be tried again, 0 given up." in out


def test_a_run_that_fails_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a model in use no plan can be made: exit 5, and the leads wait again."""
    url = f"sqlite:///{tmp_path}/store.db"
    store = open_store(url)
    store.migrate()
    tables.set_up(store, policy=EVERY_MINUTE)
    with store.write() as tx:
        tx.connection.exec_driver_sql("DELETE FROM activations WHERE kind = 'model'")
    assert run(["run-due", "--store", url, "--quiet"]) == 5
    assert "No fit model is in use" in capsys.readouterr().err
    with store.read() as tx:
        assert tx.leads.waiting().count == 12
    store.close()


def test_a_store_that_is_not_set_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 6, with the command that sets it up; a file of sinks that cannot be used is 3."""
    assert run(["run-due", "--store", f"sqlite:///{tmp_path}/none.db", "--quiet"]) == 6
    assert "apportion store migrate" in capsys.readouterr().err
    assert run(["run-due", "--sinks", str(tmp_path / "none.toml"), "--quiet"]) == 3
