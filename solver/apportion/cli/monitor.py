"""`apportion monitor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apportion.app.monitor import MonitorRequest, assignments_of, monitor_plans
from apportion.cli import options
from apportion.cli.screen import show_json, tell
from apportion.connectors import check_folder, json_bytes, write_files

Plans = Annotated[
    list[Path],
    typer.Option("--assignments", help="What `apportion assign` wrote: a folder or its assignments.csv; repeatable."),
]
Became = Annotated[str, typer.Option("--history", help="What became of the leads, and the past before them.")]
Scores = Annotated[
    Path | None, typer.Option("--model", help="The model in use: its scores are compared too; needs --reps.")
]
Roster = Annotated[str | None, typer.Option("--reps", help="The salespeople.")]
Within = Annotated[
    float | None,
    options.positive_option(
        "--within-days", help="The time that a lead has to convert; default: that of 90 % of the wins."
    ),
]
Tolerance = Annotated[
    float,
    typer.Option("--tolerance", min=0.0, max=1.0, help="By how much conversions and revenue may be off."),
]
Out = Annotated[Path | None, options.out_option(help="Folder for monitor.json.")]


def monitor_command(
    assignments: Plans,
    history: Became,
    model: Scores = None,
    reps: Roster = None,
    mapping: options.MappingFile = None,
    at: options.KnownAt = None,
    within_days: Within = None,
    tolerance: Tolerance = 0.1,
    out_folder: Out = None,
    as_json: options.AsJson = False,
) -> int:
    """See whether a model in use holds what it promised.

    Compares what became of assigned leads with what was expected; each alarm names what to do. Ends 0 with alarms.

    Example:

    apportion monitor --assignments today --history history.csv
    """
    if out_folder is not None:
        check_folder(out_folder)
    report = monitor_plans(
        MonitorRequest(
            assignments=assignments_of(assignments),
            history=history,
            model=model,
            reps=reps,
            mapping=mapping,
            at=at,
            within_days=within_days,
            tolerance=tolerance,
        )
    )
    document = report.document()
    written = [] if out_folder is None else write_files(out_folder, {"monitor.json": json_bytes(document)})
    if as_json:
        show_json(document)
        return 0
    for sentence in report.sentences():
        tell(sentence)
    if written:
        tell("Written: " + ", ".join(map(str, written)))
    return 0
