"""`apportion replay` and `apportion simulate`: files, page, exit codes, and what is left where they are stopped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from apportion.app.replay import run as use_cases
from apportion.cli.main import run
from apportion_models.synthetic.files import write_tables
from tests.solver.whatif.replay.small import past

FILES = {"decisions.csv", "batches.csv", "cohorts.csv", "reps.csv"}
POLICY = """
name: <b>small</b>
window: {days: 5}
capacity: {default: 6}
equity: []
solve: {gap: 0.2, time_limit: 60}
"""
SIMULATE = ["--weeks", "1", "--reps", "3", "--new", "1", "--past", "200", "--batches", "weekly", "--gap", "0.3"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("inputs")
    write_tables({"history": past().history, "reps": past().reps}, folder)
    (folder / "policy.yaml").write_text(POLICY)
    named = {"history": "history.csv", "reps": "reps.csv", "policy": "policy.yaml"}
    tables = [part for option, name in named.items() for part in (f"--{option}", str(folder / name))]
    return [*tables, "--batches", "weekly", "--router", "round_robin", "--from", "2026-02-09"]


def test_replay_writes_what_it_promises_twice_alike(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four tables, a page that needs nothing else, the document last; --json prints it; again: the same bytes."""
    one, two = tmp_path / "one", tmp_path / "two"
    assert run(["replay", *inputs, "--out", str(one), "--json"]) == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert told.err == "" and document == json.loads((one / "replay.json").read_text())
    assert {path.name for path in one.iterdir()} == FILES | {"replay.html", "replay.json"}
    assert [track["track"] for track in document["tracks"]] == ["plan", "round_robin"]
    decisions = pd.read_csv(one / "decisions.csv")
    assert len(decisions) == 2 * document["leads"] and not decisions.duplicated(["track", "lead_id"]).any()
    assert set(pd.read_csv(one / "batches.csv")["track"]) == {"plan", "round_robin"}
    page = (one / "replay.html").read_text()
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=", page)
    assert "&lt;b&gt;small" in page and "<b>small" not in page
    assert "cannot show what those leads would have become" in page
    assert run(["replay", *inputs, "--out", str(two)]) == 0
    assert all((one / path.name).read_bytes() == path.read_bytes() for path in two.iterdir())
    assert "round robin" in capsys.readouterr().out


def test_simulate_writes_what_it_promises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same files, with what was earned; the truth is a track unless it is left out."""
    out = tmp_path / "out"
    assert run(["simulate", *SIMULATE, "--router", "none", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {path.name for path in out.iterdir()} == FILES | {"simulation.html", "simulation.json"}
    assert [track["track"] for track in document["tracks"]] == ["plan", "truth"]
    assert {"won", "earned"} <= set(pd.read_csv(out / "decisions.csv").columns)
    assert run(["simulate", *SIMULATE, "--router", "none", "--no-truth", "--out", str(out)]) == 0
    assert "true expected revenue" in capsys.readouterr().out


def test_a_stop_leaves_nothing_half_written(
    inputs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C in the midst of the batches: exit 130, one line, and no file."""
    out = tmp_path / "out"
    real = use_cases.replay

    def interrupted(*given: object, on_step: object, **more: object) -> object:
        def stop(done: int, of: int) -> None:
            raise KeyboardInterrupt

        return real(*given, on_step=stop, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(use_cases, "replay", interrupted)
    assert run(["replay", *inputs, "--out", str(out)]) == 130
    assert not out.exists() and "Interrupted" in capsys.readouterr().err


def test_wrong_calls_and_wrong_input_have_their_exit_codes(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 for what cannot be asked, 3 for what cannot be read or used; nothing is written."""
    out = ["--out", str(tmp_path / "out")]
    assert run(["replay", *inputs, *out, "--retrain", "0"]) == 2
    assert run(["replay", *inputs, *out, "--router", "psychic"]) == 2
    assert run(["replay", *inputs[2:], *out]) == 2
    assert run(["replay", *inputs, *out, "--until", "2020-01-01", "--from", "2019-01-01"]) == 3
    assert "no lead arrives from 2019-01-01 to 2020-01-01" in capsys.readouterr().err
    assert run(["replay", *inputs, *out, "--policy", str(tmp_path / "none.yaml")]) == 3
    assert run(["simulate", *SIMULATE, *out, "--batches", "hourly"]) == 2
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("limits:\n  - {name: x, leads: no_such == 1, high: 3}\n")
    assert run(["simulate", *SIMULATE, *out, "--policy", str(wrong)]) == 3
    assert "no_such" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["replay", "simulate"])
def test_help_lists_the_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` ends 0 and names each option."""
    assert run([command, "--help"]) == 0
    told = capsys.readouterr().out
    shared = ["--policy", "--batches", "--retrain", "--router", "--whole-capacity", "--out", "--json", "--quiet"]
    own = {"replay": ["--history", "--leads", "--reps", "--from", "--until"], "simulate": ["--weeks", "--seed"]}
    assert not [option for option in (*shared, *own[command]) if option not in told]
