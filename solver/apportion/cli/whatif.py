"""`apportion whatif`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
import yaml
from rich.markup import escape
from rich.table import Table

from apportion.app.whatif import WhatIfReport, WhatIfRequest, whatif
from apportion.cli import options
from apportion.cli.groups import spelled_out
from apportion.cli.screen import Steps, money, out, ratio_words, show_json, steps, table, tell, tell_error
from apportion.connectors import check_folder
from apportion.whatif import How
from apportion.whatif.compare import VERDICTS, Done
from apportion.whatif.scenarios import scenario_json_schema
from apportion_models.errors import UsageError

PLANS = "plans"  # in the output folder: finished plans, so that a sweep goes on where it was

Scenarios = Annotated[list[Path] | None, typer.Argument(help="Scenario files (YAML).")]
Folder = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the results.")]
Grid = Annotated[
    list[str] | None,
    typer.Option("--grid", help="A key path of the policy and its values: nurture.value=0,15,50; repeatable: a sweep."),
]
Together = Annotated[bool, typer.Option("--together", help="Also all the scenarios combined, as one more.")]
Frontier = Annotated[bool, typer.Option("--frontier", help="Revenue against equity: tighten a floor step by step.")]
Rule = Annotated[str | None, typer.Option("--rule", help="The equity rule of the frontier; default: the first.")]
Capacity = Annotated[bool, typer.Option("--capacity", help="Revenue against capacity.")]
Marginal = Annotated[bool, typer.Option("--marginal", help="One more slot and one more rep, by territory.")]
Doubt = Annotated[bool, typer.Option("--sensitivity", help="What it costs if the fit is wrong.")]
Draws = Annotated[int, typer.Option("--draws", min=20, max=20000, help="Draws of each interval.")]
NoSources = Annotated[bool, typer.Option("--no-sources", help="Do not tell where gains come from: fewer solves.")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="Threads; the number changes no result.")]
Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of scenario files, and stop.")]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Beside the scenario files: sweeps and studies."""

    grid: Grid = None
    together: Together = False
    frontier: Frontier = False
    rule: Rule = None
    capacity: Capacity = False
    marginal: Marginal = False
    doubt: Doubt = False

    def studies(self) -> list[str]:
        """Which of `apportion.app.whatif.KINDS`."""
        wanted = {
            "equity": self.frontier or self.rule is not None,
            "capacity": self.capacity,
            "marginal": self.marginal,
            "sensitivity": self.doubt,
        }
        return [kind for kind, asked in wanted.items() if asked]


@dataclass(frozen=True, kw_only=True)
class Pains(options.Pains):
    """How exactly, how long, how surely."""

    draws: Draws = 400
    no_sources: NoSources = False
    workers: Workers = 2

    def how(self, folder: Path) -> How:
        """The same, with the folder of finished plans."""
        return How(
            gap=self.gap,
            time_limit=self.time_limit,
            seed=self.seed,
            draws=self.draws,
            sources=not self.no_sources,
            workers=self.workers,
            store=folder / PLANS,
        )


@spelled_out
def whatif_command(
    batch: options.PossibleBatch,
    believed: options.Believed,
    asked: Asked,
    pains: Pains,
    shown: options.Shown,
    scenarios: Scenarios = None,
    out_folder: Folder = None,
    schema: Schema = False,
) -> int:
    """Compare scenarios with the base, and write comparison.json, comparison.csv, moves.csv and whatif.html."""
    if schema:
        show_json(scenario_json_schema())
        return 0
    if batch.leads is None or batch.reps is None or out_folder is None:
        raise UsageError("A what-if needs --leads, --reps and --out.")
    check_folder(out_folder)
    request = WhatIfRequest(
        sources=batch.sources(),
        scenarios=scenarios or (),
        together=asked.together,
        grid=_grid(asked.grid or ()),
        studies=asked.studies(),
        frontier_rule=asked.rule,
        at=batch.moment(),
        **vars(believed),
        how=pains.how(out_folder),
    )
    return _run(request, out_folder, as_json=shown.as_json, quiet=shown.quiet)


