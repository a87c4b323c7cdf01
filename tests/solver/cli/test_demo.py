"""`apportion demo`, as the README has it: with nothing said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.solver.cli.conftest import call


def test_the_first_command_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any option it ends 0, shows the plan, and writes all its files where it says."""
    monkeypatch.chdir(tmp_path)
    called = call("demo")
    assert called.code == 0 and "1,200 leads" in called.out
    assert {path.name for path in (tmp_path / "out" / "demo").iterdir()} == {
        "assignments.csv", "report.html", "policy.html", "plan.json",
    }  # fmt: skip
