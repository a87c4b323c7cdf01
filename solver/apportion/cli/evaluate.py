"""`apportion evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

from apportion.app import EvaluateRequest, evaluate
from apportion.cli import options
from apportion.cli.screen import show_json, steps, tell

Leads = Annotated[
    str | None, typer.Option("--leads", help="The batch to plan; without it, the latest month of history.")
]
Placebo = Annotated[
    bool, typer.Option("--placebo/--no-placebo", help="Do it all once more with reps dealt at random, as a check.")
]


def evaluate_command(
    history: options.History,
    reps: options.Reps,
    leads: Leads = None,
    policy: options.PolicyFile = None,
    mapping: options.MappingFile = None,
    accounts: options.Accounts = None,
    territories: options.Territories = None,
    calendar: options.Calendar = None,
    at: options.At = None,
    gap: options.Gap = None,
    time_limit: options.TimeLimit = None,
    seed: options.Seed = None,
    placebo: Placebo = True,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Measure the fit on later leads, and the plan that it leads to by cross-fitting, beside every router."""
    tables = options.sources(
        leads=leads,
        reps=reps,
        history=history,
        accounts=accounts,
        territories=territories,
        calendar=calendar,
        mapping=mapping,
    )
    request = EvaluateRequest(
        sources=tables,
        policy=policy,
        at=options.moment(at),
        gap=gap,
        time_limit=time_limit,
        seed=seed,
        placebo=placebo,
    )
    with steps(quiet) as progress:
        report = evaluate(request, step=progress.step)
    if as_json:
        show_json(report.to_dict())
    else:
        for sentence in report.sentences():
            tell(sentence)
    return 0
