"""`apportion experiment plan | start | assign | status | stop | promote | schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from apportion.app import Sources
from apportion.app.experiment import (
    ArmsRequest,
    PlanRequest,
    assign_arms,
    experiment_json_schema,
    experiment_status,
    plan_experiment,
    promote_winner,
    start_experiment,
    stop_experiment,
)
from apportion.cli import options
from apportion.cli.groups import spelled_out
from apportion.cli.screen import out, show_json, steps, table, tell
from apportion.connectors import check_folder
from apportion_models.errors import UsageError

experiment_commands = typer.Typer(help="Find out by an experiment which policy is better.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The experiment file.")]
Folder = Annotated[Path, typer.Argument(help="The folder that `apportion experiment start` wrote.")]
Past = Annotated[str, typer.Option("--history", help="Past leads: rate, variance and clusters are measured on them.")]
Became = Annotated[str, typer.Option("--history", help="What became of the leads so far.")]
Roster = Annotated[str | None, typer.Option("--reps", help="The salespeople; needed by team.")]
Start = Annotated[pd.Timestamp, options.moment_option("--start", help="When the first window begins (ISO 8601).")]
Why = Annotated[str | None, typer.Option("--reason", help="Why, for the record.")]


@experiment_commands.command("plan")
def plan_command(
    experiment: File,
    history: Past,
    reps: Roster = None,
    mapping: options.MappingFile = None,
    at: options.KnownAt = None,
    as_json: options.AsJson = False,
) -> int:
    """Say beforehand how long the experiment must run.

    And by which rules it stops.

    Example:

    apportion experiment plan experiment.yaml --history history.csv
    """
    tables = Sources(history=history, reps=reps, mapping=mapping)
    report = plan_experiment(PlanRequest(experiment, tables, at))
    _show(report.document(), report.sentences(), as_json)
    return 0


@experiment_commands.command("start")
def start_command(
    experiment: File,
    history: Past,
    out_folder: Annotated[Path, options.out_option(help="Folder of the running experiment.")],
    start: Start,
    reps: Roster = None,
    mapping: options.MappingFile = None,
    at: options.KnownAt = None,
    as_json: options.AsJson = False,
) -> int:
    """Fix design, rules and policies, and open the log.

    Example:

    apportion experiment start e.yaml --history h.csv --start 2026-03-02 -o run
    """
    check_folder(out_folder)
    tables = Sources(history=history, reps=reps, mapping=mapping)
    report = start_experiment(PlanRequest(experiment, tables, at), start=start, folder=out_folder)
    written = [str(path) for path in report.written]
    _show({**report.plan.document(), "start": start.isoformat(), "written": written}, report.plan.sentences(), as_json)
    if not as_json:
        tell(f"Started: {out_folder}. Assign batches with `apportion experiment assign {out_folder}`.")
    return 0


@experiment_commands.command("assign")
@spelled_out
def assign_command(
    experiment: Folder,
    batch: options.Batch,
    pains: options.Pains,
    shown: options.Shown,
    out_folder: options.Out,
    model: options.Model = None,
) -> int:
    """Assign a batch: each lead in its arm.

    Each arm has its part of the capacity and its own policy.

    Example:

    apportion experiment assign run --leads leads.csv --reps reps.csv -o today
    """
    options.check_out(out_folder, batch.sources())
    request = ArmsRequest(folder=experiment, sources=batch.sources(), model=model, at=batch.at, **vars(pains))
    with steps(shown.quiet) as progress:
        report = assign_arms(request, step=progress.step)
        progress.step("Writing")
        written = report.write(out_folder)
    document = report.document()
    if shown.as_json:
        show_json(document)
        return 0
    arms = table("arm", "leads", "assigned", "capacity", title=f"Batch of {document['at']}")
    for arm in document["arms"]:
        arms.add_row(arm["name"], f"{arm['leads']:,}", f"{arm['assigned']:,}", f"{arm['capacity']:,.1f}")
    out().print(arms)
    tell("Written: " + ", ".join(map(str, written)))
    return 0


@experiment_commands.command("status")
def status_command(
    experiment: Folder,
    history: Became,
    mapping: options.MappingFile = None,
    at: options.KnownAt = None,
    as_json: options.AsJson = False,
) -> int:
    """Look: what is known, and whether it may stop.

    Every day, if you like.

    Example:

    apportion experiment status run --history history.csv
    """
    report = experiment_status(experiment, Sources(history=history, mapping=mapping), at=at)
    _show(report.document(), report.sentences(), as_json)
    return 0


@experiment_commands.command("stop")
def stop_command(
    experiment: Folder,
    history: Became,
    mapping: options.MappingFile = None,
    at: options.KnownAt = None,
    reason: Why = None,
    as_json: options.AsJson = False,
) -> int:
    """End the experiment, and keep the verdict with its evidence.

    Example:

    apportion experiment stop run --history history.csv --reason settled
    """
    tables = Sources(history=history, mapping=mapping)
    report, written = stop_experiment(experiment, tables, at=at, reason=reason)
    _show(report.document(), report.sentences(), as_json)
    if not as_json:
        tell("Stopped: " + ", ".join(map(str, written)))
    return 0


@experiment_commands.command("promote")
def promote_command(
    experiment: Folder,
    to: Annotated[Path | None, typer.Option("--to", help="The policy file that the winner becomes.")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="Another arm than the winner; needs --anyway.")] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Promote though it did not win; needs --reason.")] = False,
    reason: Why = None,
    as_json: options.AsJson = False,
) -> int:
    """Make the winner the policy, with the evidence on record.

    Example:

    apportion experiment promote run --to policy.yaml
    """
    if to is None:
        raise UsageError("Say with --to which policy file the winner becomes.")
    report = promote_winner(experiment, to, arm=arm, anyway=anyway, reason=reason)
    if as_json:
        show_json({key: value for key, value in report.record.items() if key != "evidence"})
    else:
        tell(f"{report.arm} is now the policy in {report.policy}.")
        tell("Written: " + ", ".join(map(str, report.written)))
    return 0


@experiment_commands.command("schema")
def schema_command(_: options.Schema = True) -> int:
    """Print the JSON Schema of experiment files.

    Example:

    apportion experiment schema > experiment.schema.json
    """
    show_json(experiment_json_schema())
    return 0


def _show(document: dict[str, object], sentences: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        show_json(document)
        return
    for sentence in sentences:
        tell(sentence)
