"""A new operator's walk: the commands of docs/operate.md as they stand, in their order, to a webhook that is received
and a rep's question that is answered."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from apportion.service.settings import PREFIX, Settings
from tests.solver.service.api.served import free_port
from tests.solver.service.warm import warm_command

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh walk\n(.*?)```", PAGE, re.DOTALL)
RECEIVER = re.findall(r"```python receiver.py\n(.*?)```", PAGE, re.DOTALL)
FIND_DATA = re.findall(r"^DATA=.*$", PAGE, re.MULTILINE)


@dataclass
class Place:
    """A folder to walk in, and its environment."""

    folder: Path
    environment: dict[str, str]

    def walk(self, commands: str) -> str:
        """What the commands print. They end with the first that fails; what they left running goes with them."""
        ended = "trap 'kill $(jobs -p) 2> /dev/null' EXIT\n"
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", ended + commands],
            cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            told, faults = process.communicate(timeout=540)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == 0, faults + told
        return told


def place_in(folder: Path, command: Path) -> Place:
    """The folder of `command` and nothing else of ours on the path; no settings."""
    (folder / "here").mkdir()
    (folder / "here" / "receiver.py").write_text(RECEIVER[0])
    (command / "python3").symlink_to(sys.executable)
    names = [PREFIX + name.upper() for name in Settings.model_fields]
    environment = {name: value for name, value in os.environ.items() if name.upper() not in names}
    environment |= {
        "PATH": f"{command}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OMP_NUM_THREADS": "1",
    }
    return Place(folder / "here", environment)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """With a command whose libraries are loaded already."""
    with warm_command(tmp_path / "bin") as command:
        yield place_in(tmp_path, command)


@pytest.fixture
def cold_place(tmp_path: Path) -> Place:
    """With the command as it is installed: a process of its own each time."""
    command = tmp_path / "bin"
    command.mkdir()
    (command / "apportion").write_text(f"#!{sys.executable} -P\nfrom apportion.cli import main\nmain()\n")
    (command / "apportion").chmod(0o755)
    return place_in(tmp_path, command)


def small_company(folder: Path) -> None:
    """A part of the sample company under a plain policy: enough for each step, and quick."""
    shutil.copytree(ROOT / "data", folder)
    for name, count in (("history", 1500), ("leads", 60)):
        table = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
        table.tail(count).to_csv(folder / f"{name}.csv", index=False)
    (folder / "policy.yaml").write_text("name: small\nequity: []\n")


def commands(data: Path | None) -> str:
    """Every block of the page, its ports replaced by free ones; data : in the place of the sample company."""
    for port in ("8000", "9000"):
        assert any(port in block for block in BLOCKS)
    text = "\n".join(BLOCKS)
    if data is not None:
        text = text.replace(FIND_DATA[0], f"DATA={data}")
    for port in ("8000", "9000"):
        text = text.replace(port, str(free_port()))
    return text


def walked(place: Place, data: Path | None) -> None:
    """Walk, and see what came of it."""
    text = commands(data)
    port = re.findall(r"http://127\.0\.0\.1:(\d+)/\"", text)[0]
    receiver = place.folder / "receiver.py"
    receiver.write_text(receiver.read_text().replace("9000", port))
    told = place.walk(text)
    given = len(pd.read_csv(ROOT / "data" / "leads.csv" if data is None else data / "leads.csv"))
    lines = (place.folder / "received.txt").read_text().split("\n")
    assert sum(int(line.split()[1]) for line in lines if line.startswith("plan.done")) == given, lines
    assert not [line for line in lines if line.startswith("refused")]
    assert "plan.done" in told, "the page shows what was received"
    doctor = [line for line in told.splitlines() if line.startswith(("ok ", "warning ", "wrong ", "unknown "))]
    first, second = "\n".join(doctor).split("\nok       Python")
    assert "wrong    model: No fit model is in use" in first
    assert "wrong" not in second, told
    assert "unknown" not in second
    assert "sink trial: 127.0.0.1 is told over plain http" in second
    answer = told.split("\nWritten: night.zip")[0].splitlines()[-1]
    lead = json.loads((place.folder / "assigned.json").read_text())["leads"][0]["lead_id"]
    assert answer.startswith(lead), told
    assert told.rstrip().splitlines()[-1].startswith("The audit trail is whole")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_walk(place: Place, tmp_path: Path) -> None:
    """On a part of the sample company: every command does, the receiver has every lead, signed, and the rep an
    answer."""
    small_company(tmp_path / "data")
    walked(place, tmp_path / "data")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_walk_as_it_stands(cold_place: Place) -> None:
    """On the sample company itself, with the command as it is installed."""
    walked(cold_place, None)


def test_a_receiver_that_is_not_told_the_secret(place: Place) -> None:
    """The page's receiver refuses what is not signed: the walk's success says something."""
    port = str(free_port())
    receiver = place.folder / "receiver.py"
    receiver.write_text(receiver.read_text().replace("9000", port))
    told = place.walk(
        "export HOOK_SECRET=whsec_$(head -c 32 /dev/urandom | base64)\npython3 receiver.py > received.txt 2> log &\n"
        f"until curl -sS -o out -w '%{{http_code}}\\n' -d '{{}}' http://127.0.0.1:{port}/ 2> log; do sleep 0.2; done"
    )
    assert told.split()[-1] == "401"
    assert "refused" in (place.folder / "received.txt").read_text()


@pytest.mark.parametrize("block", re.findall(r"```sh[ \w]*\n(.*?)```", PAGE, re.DOTALL))
def test_every_block_can_be_read_by_a_shell(block: str) -> None:
    """Also those that need another machine to run."""
    done = subprocess.run(["bash", "-n", "-c", block], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_is_whole() -> None:
    """One receiver, one place where the data are found, and every step of the walk is there to be run."""
    assert (len(RECEIVER), len(FIND_DATA)) == (1, 1)
    text = "\n".join(BLOCKS)
    for step in ("store migrate", "store model", "store load", "policy check", "store policy", "keys create", "doctor",
                 "run-due", "serve", "why", "store backup", "store restore", "store verify"):  # fmt: skip
        assert f"apportion {step}" in text, step
