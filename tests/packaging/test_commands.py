from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.packaging.project import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """One call of make in the checkout; `-n` among the arguments, so that nothing is made."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")} | variables
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_readme_names_the_two_commands() -> None:
    """The README shows both commands on lines of their own, in a block to copy from."""
    blocks = "\n".join(
        re.findall(r"^```\w*\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S | re.M)
    )
    for command in ("make demo", "make test"):
        assert re.search(rf"^(\$ )?{command}( .*)?$", blocks, flags=re.M), f"README.md must show `{command}`"


def test_continuous_integration_runs_the_readme_test_command() -> None:
    """`.ci/run` can be executed and calls the same command as the README, before anything else."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    sections = re.findall(r"^section \w+ (.+)$", script.read_text(encoding="utf-8"), flags=re.M)
    assert sections[0] == "make --no-print-directory test"


def test_every_target_is_listed() -> None:
    """`make help` tells every command, and bare `make` is `make help`."""
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.M)
    listed = {line.split()[0] for line in make("help").stdout.splitlines()}
    assert listed == set(phony.split()) == set(re.findall(r"^([a-z]+):", MAKEFILE, flags=re.M))
    assert make().stdout == make("help").stdout


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_a_python_that_will_not_do_is_named(python: str, tmp_path: Path) -> None:
    """Without a Python that is new enough, the command says what it needs and how to name one, and makes nothing."""
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    (tmp_path / "requirements").mkdir()
    for name in ("requirements/dev.txt", "requirements/uv.txt", "pyproject.toml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    done = make("-C", str(tmp_path), "test", f"PYTHON={python}")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr and python in done.stderr
    assert sorted(tmp_path.rglob("*")) == before
