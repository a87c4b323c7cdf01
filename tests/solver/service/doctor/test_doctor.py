"""`apportion doctor` as an operator runs it: lines, JSON, exit codes; nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apportion.cli.main import run
from apportion.service.doctor import Check, Report
from apportion.service.doctor.examine import OF_THE_STORE
from apportion.service.settings import PREFIX, Settings
from apportion.service.store import open_store
from tests.solver.service.tables import set_up


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in ["APPORTION_CONFIG", *(PREFIX + name.upper() for name in Settings.model_fields)]:
        monkeypatch.delenv(name, raising=False)


def test_a_new_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is set up: 6, a line each, and the way out; the look leaves no file."""
    assert run(["doctor"]) == 6
    lines = capsys.readouterr().out.splitlines()
    assert "wrong    store: There is no store at sqlite:///apportion.db yet. Run `apportion store migrate`." in lines
    assert lines[-1].endswith("1 wrong, 11 unknown.")
    assert list(tmp_path.iterdir()) == []


def test_a_service_for_programs(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--json names every check once at least, with state, sentence and remedy; set up, nothing is wrong: 0."""
    store = open_store(url)
    store.migrate()
    set_up(store)
    assert run(["doctor", "--store", url, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "apportion.doctor/1"
    assert {"Python", "settings", "sinks", "store", "room", *OF_THE_STORE} <= {one["name"] for one in told["checks"]}
    assert all(set(one) == {"name", "state", "sentence", "remedy"} for one in told["checks"])
    assert all(one["remedy"] for one in told["checks"] if one["state"] == "warning")
    assert told["counts"]["wrong"] == 0
    with store.write() as tx:
        tx.outbox.add(topic="alert", key="k", payload={}, sinks=["crm"])
        tx.outbox.dead(tx.outbox.take("me", seconds=1.0)[0], error="410")
    store.close()
    assert run(["doctor", "--store", url]) == 3
    assert "outbox replay" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("APPORTION_PROT", "1", "Did you mean APPORTION_PORT"),
        ("APPORTION_STORE_URL", "mysql://u:hunter2@a/b", "must be SQLite or PostgreSQL"),
        ("APPORTION_STORE_URL", "file:/nowhere", "/nowhere must be readable"),
        ("APPORTION_SINKS", "none.toml", "cannot be read"),
    ],
)
def test_settings_that_cannot_be(
    variable: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """2, the machine's checks all the same, and no secret."""
    monkeypatch.setenv(variable, value)
    assert run(["doctor"]) == 2
    told = capsys.readouterr().out
    assert words in told
    assert "ok       Python" in told
    assert "hunter2" not in told


def test_the_exit_code() -> None:
    """Settings before the store before all else; warnings and what is not known are no fault."""
    checks = [Check("a", "wrong", "", "", code) for code in (3, 6, 2)]
    assert [Report(checks[:count]).exit_code for count in range(4)] == [0, 3, 6, 2]
    assert Report([Check("a", "warning", ""), Check("b", "unknown", "")]).exit_code == 0
