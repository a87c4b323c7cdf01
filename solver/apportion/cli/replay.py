"""`apportion replay`."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
import typer

from apportion.app.replay import ReplayRequest, replay_past
from apportion.cli import options
from apportion.cli.groups import spelled_out
from apportion.cli.over_time import Pace, run_over_time
from apportion.whatif.replay import ReplayHow

HistoryTable = Annotated[str, typer.Option("--history", help="Past leads: who worked them, when, and how they ended.")]
LeadsTable = Annotated[
    str | None, typer.Option("--leads", help="Further arrivals, or more of what was known of past ones.")
]
From = Annotated[
    pd.Timestamp | None,
    options.moment_option("--from", help="First arrival (ISO 8601); default: twelve weeks before --until."),
]
To = Annotated[
    pd.Timestamp | None,
    options.moment_option("--until", help="End of the arrivals (ISO 8601); default: after the last."),
]


@spelled_out
def replay_command(
    history: HistoryTable,
    reps: options.Reps,
    out_folder: options.Out,
    company: options.Company,
    pace: Pace,
    pains: options.Pains,
    shown: options.Shown,
    leads: LeadsTable = None,
    policy: options.PolicyFile = None,
    earlier: options.Earlier = None,
    since: From = None,
    until: To = None,
) -> int:
    """Play past batches again, in time order, under a policy.

    With routers beside it. Writes decisions, batches, cohorts and reps (CSV), replay.html and replay.json.

    Example:

    apportion replay --history history.csv --reps reps.csv --out replayed
    """
    request = ReplayRequest(
        sources=company.sources(leads=leads, reps=reps, history=history, earlier=earlier),
        policy=policy,
        how=ReplayHow(since=since, until=until, **pace.how(), **vars(pains)),
    )
    return run_over_time(lambda step, count: replay_past(request, step=step, on_step=count), out_folder, shown)
