"""What `apportion replay` and `apportion simulate` share: options, progress, and the readable summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from apportion.app.replay import RunReport
from apportion.app.replay.words import sentences
from apportion.cli import options
from apportion.cli.screen import Steps, money, out, ratio_words, show_json, steps, table, tell, tell_error
from apportion.connectors import check_folder
from apportion.whatif.replay import ReplayHow

Batches = Annotated[
    str, typer.Option("--batches", help="daily, weekly, slots such as 'mon-fri 08:00 13:00', or five fields of cron.")
]
Retrain = Annotated[float, options.positive_option("--retrain", help="Days after which the model is fitted anew.")]
Routers = Annotated[
    list[str] | None, typer.Option("--router", help="A router to run beside: its name, all, or none; repeatable.")
]
Whole = Annotated[
    bool,
    typer.Option("--whole-capacity", help="Each batch has the whole capacity, whatever was given in the same window."),
]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """When batches run, what learns anew, and what runs beside."""

    batches: Batches = ReplayHow.batches
    retrain: Retrain = ReplayHow.retrain
    router: Routers = None
    whole_capacity: Whole = False

    def how(self) -> dict[str, Any]:
        """The same as fields of `ReplayHow` and `SimulateHow`."""
        return {
            "batches": self.batches,
            "retrain": self.retrain,
            "routers": self.router,
            "carry": not self.whole_capacity,
        }


Step = Callable[[str], None]
Count = Callable[[int, int], None]


def run_over_time(make: Callable[[Step, Count], RunReport], folder: Path, shown: options.Shown) -> int:
    """Run, write, show; 5 where a time limit cut a solve short, else 0. Nothing is written before the end."""
    check_folder(folder)
    with steps(shown.quiet) as progress:
        report = make(progress.step, lambda done, of: _told(progress, done, of))
        progress.step("Writing")
        written = report.write(folder)
    if shown.as_json:
        show_json(report.document())
    else:
        show(report, written)
    if report.run.at_limit:
        tell_error("A solve was stopped by its time limit: the same command may give another plan. Raise --time-limit.")
        return 5
    return 0


def _told(progress: Steps, done: int, of: int) -> None:
    progress.step(f"Batch {done} of {of}")


def show(report: RunReport, written: list[Path]) -> None:
    """The readable summary."""
    run, currency = report.run, report.run.stage.policy.currency
    rows = table(
        "way of assigning",
        "worth",
        "placed",
        "worst-off offer",
        "capacity used",
        "open leads",
        "hours to lead",
        title="Over the whole time",
    )
    for row in run.measured.totals.to_dict(orient="records"):
        rows.add_row(
            escape(run.titles[row["track"]]),
            money(row["worth"], currency),
            f"{row['placed']:,}",
            ratio_words(row["worst_off_share"]),
            ratio_words(row["used"]),
            f"{row['open_leads']:,.0f}",
            f"{row['hours_waited']:,.1f}",
        )
    out().print(rows)
    for sentence in sentences(run):
        tell(sentence)
    for finding in report.run.findings:
        tell(f"Note: {finding}")
    tell("\nWritten: " + ", ".join(map(str, written)))
