"""`apportion evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

from apportion.app import EvaluateRequest, evaluate
from apportion.cli import options
from apportion.cli.groups import spelled_out
from apportion.cli.screen import show_json, steps, tell

Leads = Annotated[
    str | None, typer.Option("--leads", help="The batch to plan; without it, the latest month of history.")
]
Placebo = Annotated[
    bool, typer.Option("--placebo/--no-placebo", help="Do it all once more with reps dealt at random, as a check.")
]


@spelled_out
def evaluate_command(
    history: options.History,
    reps: options.Reps,
    company: options.Company,
    pains: options.Pains,
    shown: options.Shown,
    leads: Leads = None,
    policy: options.PolicyFile = None,
    at: options.At = None,
    placebo: Placebo = True,
) -> int:
    """Measure out of sample what the model is worth.

    The fit on later leads, and the plan that it leads to by cross-fitting, beside every router.

    Example:

    apportion evaluate --history history.csv --reps reps.csv
    """
    tables = company.sources(leads=leads, reps=reps, history=history)
    request = EvaluateRequest(sources=tables, policy=policy, at=at, placebo=placebo, **vars(pains))
    with steps(shown.quiet) as progress:
        report = evaluate(request, step=progress.step)
    if shown.as_json:
        show_json(report.to_dict())
    else:
        for sentence in report.sentences():
            tell(sentence)
    return 0
