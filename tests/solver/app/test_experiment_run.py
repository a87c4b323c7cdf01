"""Whole experiments as a company would run them: real plans by real models, in a world whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apportion.app import Sources
from apportion.app.experiment import (
    ArmsRequest,
    PlanRequest,
    StatusReport,
    assign_arms,
    experiment_status,
    start_experiment,
)
from apportion_models import FitModel, save_model
from apportion_models.synthetic import World

WINDOWS, LEADS = 14, 60
FILE = """version: 1
name: run
arms:
  - {name: in turn, policy: policy.yaml, router: round_robin}
  - {name: joint, policy: policy.yaml}
design: {kind: KIND, window_days: 7}
metric: {within_days: 60}
horizon_blocks: BLOCKS
guardrails: [{kind: load, limit: 1}]
"""


def ran(world: World, folder: Path, kind: str) -> StatusReport:
    """Run the whole experiment: a batch a week, outcomes by the world's truth, a look at the end."""
    past, reps = world.history(3000), world.reps()
    model = save_model(FitModel(level="rep x segment").fit(past, reps), folder / "model")
    (folder / "policy.yaml").write_text("version: 1\nequity: []\nsolve: {gap: 0.03, time_limit: 20}\n")
    (folder / "experiment.yaml").write_text(
        FILE.replace("KIND", kind).replace("BLOCKS", str(WINDOWS // (1 if kind == "capacity_split" else 2)))
    )
    start = world.at.floor("D")
    request = PlanRequest(folder / "experiment.yaml", Sources(history=past, reps=reps))
    start_experiment(request, start=start, folder=folder / "run")
    rng, rows = np.random.default_rng(1), []
    for window in range(WINDOWS):
        at = start + pd.Timedelta(days=7 * window + 6)
        leads = world.leads(LEADS, draw=window).assign(created_at=at - pd.Timedelta(days=1), deal_value=1000.0)
        sources = Sources(leads=leads, reps=reps)
        report = assign_arms(ArmsRequest(folder / "run", sources, model=model, at=at))
        report.write(folder / "batch")
        given = report.assignments
        truth = world.true_fit(leads, reps, at=at)
        place = pd.Index(reps["rep_id"]).get_indexer(pd.Index(given["rep_id"]))
        chance = np.where(place >= 0, truth[np.arange(LEADS), np.maximum(place, 0)], 0.0)
        won = rng.random(LEADS) < chance
        rows.append(
            pd.DataFrame(
                {
                    "lead_id": given["lead_id"],
                    "rep_id": given["rep_id"],
                    "assigned_at": at,
                    "outcome": np.where(won, "won", "lost"),
                    "closed_at": at + pd.to_timedelta(rng.uniform(1, 50, LEADS), unit="D"),
                    "deal_value": np.where(won, 1000.0, np.nan),
                }
            ).loc[place >= 0]
        )
    history = pd.concat([past, *rows], ignore_index=True)
    end = start + pd.Timedelta(days=7 * WINDOWS + 61)
    return experiment_status(folder / "run", Sources(history=history), at=end)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["capacity_split", "switchback"])
def test_the_optimiser_is_found_better_where_reps_differ(kind: str, tmp_path: Path) -> None:
    """Reps who differ much: joint planning converts far more than turns, and the experiment says so."""
    report = ran(World(seed=5, n_reps=10, n_new=1, n_unseen=0, strength=4.0, exploration=1.0), tmp_path, kind)
    one = report.look.comparisons[0]
    assert not report.look.broken and report.look.complete == report.look.horizon
    assert one.main is not None and one.main.adjusted and sum(one.main.leads) == WINDOWS * LEADS
    assert one.main.estimate > 0.03 and one.state == "better" and report.look.winner == "joint"
    assert one.guardrails[0].kept is True


@pytest.mark.slow
def test_nothing_is_claimed_where_reps_are_alike(tmp_path: Path) -> None:
    """Identical reps: no winner."""
    report = ran(World(seed=6, n_reps=10, n_new=1, n_unseen=0, strength=0.0), tmp_path, "capacity_split")
    assert not report.look.broken and report.look.winner is None
