"""Real processes: what a shell sees, and what is left on disk when one is interrupted or killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from apportion.connectors import write_files
from tests.solver.cli.conftest import Company, contents, read_rows

ROOT = Path(__file__).parents[3]
NAMES = ("assignments.csv", "report.html", "policy.html", "plan.json")
KILLED = """
import os, signal, sys
from pathlib import Path
from apportion.connectors import files
folder, before, moment = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
owner, name = (files, "_flushed") if before == "staging" else (Path, "replace")
real, calls = getattr(owner, name), []
def watched(*given):
    calls.append(given)
    if len(calls) == moment:
        if before == "staging":
            given[0].write_bytes(given[1][: len(given[1]) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)
setattr(owner, name, watched)
files.write_files(folder, {name: b"new " * 50_000 for name in sys.argv[4:]})
"""
INTERRUPTED = """
import importlib, os, signal, sys, time
from apportion.cli import main
module = importlib.import_module("apportion.app.assign")
def slow(*_):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
module.explain = slow
sys.argv[0] = "apportion"
main()
"""


MAIN = "from apportion.cli import main; main()"


def python(code: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "solver"), str(ROOT / "models")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **variables}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", errors="replace", timeout=120, check=False
    )


def test_the_package_is_a_command_too() -> None:
    """Where the script is not on the path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "solver"), str(ROOT / "models")])}
    command = [sys.executable, "-m", "apportion", "policy", "schema"]
    called = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    assert called.returncode == 0 and json.loads(called.stdout)["properties"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize(
    ("before", "moment"),
    [
        ("staging", 4),
        ("replacing", 2),
        pytest.param("staging", 1, marks=pytest.mark.slow),
        pytest.param("replacing", 1, marks=pytest.mark.slow),
        pytest.param("replacing", 4, marks=pytest.mark.slow),
    ],
)
def test_a_killed_write_leaves_whole_files(tmp_path: Path, before: str, moment: int) -> None:
    """Each file is the old one or the new one, whole; plan.json is new only where all are; the next write succeeds."""
    old, new = b"old " * 50_000, b"new " * 50_000
    for name in NAMES:
        (tmp_path / name).write_bytes(old)
    assert python(KILLED, tmp_path, before, moment, *NAMES).returncode == -signal.SIGKILL
    left = [(tmp_path / name).read_bytes() for name in NAMES]
    replaced = 0 if before == "staging" else moment - 1
    assert left == [new] * replaced + [old] * (len(NAMES) - replaced)
    write_files(tmp_path, dict.fromkeys(NAMES, new))
    assert all((tmp_path / name).read_bytes() == new for name in NAMES)


def test_an_interrupted_process_ends_130(company: Company, plan: Path) -> None:
    """SIGINT while it works: exit code 130, one line on stderr, no traceback, the last plan untouched."""
    before = contents(plan)
    done = python(INTERRUPTED, "assign", *company.options(), "--out", plan)
    assert done.returncode == 130, done.stderr
    assert "Interrupted" in done.stderr and "Traceback" not in done.stderr and done.stdout == ""
    assert contents(plan) == before


def test_a_process_gives_what_the_call_in_this_one_gives(company: Company, plan: Path, tmp_path: Path) -> None:
    """Another process, with another hash seed, writes the same bytes and ends 0."""
    code = "import sys; from apportion.cli import main; main()"
    done = python(code, "assign", *company.options(), "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == contents(plan) and len(read_rows(plan)) == 60
    assert "\x1b" not in done.stdout and done.stderr == ""


def test_a_wrong_call_ends_2_for_the_shell() -> None:
    """The exit code reaches the shell."""
    done = python("from apportion.cli import main; main()", "assign", "--nonsense")
    assert done.returncode == 2 and done.stdout == "" and "--nonsense" in done.stderr


def test_a_reader_that_goes_away_is_no_bug(company: Company, tmp_path: Path) -> None:
    """`apportion assign --json | head -1`: the plan is written, the exit code 0, and nothing is said."""
    folder = tmp_path / "out"
    code = "from apportion.cli import main; main()"
    reader, writer = os.pipe()
    os.close(reader)
    path = os.pathsep.join([str(ROOT / "solver"), str(ROOT / "models")])
    command = [sys.executable, "-c", code, "assign", *map(str, company.options()), "--out", str(folder), "--json"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, stdout=writer, stderr=subprocess.PIPE, timeout=120, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {path.name for path in folder.iterdir()} == set(NAMES)


@pytest.mark.slow
def test_a_terminal_that_lacks_a_sign_gets_the_same_plan(company: Company, tmp_path: Path, plan: Path) -> None:
    """Another encoding than UTF-8, in a folder with other letters: the same files."""
    folder = tmp_path / "über uns"
    done = python(MAIN, "assign", *company.options(), "--out", folder, PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "") and "fair offer" in done.stdout
    assert contents(folder) == contents(plan)


def test_a_terminal_that_lacks_a_sign_is_no_reason_to_stop(company: Company, tmp_path: Path) -> None:
    """A path that the encoding has no letters for: JSON loses nothing."""
    page = tmp_path / "ж.html"
    shown = python(MAIN, "policy", "document", company.folder / "policy.yaml", "--out", page, "--json",
                   PYTHONIOENCODING="latin-1")  # fmt: skip
    assert json.loads(shown.stdout) == {"written": str(page)} and page.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_stdout_is_no_bug() -> None:
    """What cannot be shown is told on stderr in a sentence, with the exit code of what is beyond us."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "solver"), str(ROOT / "models")])}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "policy", "schema"], stdout=full, stderr=subprocess.PIPE, text=True,
            env=environment, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 6 and "No space left" in done.stderr and "Traceback" not in done.stderr
