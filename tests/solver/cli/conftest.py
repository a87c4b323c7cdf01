"""A small company on disk, and a way to call the command line in this process as a shell would."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from apportion.cli.main import run
from apportion_models.synthetic import World
from apportion_models.synthetic.files import write_tables

# The default policy, but for a gap that this small batch reaches at once: a run that ends by the clock is no test.
POLICY = "version: 1\nname: small\nsolve: {gap: 0.03, time_limit: 20}\n"
PLAN_FILES = {"assignments.csv", "report.html", "policy.html", "plan.json"}


@dataclass(frozen=True)
class Called:
    """How one command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as the one strict JSON document that it must be."""
        return json.loads(self.out, parse_constant=_refuse)


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def call(*arguments: object) -> Called:
    """Run `apportion ARGUMENTS` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Called(code, out.getvalue(), err.getvalue())


def read_plan(folder: Path) -> Any:
    """plan.json, in which NaN and infinity are faults."""
    return json.loads((folder / "plan.json").read_text(encoding="utf-8"), parse_constant=_refuse)


def read_rows(folder: Path) -> pd.DataFrame:
    """assignments.csv, every cell as its text."""
    return pd.read_csv(folder / "assignments.csv", dtype=str, keep_default_na=False)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@dataclass(frozen=True)
class Company:
    """The tables of a small company, its saved model, and the options that name them."""

    folder: Path
    model: Path

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.csv"

    def table(self, name: str) -> pd.DataFrame:
        """A table as text, so that what is written back differs only where a test means it to."""
        return pd.read_csv(self.path(name), dtype=str, keep_default_na=False)

    def options(self, *, learn: bool = False, **other: object) -> list[object]:
        """--leads, --reps and --model (--history where `learn`); `other` replaces or adds, None leaves away."""
        given: dict[str, object] = {
            "leads": self.path("leads"),
            "reps": self.path("reps"),
            "policy": self.folder / "policy.yaml",
        }
        given |= {"history": self.path("history")} if learn else {"model": self.model}
        pairs = [(f"--{name.replace('_', '-')}", value) for name, value in (given | other).items() if value is not None]
        return [word for pair in pairs for word in pair]


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Ten reps, one of whom has not started and one is new; 400 past leads; a batch of 60."""
    folder = tmp_path_factory.mktemp("company")
    world = World(seed=3, n_reps=10, n_new=2, n_unseen=1, days=300, exploration=1.0, strength=4.0)
    write_tables({"leads": world.leads(60), "reps": world.reps(), "history": world.history(400)}, folder)
    (folder / "policy.yaml").write_text(POLICY)
    model = folder / "model"
    tables = ("--history", folder / "history.csv", "--reps", folder / "reps.csv")
    # what was known when the batch's last lead came in, as `assign --history` learns it
    called = call("fit", *tables, "--until", world.leads(60)["created_at"].max().isoformat(), "--out", model)
    assert called.code == 0, called.err
    return Company(folder, model)


@pytest.fixture(scope="session")
def learnt(company: Company, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Called]:
    """The folder that `assign --history` wrote, and how the command ended. Not to be changed."""
    folder = tmp_path_factory.mktemp("learnt") / "made" / "by" / "it"
    return folder, call("assign", *company.options(learn=True), "--out", folder)


@pytest.fixture
def plan(company: Company, tmp_path: Path) -> Path:
    """A fresh folder that `assign --model` wrote, to be spoilt."""
    folder = tmp_path / "plan"
    assert call("assign", *company.options(), "--out", folder).code == 0
    return folder


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a frame or a text into a file of the test's own folder."""

    def written(name: str, content: pd.DataFrame | str) -> Path:
        path = tmp_path / name
        text = content.to_csv(index=False) if isinstance(content, pd.DataFrame) else content
        path.write_text(text, encoding="utf-8")
        return path

    return written
