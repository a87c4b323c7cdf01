"""`apportion verify`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from apportion.app import AssignRequest, check
from apportion.app.check import CheckReport, other_inputs_words
from apportion.cli import options
from apportion.cli.groups import spelled_out
from apportion.cli.screen import out, show_json, steps, table
from apportion_models.errors import Finding, InputError

Folder = Annotated[Path, typer.Argument(help="The folder that `apportion assign` wrote.")]


@spelled_out
def verify_command(
    folder: Folder,
    batch: options.Batch,
    believed: options.Believed,
    shown: options.Shown,
    seed: options.Seed = None,
) -> int:
    """Check a written plan again from its inputs, without a solver.

    Every rule, the objective and the bound.

    Example:

    apportion verify today --leads leads.csv --reps reps.csv --model m
    """
    request = AssignRequest(sources=batch.sources(), at=batch.at, seed=seed, **vars(believed))
    with steps(shown.quiet) as progress:
        progress.step("Posing the batch again")
        report = check(folder, request)
    show_json(_document(report)) if shown.as_json else _show(report)
    faults = list(report.edited)
    if not report.same_inputs:
        faults.append(_whole(other_inputs_words(report.other_inputs)))
    elif not report.verdict.ok:  # on other inputs no plan can be expected to hold
        faults.append(_whole(f"The plan does not hold: {report.verdict}."))
    if faults:
        raise InputError(faults)
    return 0


def _document(report: CheckReport) -> dict[str, object]:
    return {
        "ok": report.verdict.ok and not report.edited,
        "same_inputs": report.same_inputs,
        "other_inputs": list(report.other_inputs),
        "edited": [str(finding) for finding in report.edited],
        "rules": [
            {
                "rule": rule.rule,
                "holds": bool(rule.holds),
                "violation": float(rule.violation) if math.isfinite(rule.violation) else None,
                "where": rule.where,
            }
            for rule in report.verdict.rules
        ],
    }


def _show(report: CheckReport) -> None:
    rows = table("rule", "holds", "broken by", "at", right=4)
    for rule in report.verdict.rules:
        broken, where = ("", "") if rule.holds else (f"{rule.violation:g}", escape(rule.where))
        rows.add_row(escape(rule.rule), "yes" if rule.holds else "NO", broken, where)
    out().print(rows)


def _whole(message: str) -> Finding:
    return Finding(severity="error", table="plan", message=message)
