"""`apportion console`: how it is called, what it says, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from apportion.cli.main import run
from tests.solver.service.console.company import Company

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--leads", "leads.csv"], "--leads and --reps"),
        (["--policy", "policy.yaml"], "--leads and --reps"),
        (["--at", "yesterday", "--leads", "a", "--reps", "b"], "--at"),
        (["--port", "70000"], "port"),
    ],
)
def test_wrong_calls_are_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """2, and what would be right; nothing is started."""
    assert run(["console", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_place_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """2, with the port and what to do."""
    pytest.importorskip("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["console", "--port", str(port)]) == 2
    assert f"port {port}" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core runs without it; only this command needs it, and says so."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(["console", "--port", "0"]) == 2
    assert "pip install apportion[console]" in capsys.readouterr().err


def test_it_serves_until_it_is_interrupted(company: Company, tmp_path: Path) -> None:
    """It says where it is, answers there on loopback alone, and ends with 0 at Ctrl-C."""
    pytest.importorskip("uvicorn")
    named = {"leads": "leads.csv", "reps": "reps.csv", "history": "history.csv", "policy": "policy.yaml"}
    options = [part for option, name in named.items() for part in (f"--{option}", str(company.folder / name))]
    command = [sys.executable, "-c", "from apportion.cli.main import main; main()", "console", "--port", "0"]
    paths = {"PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("models", "solver"))}
    with subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | paths,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        with urllib.request.urlopen(address, timeout=60) as reply:
            assert reply.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
        assert "Traceback" not in process.stderr.read()
