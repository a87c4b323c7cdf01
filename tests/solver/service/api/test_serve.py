"""`apportion serve` as an operator starts it: on its own store, with its schedule, until it is told to stop."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from apportion.cli.main import run
from apportion.policy import load_policy
from apportion.service.store import Store, open_store
from tests.solver.service.api.served import served

SOON = {"equity": [], "schedule": {"waiting": {"leads": 10, "minutes": 600}}}


def test_it_makes_its_store_answers_and_stops_when_told(tmp_path: Path) -> None:
    """No set-up: the file of SQLite is made; SIGTERM ends it with 0, and its log is lines of JSON without addresses."""
    with served(f"sqlite:///{tmp_path}/new.db", tmp_path) as one:
        answer = urllib.request.urlopen(one.url + "/healthz", timeout=10)
        assert json.load(answer)["status"] == "ok"
        assert "server" not in answer.headers
        urllib.request.urlopen(one.url + "/docs", timeout=10).close()
        assert one.stop() == 0
    lines = [line for line in (tmp_path / "served.log").read_text().splitlines() if line.startswith("{")]
    told = [json.loads(line) for line in lines if '"request"' in line]
    assert [(line["method"], line["status"]) for line in told] == [("GET", 200)]
    assert "127.0.0.1" not in "".join(lines)
    with open_store(f"sqlite:///{tmp_path}/new.db").read() as tx:
        assert tx.leads.counts() == {}


def test_it_runs_the_schedule(there: Store, tmp_path: Path) -> None:
    """The batch that is due is made without anybody asking."""
    with there.write() as tx:
        tx.policies.activate(tx.policies.add(load_policy(SOON)).version)
    with served(str(there.url), tmp_path):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with there.read() as tx:
                if tx.leads.counts() == {"assigned": 12}:
                    return
            time.sleep(0.1)
    raise AssertionError("no batch was made")


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 6, and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run(["serve", "--port", port, "--store", f"sqlite:///{tmp_path}/a.db"]) == 6
    assert "--port" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, naming the command."""
    for name in [
        name for name in sys.modules if name.startswith(("apportion.service.serving", "apportion.service.api"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(["serve"]) == 2
    assert "pip install 'apportion[service]'" in capsys.readouterr().err
