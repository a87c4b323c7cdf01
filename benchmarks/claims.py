"""What `evaluate` claims for a plan, against what the plan is worth: error and coverage over worlds of known truth.

The procedure is that of `evaluate` itself: halves, a model of each, plans, what came true in the other half, intervals.
Only the gate is left out (the level is given), which takes nine tenths of the time and has no part in the intervals.

    python -m benchmarks.claims 200 2500          # worlds of each kind, past leads
    python -m benchmarks.claims 60 2500 bare      # leads without deal values of their own
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from apportion.app.evaluate import Interval, PlanValue
from apportion.app.evaluate.compare import compare
from apportion.app.evaluate.crossfit import Side, plan_side
from apportion.app.evaluate.halves import split_history
from apportion.app.evaluate.judge import Judge, judges_of
from apportion.app.evaluate.past import Past
from apportion.app.evaluate.question import pose_question
from apportion.app.evaluate.values import DealValues
from apportion.app.sources import Sources, read_sources
from apportion.policy import load_policy
from apportion.whatif import BASELINES
from apportion_models import FitModel
from apportion_models.deal_value import DealValue
from apportion_models.fit.columns import choose_columns
from apportion_models.fit.history import read_cases
from apportion_models.fit.training import Settings, Training
from apportion_models.policy_value import calibrate
from apportion_models.synthetic import World
from apportion_models.validation.homogeneity import rate_table

PLAIN = "version: 1\nname: plain\nequity: []\n"
BATCH = 150
RING = tuple(one for one in BASELINES if one.name == "round_robin")
STRENGTHS = {"identical reps": 0.0, "reps differ": 1.0}


class Ungated(FitModel):
    """FitModel at the level that it is given, without the trial out of time: the same scorer, some ten times faster."""

    def _fit(self, history: pd.DataFrame, reps: pd.DataFrame, until: Any) -> FitModel:
        cases, _ = read_cases(history, until=until)
        asked: dict[str, Any] = {"override": {}, "declared": self.protected, "seed": self.random_state}
        chosen = choose_columns(cases, reps, columns=self.columns, rep_columns=self.rep_columns, **asked)
        settings = Settings(reps=chosen.reps, columns=chosen.lead, rep_columns=chosen.rep, unseen=self.unseen)
        won = (cases.outcome == 1).astype(np.float64)
        self.level_ = self.level
        self.scorer_ = Training.of(cases, settings).with_waiting(self.level)
        self.deal_value_ = DealValue.learn(cases.frame, chosen.lead, cases.value, cases.estimate)
        self.evidence_: Any = SimpleNamespace(rates=rate_table(cases.rep_id, won, cases.resolved))
        return self


@dataclass(frozen=True)
class Claimed:
    """value : what is said of the plan. naive : the same where the values of the model that plans are taken as they
    stand. truth : the plan's true uplift over round robin. uplift, blunt : the two claims of it."""

    value: PlanValue
    naive: PlanValue
    truth: float

    @property
    def uplift(self) -> Interval:
        """As it is claimed."""
        return _uplift(self.value)

    @property
    def blunt(self) -> Interval:
        """By the planning model's own deal values."""
        return _uplift(self.naive)


def small_world(seed: int, strength: float) -> World:
    """Ten reps, two of them new and one unseen; past leads dealt at random, so that nothing is confounded."""
    return World(seed=seed, n_reps=10, n_new=2, n_unseen=1, strength=strength, exploration=1.0)


def cross_fitted(
    world: World, policy: Path, *, rows: int = 2500, level: str = "rep", leads: pd.DataFrame | None = None
) -> Claimed:
    """What is claimed for the plan of a batch (150 leads of the world, unless given), and its true uplift."""
    batch = world.leads(BATCH) if leads is None else leads
    read = read_sources(Sources(leads=batch, reps=world.reps(), history=world.history(rows)))
    question, rules = pose_question(read, world.at), load_policy(policy)
    assert read.history is not None
    halves = split_history(read.history, seed=world.seed)
    parts, reps = (halves.first, halves.second), read.tables.reps
    one, two = (Ungated(level=level).fit(half, reps, until=world.at) for half in parts)
    sides = (
        plan_side(one, question, rules, seed=0, routers=RING),
        plan_side(two, question, rules, seed=0, routers=RING),
    )
    found = calibrate(Past.of((one, two), parts, reps, world.at, halves.drawn_by).as_dealt)
    judges = judges_of(sides, found, world.at, seed=0)
    blunt = (_blunt(judges[0]), _blunt(judges[1]))
    truth = world.true_revenue(read.tables.leads, reps, at=world.at)
    plan, ring = (sum(_earned(side, place, truth) for side in sides) for place in (0, 1))
    return Claimed(
        compare(sides, judges, seed=0, drawn_by=halves.drawn_by),
        compare(sides, blunt, seed=0, drawn_by=halves.drawn_by),
        plan / ring - 1.0,
    )


def _blunt(judge: Judge) -> Judge:
    """The judge with the deal values that the plan was made with."""
    known = judge.side.batch.deal_value
    shape = judge.deals.drawn.shape
    return replace(judge, deals=DealValues(np.full(known.size, np.nan), known, np.broadcast_to(known, shape)))


def _earned(side: Side, place: int, truth: np.ndarray[Any, Any]) -> float:
    rep = side.choices[place].rep
    return float(truth[side.batch.rows[rep >= 0], rep[rep >= 0]].sum())


def _uplift(value: PlanValue) -> Interval:
    found = value.against("round_robin").uplift
    assert found is not None
    return found


def summarised(claims: list[Claimed], **what: object) -> Iterator[dict[str, object]]:
    """One row for each way of valuing: mean claim and truth, mean error with its standard error, and coverage."""
    for name in ("blunt", "uplift"):
        found = [getattr(one, name) for one in claims]
        error = np.array([said.value - one.truth for said, one in zip(found, claims, strict=True)])
        low = np.mean([said.low > one.truth for said, one in zip(found, claims, strict=True)])
        high = np.mean([said.high < one.truth for said, one in zip(found, claims, strict=True)])
        yield {
            **what,
            "deal values": "by the half that did not plan" if name == "uplift" else "as the plan has them",
            "worlds": len(claims),
            "truth": round(float(np.mean([one.truth for one in claims])), 4),
            "claimed": round(float(np.mean([said.value for said in found])), 4),
            "error": round(float(error.mean()), 4),
            "standard error": round(float(error.std(ddof=1) / np.sqrt(error.size)), 4),
            "held": round(1.0 - float(low + high), 4),
            "above the truth": round(float(low), 4),
            "half width": round(float(np.mean([said.high - said.low for said in found])) / 2, 4),
        }


def main(worlds: int, rows: int, *, stated: bool = True) -> None:
    """Print the rows of both kinds of worlds as JSON. stated : whether leads come with deal values of their own."""
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(limits=1):
        policy = Path(folder) / "policy.yaml"
        policy.write_text(PLAIN)
        for name, strength in STRENGTHS.items():
            start = time.process_time()
            claims = []
            for seed in range(worlds):
                world = small_world(seed, strength)
                leads = world.leads(BATCH) if stated else world.leads(BATCH).drop(columns="deal_value")
                claims.append(cross_fitted(world, policy, rows=rows, level="rep x segment", leads=leads))
            for row in summarised(claims, world=name, rows=rows, stated=stated):
                print(json.dumps({**row, "cpu": round(time.process_time() - start)}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(int(sys.argv[1]), int(sys.argv[2]), stated="bare" not in sys.argv[3:])
