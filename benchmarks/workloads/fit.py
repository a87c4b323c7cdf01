"""Decision quality: how much of what a perfect plan would gain is gained by plans on each model's estimates.

On worlds with a known truth, 900 leads for 60 reps. *Captured*: the gain over dealing blindly, as a share of the gain
of the plan that knows the truth. *Optimism*: what the model says of its own plan, over what the plan is worth, minus 1.
*Claimed*: what may be claimed for the plan, in worlds where reps are identical and nothing is to be gained. Intervals
are 90 %, over the seeds.

    python -m benchmarks.workloads.fit --out out/                # the full benchmark, with plots: hours
    python -m benchmarks.workloads.fit --quick --out out/        # two seeds, a thousand rows: minutes
    python -m benchmarks.workloads.fit --only "known form 5000" --alone
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from apportion import AssignmentProblem, solve
from apportion_models import FitModel
from apportion_models.validation.decision import claimed_uplift, cross_fitted_uplift
from benchmarks.workloads import fit_plots
from benchmarks.workloads.fit_rivals import RIVALS, Rival
from benchmarks.workloads.fit_worlds import AT, World, WorldSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BATCH = 900
GAP = 2e-4
OURS = "FitModel"
TUNED = ("boosting on pairs, tuned + sigmoid", "logistic with interactions")
WORLDS = {"known form": WorldSpec(), "unknown form": WorldSpec(odd=True)}
ALIKE = {
    "identical reps, dealt at random": WorldSpec(strength=0.0, at_random=True),
    "identical reps, confounded": WorldSpec(strength=0.0),
}
SIZES = ((1_000, 10), (5_000, 10), (20_000, 10), (100_000, 3))  # rows of history, and seeds at full scale
QUICK = 0.01
LARGE = 100_000  # rows from which only the best rivals are run
NULL_SIZES = ((5_000, 10), (20_000, 10))


class Batch:
    """One world, its history, and the leads to be planned."""

    def __init__(self, spec: WorldSpec, seed: int, rows: int) -> None:
        self.world = World(spec, seed)
        self.history, self.reps = self.world.history(rows), self.world.reps()
        rng = np.random.default_rng(seed + 999)
        leads = self.world.leads(BATCH, rng)
        self.capacity = self.world.capacity(BATCH, rng)
        self.value, self.leads = leads["value"], self.world.table(leads)
        self.truth = self.world.truth(leads) * self.value[:, None]
        self.share = self.capacity / self.capacity.sum()
        self.blind = float((self.truth @ self.share).sum())

    def plan(self, revenue: Floats) -> Ints:
        """(L,) the best rep of each lead together."""
        problem = AssignmentProblem.from_arrays(revenue, capacity=self.capacity.astype(float), must_assign=True)
        return np.asarray(solve(problem, gap=GAP, seed=0).rep, dtype=np.int64)

    def worth(self, rep: Ints) -> float:
        """What the plan is truly worth."""
        return float(self.truth[np.arange(BATCH), rep].sum())

    def judge(self, chance: Floats) -> dict[str, float]:
        """Captured, optimism and uplift of the plan that these estimates lead to."""
        revenue = chance * self.value[:, None]
        rep = self.plan(revenue)
        worth, best = self.worth(rep), self.worth(self.plan(self.truth))
        said = float(revenue[np.arange(BATCH), rep].sum())
        return {
            "captured": (worth - self.blind) / (best - self.blind) if best > 1.001 * self.blind else float("nan"),
            "optimism": said / worth - 1.0,
            "uplift": worth / self.blind - 1.0,
            "best_uplift": best / self.blind - 1.0,
        }


def ours(history: Any, reps: Any, leads: Any, at: Any) -> Floats:
    """FitModel as it comes."""
    chance = FitModel().fit(history, reps).predict_fit(leads, reps, at=at)
    return np.asarray(chance, dtype=np.float64)


def quality(spec: WorldSpec, rows: int, seed: int, models: dict[str, Rival]) -> dict[str, dict[str, float]]:
    """Per model: what its plan captures in one world."""
    batch = Batch(spec, seed, rows)
    out = {}
    for name, model in models.items():
        start = time.process_time()
        chance = model(batch.history, batch.reps, batch.leads, AT)
        out[name] = {"cpu_seconds": time.process_time() - start, **batch.judge(chance)}
    return out


def claims(spec: WorldSpec, rows: int, seed: int) -> dict[str, dict[str, float]]:
    """What is claimed where reps are identical: in sample, by halves, and by what came true before."""
    batch = Batch(spec, seed, rows)
    model = FitModel().fit(batch.history, batch.reps)
    chance = model.predict_fit(batch.leads, batch.reps, at=AT).astype(np.float64)
    rep = batch.plan(chance * batch.value[:, None])
    said = chance * batch.value[:, None]
    naive = float(said[np.arange(BATCH), rep].sum() / (said @ batch.share).sum() - 1.0)
    base, advantage = model.advantage(batch.leads, batch.reps, at=AT)
    claim = claimed_uplift(
        base=base,
        advantage=advantage,
        value=batch.value,
        rep=rep,
        share=batch.share,
        realised=model.evidence_.realised,
    )
    half = np.random.default_rng(seed + 1000).random(rows) < 0.5
    both = [
        FitModel(level=model.level_, boosted=model.scorer_.boosted is not None)
        .fit(batch.history[part], batch.reps)
        .predict_fit(batch.leads, batch.reps, at=AT)
        .astype(np.float64)
        * batch.value[:, None]
        for part in (half, ~half)
    ]
    crossed = [cross_fitted_uplift(a, b, batch.plan(a), batch.share)[1] for a, b in (both, both[::-1])]
    return {
        "in sample": {"claimed": naive},
        "cross-fitted by halves": {"claimed": float(np.mean(crossed))},
        "by what came true": {
            "estimated": claim.uplift,
            "claimed": claim.claimed,
            "low": claim.low,
            "high": claim.high,
            "covers_0": float(claim.has_zero),
        },
    }


def summarised(found: list[dict[str, dict[str, float]]], **what: object) -> Iterator[dict[str, Any]]:
    """One row a model and measure: mean over the seeds with a 90 % interval."""
    for model in found[0]:
        for measure in found[0][model]:
            values = np.array([one[model][measure] for one in found])
            if not np.isfinite(values).all():
                continue
            count = values.size
            half = student.ppf(0.95, count - 1) * values.std(ddof=1) / np.sqrt(count) if count > 1 else float("nan")
            mean = float(values.mean())
            yield {
                "workload": "fit",
                **what,
                "model": model,
                "measure": measure,
                "mean": round(mean, 4),
                "low": round(mean - half, 4),
                "high": round(mean + half, 4),
                "seeds": count,
            }


def run(
    scale: float = 1.0,
    *,
    tell: Callable[[dict[str, Any]], None] = lambda _: None,
    only: str = "",
    rivals: bool = True,
) -> list[dict[str, Any]]:
    """All rows. `scale` 1 is the full benchmark; less means fewer seeds and no history beyond 100,000 × scale rows.

    `only` keeps the one part of that world and number of rows, as in "known form 5000"; `tell` is handed each row as it
    comes; without `rivals` FitModel stands alone.
    """
    rows: list[dict[str, Any]] = []

    def take(found: list[dict[str, dict[str, float]]], **what: object) -> None:
        for row in summarised(found, **what):
            rows.append(row)
            tell(row)

    def seeds(full: int) -> range:
        return range(max(2, round(full * min(1.0, scale))))

    most = max(1_000.0, 100_000 * scale)
    with threadpool_limits(limits=1):
        for world, spec in WORLDS.items():
            models: dict[str, Rival] = {OURS: ours, **(RIVALS if rivals else {})}
            few = {name: model for name, model in models.items() if name in (OURS, *TUNED)}
            for size, full in SIZES:
                if size <= most and only in ("", f"{world} {size}"):
                    asked = few if spec.odd or size >= LARGE else models
                    take([quality(spec, size, seed, asked) for seed in seeds(full)], world=world, rows=size)
        for world, spec in ALIKE.items():
            for size, full in NULL_SIZES:
                if size <= most and only in ("", f"{world} {size}"):
                    take([claims(spec, size, seed) for seed in seeds(full)], world=world, rows=size)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Print each row as JSON as it comes; with --out, keep them in rows.jsonl, with plots.html beside it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workloads.fit", description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1 is all of it; less: fewer seeds, smaller histories")
    parser.add_argument("--quick", action="store_true", help="two seeds of a thousand rows")
    parser.add_argument("--only", default="", help='one world and number of rows, as in "known form 5000"')
    parser.add_argument("--alone", action="store_true", help="without the rivals")
    parser.add_argument("--out", type=Path, help="folder for rows.jsonl and plots.html")
    asked = parser.parse_args(arguments)
    rows = run(
        QUICK if asked.quick else asked.scale,
        tell=lambda row: print(json.dumps(row), flush=True),
        only=asked.only,
        rivals=not asked.alone,
    )
    if asked.out is not None:
        asked.out.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (asked.out / "rows.jsonl").write_text(text, encoding="utf-8")
        print(fit_plots.write(rows, asked.out))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
