"""A sweep of 200 scenarios over 1,000 leads x 50 reps, beside solving each from cold in turn.

`run(scale)` gives one row for each way: the clock, CPU seconds of this process, scenarios a second, and how many times
the cold way's clock and CPU it saves. Both ways apply, pose, solve to the same gap and measure every scenario; the
sweep also judges each difference in 400 drawn worlds. Cold: from the tables and the model anew, without a start, one
after the other.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apportion import engines
from apportion.build import Tables
from apportion.policy import load_policy
from apportion.whatif import How, Scenario, Setting, combine, compare, load_scenario, sweep
from apportion.whatif.compare import Done
from apportion.whatif.compare.compare import BASE
from apportion.whatif.compare.outcome import measure
from apportion.whatif.compare.solving import Solved
from apportion.whatif.scenarios import apply
from apportion.whatif.setting import pose
from apportion_models import FitModel
from apportion_models.synthetic import World

LEADS, REPS, PAST, SCENARIOS = 1_000, 50, 5_000, 200
POLICY = {
    "name": "sweep",
    "territories": {
        "cover": [
            {"name": "large", "when": "company_size >= 1000", "primary": True},
            {"name": "rest", "when": True, "primary": True},
        ]
    },
    "equity": [{"name": "fair offer", "measure": "opportunity", "low": 0.7, "high": 2.5}],
    "nurture": {"value": 20},
    "solve": {"gap": 0.005, "time_limit": 60},
}
WORKERS = 2


def base(scale: float) -> Setting:
    """The company of the benchmark; `scale` of its leads."""
    world = World(seed=1, n_reps=REPS, n_new=8, n_unseen=1)
    leads, reps = round(LEADS * scale), world.reps().sort_values("rep_id").reset_index(drop=True)
    model = FitModel(random_state=0).fit(world.history(PAST), reps, until=world.at)
    reps = reps.assign(capacity=max(2.0, round(0.8 * leads / REPS)))
    tables = Tables(leads=world.leads(leads).sort_values("lead_id").reset_index(drop=True), reps=reps)
    return Setting(tables=tables, policy=load_policy(POLICY), model=model, at=world.at)


def scenarios(setting: Setting, count: int) -> list[Scenario]:
    """Floors, values of nurture, both together, a rep who leaves, a rep with more room: a fifth each."""
    ids, fifth = setting.tables.reps["rep_id"].astype(str).tolist(), max(1, count // 5)
    floors = sweep({"equity[fair offer].low": [round(0.3 + 0.6 * k / fifth, 4) for k in range(fifth)]})
    worth = sweep({"nurture.value": [25 + 5 * k for k in range(fifth)]})
    both = [combine(a, b) for a, b in zip(floors, worth[::-1], strict=True)]
    gone = [load_scenario({"name": f"without {rep}", "reps": {"leave": [rep]}}) for rep in ids[:fifth]]
    room = [
        load_scenario({"name": f"{rep} has more room", "reps": {"change": {rep: {"capacity": 30}}}})
        for rep in ids[-fifth:]
    ]
    return [*floors, *worth, *both, *gone, *room]


def swept(setting: Setting, asked: list[Scenario], store: Path | None = None) -> int:
    """Scenarios done by one sweep; with a store, by a sweep that is called off half way and then goes on."""
    how = How(sources=False, routers=False, workers=WORKERS, store=store)
    if store is not None:
        seen: list[Done] = []
        compare(setting, asked, how, cancelled=lambda: len(seen) >= len(asked) // 2, on_done=seen.append)
    return len(compare(setting, asked, how).scenarios)


def one_by_one(setting: Setting, asked: list[Scenario]) -> int:
    """Scenarios done from cold, in turn."""
    effort = How().effort(setting)
    for scenario in (Scenario(name=BASE), *asked):
        changed = apply(scenario, setting)
        batch = pose(changed)
        plan = engines.solve(batch.problem, gap=effort.gap, time_limit=effort.time_limit, seed=effort.seed)
        measure(scenario, changed, batch, Solved(batch.problem, plan, "", False), routers=False)
    return len(asked)


def run(scale: float = 1.0, *, count: int | None = None) -> list[dict[str, Any]]:
    """Measure both ways. scale : of the leads and of the number of scenarios; count : scenarios, in place of that."""
    setting = base(scale)
    asked = scenarios(setting, count or max(5, round(SCENARIOS * scale)))
    compare(setting, asked[:1], How(sources=False, routers=False))  # compile, before anything is measured
    with TemporaryDirectory() as folder:
        ways: dict[str, Callable[[], int]] = {
            "each from cold, in turn": lambda: one_by_one(setting, asked),
            "one sweep": lambda: swept(setting, asked),
            "one sweep, stopped half way and gone on with": lambda: swept(setting, asked, Path(folder)),
        }
        rows = [_timed(name, way) for name, way in ways.items()]
    cold = rows[0]
    for row in rows:
        row["faster"] = cold["seconds"] / row["seconds"]
        row["less_cpu"] = cold["cpu_seconds"] / row["cpu_seconds"]
    return rows


def _timed(name: str, way: Callable[[], int]) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    done = way()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"workload": "whatif", "way": name, "scenarios": done, "seconds": wall, "cpu_seconds": cpu}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    given = sys.argv[1:]
    for told in run(float(given[0]) if given else 1.0, count=int(given[1]) if given[1:] else None):
        print(json.dumps(told), flush=True)
