"""`apportion simulate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from apportion.app.replay import SimulateRequest, simulate_weeks
from apportion.cli import options
from apportion.cli.groups import spelled_out
from apportion.cli.over_time import Batches, Pace, run_over_time
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


@dataclass(frozen=True, kw_only=True)
class World:
    """The simulated company."""

    weeks: Weeks = SimulateHow.weeks
    seed: Seed = SimulateHow.seed
    reps: People = SimulateHow.reps
    new: New = SimulateHow.new
    leads_per_week: PerWeek = None
    past: PastLeads = SimulateHow.past
    strength: Strength = SimulateHow.strength
    exploration: Explore = SimulateHow.exploration


@dataclass(frozen=True, kw_only=True)
class WorldPace(Pace):
    """The same, with fewer batches by default."""

    batches: Batches = SimulateHow.batches


@spelled_out
def simulate_command(
    out_folder: options.Out,
    world: World,
    pace: WorldPace,
    shown: options.Shown,
    policy: options.PolicyFile = None,
    no_truth: NoTruth = False,
    frozen: Frozen = False,
    gap: options.Gap = None,
    time_limit: options.TimeLimit = None,
) -> int:
    """Simulate weeks to come in a company whose truth is known.

    With routers beside it. Writes the files of `replay`, and simulation.html.

    Example:

    apportion simulate --policy policy.yaml --weeks 8 --out simulated
    """
    how = SimulateHow(**vars(world), **pace.how(), truth=not no_truth, frozen=frozen, gap=gap, time_limit=time_limit)
    request = SimulateRequest(policy=policy, how=how)
    return run_over_time(lambda step, count: simulate_weeks(request, step=step, on_step=count), out_folder, shown)
