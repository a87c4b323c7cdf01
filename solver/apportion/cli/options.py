"""Options that several commands share, alone and in groups."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from apportion.app import Sources
from apportion_models.errors import UsageError

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
    str | None, typer.Option("--at", help="When the batch is assigned (ISO 8601); default: when its last lead came in.")
]
Until = Annotated[
    str | None,
    typer.Option("--until", "--at", help="Learn only what was known by then (ISO 8601); default: all of the history."),
]
Audit = Annotated[
    list[str] | None,
    typer.Option(
        "--audit", help="Tell offers apart by team, or by this column of the reps; may be given several times."
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of everything random.")]
Gap = Annotated[float | None, typer.Option("--gap", min=0.0, help="Relative gap at which to stop.")]
TimeLimit = Annotated[float | None, typer.Option("--time-limit", help="Seconds for the solve.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]


def sources(**given: str | Path | None) -> Sources:
    """The tables that were named."""
    return Sources(**given)


def moment(text: str | None) -> pd.Timestamp | None:
    """Read --at; a time without a zone is UTC. UsageError where it is none."""
    if text is None:
        return None
    try:
        stamp: pd.Timestamp | None = pd.Timestamp(text)
    except ValueError:
        stamp = None
    if stamp is None or pd.isna(stamp):
        raise UsageError(f"--at and --until must be a date or time such as 2026-03-02T08:00Z. Got {text!r}.")
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


@dataclass(frozen=True, kw_only=True)
class Around:
    """What is known around a batch, and when it is assigned."""

    history: History = None
    mapping: MappingFile = None
    accounts: Accounts = None
    teams: Teams = None
    territories: Territories = None
    calendar: Calendar = None
    overrides: Overrides = None
    earlier: Earlier = None
    at: At = None

    def sources(self) -> Sources:
        """The tables that were named."""
        return Sources(**{one.name: getattr(self, one.name) for one in fields(Sources)})

    def moment(self) -> pd.Timestamp | None:
        """When the batch is assigned. UsageError where that is no time."""
        return moment(self.at)


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
