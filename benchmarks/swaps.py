"""Do swaps make later fits better? The same companies with and without them, where the truth is known.

A company of 60 reps starts from leads that its managers dealt. Then plans deal its leads for some batches, each by a
fit on all that came before; a share of the leads changes reps by a draw (`apportion.swaps`). Last, the fit on all of it
plans leads that are the same for all: how much of a perfect plan's gain does it capture? Outcomes of the same lead with
the same rep are the same with and without swaps, so that the difference is paired.

    python -m benchmarks.swaps 6              # seeds
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from apportion import AssignmentProblem, solve
from apportion.swaps import swap_some
from benchmarks.claims import Ungated
from benchmarks.workloads.fit_worlds import AT, DAYS, World, WorldSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHARES = (0.0, 0.05, 0.2)
START, BATCH, BATCHES, JUDGED = 1_500, 500, 6, 900
EVERY = 7.0  # days from batch to batch
GAP = 1e-3


@dataclass(frozen=True)
class Lived:
    """captured : share of a perfect plan's gain by the last fit. given_up : what the swaps took off the worth of the
    plans that they changed, in truth, as a share of it. moved : leads that changed reps, of those planned."""

    captured: float
    given_up: float
    moved: float


class Company:
    """One world. Everything is drawn beforehand, so that whether there are swaps changes no draw."""

    def __init__(self, seed: int, *, start: int = START, batch: int = BATCH, batches: int = BATCHES) -> None:
        self.world = World(WorldSpec(), seed)
        self.past, self.reps = self.world.history(start), self.world.reps()
        rng = np.random.default_rng(seed + 7_000)
        self.batches = [self.world.leads(batch, rng) for _ in range(batches)]
        self.luck = [rng.random((batch, self.world.spec.reps)) for _ in range(batches)]
        self.capacity = self.world.capacity(batch, rng).astype(float)
        self.judged = self.world.leads(JUDGED, rng)
        self.places = self.world.capacity(JUDGED, rng).astype(float)

    def live(self, share: float) -> Lived:
        """Batches of plans with this share of swaps, then a last fit."""
        history, lost, worth, moved = self.past, 0.0, 0.0, 0
        for number, leads in enumerate(self.batches):
            day = DAYS + 1.0 + EVERY * number
            truth = self.world.truth(leads, day) * leads["value"][:, None]
            chosen, rep = self._dealt(history, leads, day, share, salt=str(number))
            every = np.arange(rep.size)
            lost += float((truth[every, chosen] - truth[every, rep]).sum())
            worth += float(truth[every, chosen].sum())
            moved += int((rep != chosen).sum())
            history = pd.concat([history, self._became(number, leads, rep, day)], ignore_index=True)
        return Lived(self._captured(history), lost / worth, moved / sum(len(one["value"]) for one in self.batches))

    def _dealt(
        self, history: pd.DataFrame, leads: dict[str, Any], day: float, share: float, *, salt: str
    ) -> tuple[Ints, Ints]:
        """The reps of the plan, and those after the draw."""
        plan, problem = self._plan(history, leads, day, self.capacity)
        if share == 0.0:
            return plan.rep, plan.rep
        return plan.rep, swap_some(problem, plan, share=share, salt=salt, gap=1.0).rep

    def _plan(
        self, history: pd.DataFrame, leads: dict[str, Any], day: float, capacity: Floats
    ) -> tuple[Any, AssignmentProblem]:
        at = AT + pd.Timedelta(days=day - DAYS)
        model = Ungated(level="rep x segment").fit(history, self.reps)
        chance = model.predict_fit(self.world.table(leads), self.reps, at=at).astype(float)
        return self._solved(chance * leads["value"][:, None], capacity)

    def _solved(self, revenue: Floats, capacity: Floats) -> tuple[Any, AssignmentProblem]:
        problem = AssignmentProblem.from_arrays(revenue, capacity=capacity, must_assign=True)
        return solve(problem, gap=GAP, seed=0), problem

    def _became(self, number: int, leads: dict[str, Any], rep: Ints, day: float) -> pd.DataFrame:
        """The batch as history, each lead with its rep."""
        logit = self.world.lead_logit(leads) + leads["U"] + self.world.effect(leads, np.full(rep.size, day), rep)
        won = self.luck[number][np.arange(rep.size), rep] < expit(logit)
        table = self.world.table(leads, prefix=f"B{number}-")
        when = AT + pd.Timedelta(days=day - DAYS)
        table["assigned_at"] = table["closed_at"] = table["created_at"] = when
        table["rep_id"] = self.reps["rep_id"].to_numpy()[rep]
        table["outcome"] = np.where(won, "won", "lost")
        table["deal_value"] = np.where(won, leads["value"], np.nan)
        return table

    def _captured(self, history: pd.DataFrame) -> float:
        day = DAYS + 1.0 + EVERY * len(self.batches)
        truth = self.world.truth(self.judged, day) * self.judged["value"][:, None]
        every = np.arange(JUDGED)
        rep = self._plan(history, self.judged, day, self.places)[0].rep
        best = self._solved(truth, self.places)[0].rep
        blind = float((truth @ (self.places / self.places.sum())).sum())
        return (float(truth[every, rep].sum()) - blind) / (float(truth[every, best].sum()) - blind)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, and its 90 % interval."""
    array = np.array(values)
    half = student.ppf(0.95, array.size - 1) * array.std(ddof=1) / np.sqrt(array.size) if array.size > 1 else np.nan
    return float(array.mean()), float(array.mean() - half), float(array.mean() + half)


def rows(seeds: Sequence[int], *, shares: Sequence[float] = SHARES, **size: int) -> Iterator[dict[str, object]]:
    """A row for each share, the first being what the others are compared with."""
    lived: dict[float, list[Lived]] = {share: [] for share in shares}
    for seed in seeds:
        company = Company(seed, **size)
        for share in shares:
            lived[share].append(company.live(share))
    base = [one.captured for one in lived[shares[0]]]
    for share in shares:
        mine = lived[share]
        yield {
            "share": share,
            "seeds": len(mine),
            "captured": [round(x, 4) for x in interval([one.captured for one in mine])],
            "difference": [round(x, 4) for x in interval([a.captured - b for a, b in zip(mine, base, strict=True)])],
            "given up": round(float(np.mean([one.given_up for one in mine])), 5),
            "moved": round(float(np.mean([one.moved for one in mine])), 4),
        }


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with threadpool_limits(limits=1):
        for row in rows(range(int(sys.argv[1]))):
            print(json.dumps(row), flush=True)
