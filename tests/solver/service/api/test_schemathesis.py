"""schemathesis against a service that an operator has started, by its OpenAPI document: it finds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apportion.service.store import Store
from tests.solver.service.api.served import served

ROOT = Path(__file__).parents[4]
CONFIG = '[generation]\nallow-x00 = false\ncodec = "utf-8"\n'  # no JSON of ours has NUL or half a character in it
REPLACED = "positive_data_acceptance"  # by `understood`, which knows what a schema cannot say
RUN = "from schemathesis.cli import schemathesis; schemathesis()"


def _found(store: Store, folder: Path, *flags: str) -> str:
    """What it says when it has found something, else nothing."""
    with store.write() as tx:
        secret = tx.keys.create("schemathesis", ["admin"])[1]
    (folder / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.solver.service.api.schemathesis_checks",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *(path for path in sys.path if path)]),
    }
    with served(str(store.url), folder, "--no-clockwork") as one:
        command = [sys.executable, "-c", RUN, "--config-file", "schemathesis.toml", "run", f"{one.url}/openapi.json"]
        command += ["-H", f"X-API-Key: {secret}", "--checks", "all", "--exclude-checks", REPLACED]
        command += ["--continue-on-failure", "--no-color", "--warnings", "off", *flags]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout[-6000:] + done.stderr[-2000:]


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks as fast as it can."""
    monkeypatch.setenv("APPORTION_REQUESTS_PER_MINUTE", "0")


def test_schemathesis_finds_nothing(there: Store, tmp_path: Path) -> None:
    """Every operation, every check that it has, a few requests each."""
    told = _found(there, tmp_path, "--phases", "examples,fuzzing", "-n", "2", "--seed", "0")
    assert not told, told


@pytest.mark.slow
@pytest.mark.parametrize(("phases", "count"), [("coverage", 1), ("fuzzing", 60), ("stateful", 60)])
def test_schemathesis_finds_nothing_in_many(there: Store, tmp_path: Path, phases: str, count: int) -> None:
    """Each boundary of each field, and many requests of each operation."""
    told = _found(there, tmp_path, "--phases", phases, "-n", str(count), "--seed", "1")
    assert not told, told
