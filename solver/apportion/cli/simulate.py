"""`apportion simulate`."""

from __future__ import annotations

from typing import Annotated

import typer

from apportion.app.replay import SimulateRequest, simulate_weeks
from apportion.cli import options
from apportion.cli.over_time import Batches, Retrain, Routers, Whole, run_over_time
from apportion.connectors import check_folder
from apportion.whatif.replay import SimulateHow

Weeks = Annotated[int, typer.Option("--weeks", min=1, max=260, help="Weeks of arrivals.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the world, its leads and their luck.")]
People = Annotated[int, typer.Option("--reps", min=2, max=1000, help="Reps in the simulated company.")]
New = Annotated[int, typer.Option("--new", min=0, help="Of them, how many started in the last 90 days.")]
PerWeek = Annotated[int | None, typer.Option("--leads-per-week", min=1, help="Arrivals; default: 7 a rep.")]
PastLeads = Annotated[int, typer.Option("--past", min=50, help="Leads of the year before, to learn from.")]
Strength = Annotated[float, typer.Option("--strength", min=0.0, help="How much reps differ in truth; 0: not at all.")]
Explore = Annotated[float, typer.Option("--exploration", min=0.0, max=1.0, help="Share of past leads dealt at random.")]
NoTruth = Annotated[bool, typer.Option("--no-truth", help="Leave out the policy that knows the true values.")]
Frozen = Annotated[bool, typer.Option("--frozen", help="Also the policy with its first model for ever.")]


def simulate_command(
    out_folder: options.Out,
    policy: options.PolicyFile = None,
    weeks: Weeks = SimulateHow.weeks,
    seed: Seed = 0,
    reps: People = 20,
    new: New = 4,
    leads_per_week: PerWeek = None,
    past: PastLeads = 3000,
    strength: Strength = 1.0,
    exploration: Explore = 0.0,
    batches: Batches = SimulateHow.batches,
    retrain: Retrain = 28.0,
    router: Routers = None,
    no_truth: NoTruth = False,
    frozen: Frozen = False,
    whole_capacity: Whole = False,
    gap: options.Gap = None,
    time_limit: options.TimeLimit = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Simulate weeks to come in a made-up company whose truth is known; files as of `replay`, and simulation.html."""
    check_folder(out_folder)
    how = SimulateHow(
        weeks=weeks,
        seed=seed,
        reps=reps,
        new=new,
        leads_per_week=leads_per_week,
        past=past,
        strength=strength,
        exploration=exploration,
        batches=batches,
        retrain=retrain,
        routers=router,
        truth=not no_truth,
        frozen=frozen,
        carry=not whole_capacity,
        gap=gap,
        time_limit=time_limit,
    )
    request = SimulateRequest(policy=policy, how=how)
    return run_over_time(
        lambda step, count: simulate_weeks(request, step=step, on_step=count), out_folder, as_json=as_json, quiet=quiet
    )
