"""`apportion replay`."""

from __future__ import annotations

from typing import Annotated

import typer

from apportion.app.replay import ReplayRequest, replay_past
from apportion.cli import options
from apportion.cli.over_time import Batches, Retrain, Routers, Whole, run_over_time
from apportion.connectors import check_folder
from apportion.whatif.replay import ReplayHow

HistoryTable = Annotated[str, typer.Option("--history", help="Past leads: who worked them, when, and how they ended.")]
LeadsTable = Annotated[
    str | None, typer.Option("--leads", help="Further arrivals, or more of what was known of past ones.")
]
From = Annotated[
    str | None, typer.Option("--from", help="First arrival (ISO 8601); default: twelve weeks before --until.")
]
To = Annotated[str | None, typer.Option("--until", help="End of the arrivals (ISO 8601); default: after the last.")]


def replay_command(
    history: HistoryTable,
    reps: options.Reps,
    out_folder: options.Out,
    leads: LeadsTable = None,
    policy: options.PolicyFile = None,
    mapping: options.MappingFile = None,
    accounts: options.Accounts = None,
    teams: options.Teams = None,
    territories: options.Territories = None,
    calendar: options.Calendar = None,
    earlier: options.Earlier = None,
    since: From = None,
    until: To = None,
    batches: Batches = "daily",
    retrain: Retrain = 28.0,
    router: Routers = None,
    whole_capacity: Whole = False,
    gap: options.Gap = None,
    time_limit: options.TimeLimit = None,
    seed: options.Seed = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Replay past batches under a policy; write decisions, batches, cohorts and reps (CSV), replay.html and .json."""
    check_folder(out_folder)
    request = ReplayRequest(
        sources=options.sources(
            leads=leads,
            reps=reps,
            history=history,
            accounts=accounts,
            teams=teams,
            territories=territories,
            calendar=calendar,
            earlier=earlier,
            mapping=mapping,
        ),
        policy=policy,
        how=ReplayHow(
            since=options.moment(since),
            until=options.moment(until),
            batches=batches,
            retrain=retrain,
            routers=router,
            carry=not whole_capacity,
            gap=gap,
            time_limit=time_limit,
            seed=seed,
        ),
    )
    return run_over_time(
        lambda step, count: replay_past(request, step=step, on_step=count), out_folder, as_json=as_json, quiet=quiet
    )
