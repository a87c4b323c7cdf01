"""Options that several commands share, alone and in groups."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from apportion.app import Sources
from apportion.app.check import ASSIGNMENTS
from apportion.connectors import check_folder
from apportion_models.errors import UsageError
from apportion_models.tables.times import EARLIEST, LATEST

SOURCES = {one.name for one in fields(Sources)}


def moment(text: str) -> pd.Timestamp:
    """A date or time by ISO 8601; without a zone it is UTC. BadParameter for all else: 03/02/2026 has two readings."""
    try:
        stamp = pd.Timestamp(dt.datetime.fromisoformat(text))
    except ValueError:
        raise typer.BadParameter(f"must be a date or time such as 2026-03-02T08:00Z. Got {text!r}.") from None
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    if not EARLIEST <= stamp < LATEST:
        raise typer.BadParameter(f"must be from {EARLIEST.year} up to {LATEST.year}. Got {text!r}.")
    return stamp


def positive(text: str) -> float:
    """A number above 0. BadParameter for all else."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not number > 0:
        raise typer.BadParameter(f"must be a number above 0. Got {text!r}.")
    return number


def some_path(named: str | Path) -> Path:
    """A path that was named, or the default, which is one. BadParameter for an empty text, such as an unset variable of
    a shell: `.` is not meant."""
    if not str(named).strip():
        raise typer.BadParameter("must name a path. Got ''.")
    return Path(named)


def moment_option(*names: str, help: str) -> Any:
    """An option whose value is a moment; `help` says what it is the moment of."""
    return typer.Option(*names, parser=moment, metavar="<time>", help=help)


def positive_option(name: str, *, help: str) -> Any:
    """An option whose value is above 0."""
    return typer.Option(name, parser=positive, metavar="<float>", help=help)


def out_option(*, help: str = "Folder for the results.") -> Any:
    """`--out`."""
    return typer.Option("--out", "-o", parser=some_path, metavar="<path>", help=help)


Leads = Annotated[
    str, typer.Option("--leads", help="The batch: CSV, Parquet, or a SQL URL such as sqlite:///crm.db#leads.")
]
Reps = Annotated[str, typer.Option("--reps", help="The salespeople.")]
LeadsIfAny = Annotated[str | None, typer.Option("--leads", help="The batch: CSV, Parquet, or a SQL URL.")]
RepsIfAny = Annotated[str | None, typer.Option("--reps", help="The salespeople.")]
History = Annotated[
    str | None, typer.Option("--history", help="Past leads: who worked them, and whether they converted.")
]
Model = Annotated[Path | None, typer.Option("--model", help="Folder of a model that `apportion fit` saved.")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="The policy file; without it, the defaults.")]
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="Mapping file that renames columns and values.")]
Accounts = Annotated[str | None, typer.Option("--accounts", help="Companies, their parents and owners.")]
Teams = Annotated[str | None, typer.Option("--teams", help="Groups of reps.")]
Territories = Annotated[
    str | None, typer.Option("--territories", help="Who covers which territory, as primary or overflow.")
]
Calendar = Annotated[str | None, typer.Option("--calendar", help="Leave, training and the like.")]
Overrides = Annotated[str | None, typer.Option("--overrides", help="Locks (this lead, this rep) and bans.")]
Earlier = Annotated[
    str | None, typer.Option("--earlier", help="What earlier batches gave, for caps and rolling windows.")
]
At = Annotated[
    pd.Timestamp | None,
    moment_option("--at", help="When the batch is assigned (ISO 8601); default: when its last lead came in."),
]
KnownAt = Annotated[
    pd.Timestamp | None,
    moment_option("--at", help="Up to when the history is known (ISO 8601); default: its last date."),
]
Until = Annotated[
    pd.Timestamp | None,
    moment_option("--until", "--at", help="Learn only what was known by then (ISO 8601); default: all of the history."),
]
Audit = Annotated[
    list[str] | None,
    typer.Option(
        "--audit", help="Tell offers apart by team, or by this column of the reps; may be given several times."
    ),
]
Out = Annotated[Path, out_option()]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of everything random.")]
Gap = Annotated[float | None, typer.Option("--gap", min=0.0, max=1.0, help="Relative gap at which to stop.")]
TimeLimit = Annotated[float | None, positive_option("--time-limit", help="Seconds for the solve.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of text.")]
Schema = Annotated[bool, typer.Option("--json", help="As it is printed in any case.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]


def check_out(folder: Path, sources: Sources) -> None:
    """To know it before the work: InputError where the folder cannot be written, UsageError where a table would go."""
    check_folder(folder)
    written = (folder / ASSIGNMENTS).resolve()
    for name, source in vars(sources).items():
        if isinstance(source, (str, Path)) and Path(source).resolve() == written:
            raise UsageError(f"--out {folder} would replace {source}, which --{name} names: choose another folder.")


@dataclass(frozen=True, kw_only=True)
class Company:
    """The tables around leads and reps."""

    accounts: Accounts = None
    teams: Teams = None
    territories: Territories = None
    calendar: Calendar = None
    mapping: MappingFile = None

    def sources(self, **others: str | None) -> Sources:
        """The tables that were named: these, those of a subclass, and `others`."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name in SOURCES}
        return Sources(**own, **others)


@dataclass(frozen=True, kw_only=True)
class Around(Company):
    """What is known around a batch, and when it is assigned."""

    history: History = None
    overrides: Overrides = None
    earlier: Earlier = None
    at: At = None


@dataclass(frozen=True, kw_only=True)
class Batch(Around):
    """A batch and what is known around it."""

    leads: Leads
    reps: Reps


@dataclass(frozen=True, kw_only=True)
class PossibleBatch(Around):
    """The same, where a command has an answer without one."""

    leads: LeadsIfAny = None
    reps: RepsIfAny = None


@dataclass(frozen=True, kw_only=True)
class Believed:
    """Where the estimates come from, beside the history, and the rules."""

    model: Model = None
    policy: PolicyFile = None


@dataclass(frozen=True, kw_only=True)
class Pains:
    """How exactly and how long to solve."""

    gap: Gap = None
    time_limit: TimeLimit = None
    seed: Seed = None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How it is shown."""

    as_json: AsJson = False
    quiet: Quiet = False