def _run(request: WhatIfRequest, folder: Path, *, as_json: bool, quiet: bool) -> int:
    """Compare, write, show; 130 where it was called off, 5 where a time limit came before the gap, else 0."""
    with steps(quiet) as progress:
        report = whatif(request, step=progress.step, on_done=lambda done: _told(progress, done))
        progress.step("Writing")
        written = report.write(folder)
    if as_json:
        show_json(report.document())
    else:
        show(report, written)
    comparison = report.comparison
    if not report.whole:
        left = ", ".join((*comparison.unfinished, *report.undone))
        tell_error(f"Stopped. What was finished is written; the same command goes on where it was. Not done: {left}.")
        return 130
    if comparison.at_limit:
        tell_error(f"Stopped at the time limit with the gaps that are shown: {', '.join(comparison.at_limit)}.")
        return 5
    return 0


def _told(progress: Steps, done: Done) -> None:
    progress.step(f"{done.number} of {done.of} scenarios: {done.name}{' (stored)' if done.reused else ''}")


def _grid(texts: Sequence[str]) -> dict[str, list[Any]]:
    """The axes of a sweep, each key path once. UsageError where one comes twice."""
    axes = [_axis(text) for text in texts]
    twice = sorted({path for path, _ in axes if [one for one, _ in axes].count(path) > 1})
    if twice:
        raise UsageError(f"--grid must name each key path once, with all its values. Got twice: {', '.join(twice)}.")
    return dict(axes)


def _axis(text: str) -> tuple[str, list[Any]]:
    """path=value,value: each value as YAML. UsageError where it is not so."""
    path, equals, values = text.rpartition("=")
    if not equals or not path.strip() or not values.strip():
        raise UsageError(f"--grid must be a key path and its values, such as nurture.value=0,15,50. Got {text!r}.")
    try:
        return path.strip(), [yaml.safe_load(value) for value in values.split(",")]
    except yaml.YAMLError:
        raise UsageError(f"--grid must have plain values. Got {text!r}.") from None


def _marginal(report: WhatIfReport) -> Table:
    """One more slot and one more rep, each with what is proved of it."""
    currency, study = report.comparison.currency, report.studies["marginal"]
    assert isinstance(study, pd.DataFrame)
    columns = ("territory", "one more", "by prices", "proved, from", "to", "what that says")
    made = table(*columns, title=f"One more slot, one more rep, {currency}", right=2)
    for row in study.to_dict(orient="records"):
        amounts = ["–" if math.isnan(row[name]) else f"{row[name]:+,.0f}" for name in ("by_prices", "low", "high")]
        made.add_row(escape(row["territory"]), f"{row['what'].removeprefix('one more ')}", *amounts, row["meaning"])
    return made


def show(report: WhatIfReport, written: list[Path]) -> None:
    """The readable summary."""
    from apportion.app.whatif.page import sentences

    comparison, console = report.comparison, out()
    shown = table(
        "scenario",
        "expected revenue",
        "difference",
        f"{comparison.level:.0%} interval",
        "meaning",
        "placed",
        "moves",
        "worst-off offer",
        "gap",
        title="Beside the base",
    )
    for one in (comparison.base, *comparison.scenarios):
        between = comparison.differences.get(one.name)
        if not one.has_plan:
            shown.add_row(escape(one.name), "–", "–", "–", one.plan.status.value.lower(), "–", "–", "–", "–")
            continue
        change = None if between is None else between.revenue
        shown.add_row(
            escape(one.name),
            money(one.totals["revenue"], comparison.currency),
            "" if change is None else f"{change.value:+,.0f}",
            "" if change is None else f"{change.low:+,.0f} to {change.high:+,.0f}",
            "" if between is None else VERDICTS[between.verdict],
            f"{one.totals['placed']:,.0f}",
            "" if between is None else f"{between.moves:,}",
            ratio_words(one.totals["worst_off_share"]),
            f"{one.totals['gap']:.2%}",
        )
    console.print(shown)
    if "marginal" in report.studies:
        console.print(_marginal(report))
    for sentence in sentences(comparison):
        tell(sentence)
    tell("Predicted by the fit model: not proof. `apportion experiment` measures a gain.")
    tell("\nWritten: " + ", ".join(map(str, written)))
