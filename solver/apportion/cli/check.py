"""`apportion verify`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from apportion.app import AssignRequest, check
from apportion.app.check import other_inputs_words
from apportion.cli import options
from apportion.cli.screen import out, show_json, steps, table
from apportion_models.errors import Finding, InputError

Folder = Annotated[Path, typer.Argument(help="The folder that `apportion assign` wrote.")]


def verify_command(
    folder: Folder,
    leads: options.Leads,
    reps: options.Reps,
    history: options.History = None,
    model: options.Model = None,
    policy: options.PolicyFile = None,
    mapping: options.MappingFile = None,
    accounts: options.Accounts = None,
    teams: options.Teams = None,
    territories: options.Territories = None,
    calendar: options.Calendar = None,
    overrides: options.Overrides = None,
    earlier: options.Earlier = None,
    at: options.At = None,
    seed: options.Seed = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Check a written plan from the inputs it was made from: every rule, the objective and the bound."""
    tables = options.sources(
        leads=leads,
        reps=reps,
        history=history,
        accounts=accounts,
        teams=teams,
        territories=territories,
        calendar=calendar,
        overrides=overrides,
        earlier=earlier,
        mapping=mapping,
    )
    request = AssignRequest(sources=tables, policy=policy, model=model, at=options.moment(at), seed=seed)
    with steps(quiet) as progress:
        progress.step("Posing the batch again")
        report = check(folder, request)
    rows = [
        {
            "rule": rule.rule,
            "holds": bool(rule.holds),
            "violation": float(rule.violation) if math.isfinite(rule.violation) else None,
            "where": rule.where,
        }
        for rule in report.verdict.rules
    ]
    if as_json:
        show_json(
            {
                "ok": report.verdict.ok and not report.edited,
                "same_inputs": report.same_inputs,
                "other_inputs": list(report.other_inputs),
                "edited": [str(finding) for finding in report.edited],
                "rules": rows,
            }
        )
    else:
        shown = table("rule", "holds", "broken by", "at", right=4)
        for rule in report.verdict.rules:
            broken = "" if rule.holds else f"{rule.violation:g}"
            shown.add_row(
                escape(rule.rule), "yes" if rule.holds else "NO", broken, "" if rule.holds else escape(rule.where)
            )
        out().print(shown)
    faults = list(report.edited)
    if not report.same_inputs:
        faults.append(_whole(other_inputs_words(report.other_inputs)))
    elif not report.verdict.ok:  # on other inputs no plan can be expected to hold
        faults.append(_whole(f"The plan does not hold: {report.verdict}."))
    if faults:
        raise InputError(faults)
    return 0


def _whole(message: str) -> Finding:
    return Finding(severity="error", table="plan", message=message)
