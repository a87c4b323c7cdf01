"""Generalised assignment instances: the public ones, and types a to e drawn the way Chu and Beasley did.

Every job (lead) goes to exactly one agent (rep) within the agents' resources, at the least cost; the value of a pair is
minus its cost. Types after P. C. Chu and J. E. Beasley, "A genetic algorithm for the generalised assignment problem",
Computers & Operations Research 24 (1997), and for type e M. Laguna, J. P. Kelly, J. L. González-Velarde and F. Glover,
"Tabu search for the multilevel generalized assignment problem", EJOR 82 (1995). a and b are easy, c tight, d and e
tight with cost and need running against each other.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.instances import Instance

Ints = NDArray[np.int64]


def shared_folder() -> Path:
    """Where the public instances are: beside the checkout, or where APPORTION_SHARED says."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    return Path(os.environ.get("APPORTION_SHARED", beside)) / "bench" / "gap"


def public_names() -> list[tuple[str, int, int]]:
    """(name, agents, jobs) of each public instance whose file is there; empty where there are none."""
    folder = shared_folder()
    table = folder / "optima.csv"
    if not table.is_file():
        return []
    with table.open(encoding="utf-8") as lines:
        listed = [(row["instance"], int(row["agents"]), int(row["jobs"])) for row in csv.DictReader(lines)]
    return [one for one in listed if (folder / one[0]).is_file()]


def public(*, name: str, seed: int) -> Instance:
    """One public instance, with its optimum where that is proved. seed : not used; the file is what it is."""
    folder = shared_folder()
    numbers = [float(word) for word in (folder / name).read_text(encoding="utf-8").split()]
    agents, jobs = int(numbers[0]), int(numbers[1])
    cost, need = np.array(numbers[2 : 2 + 2 * agents * jobs]).reshape(2, agents, jobs)
    with (folder / "optima.csv").open(encoding="utf-8") as lines:
        row = next(row for row in csv.DictReader(lines) if row["instance"] == name)
    optimum = -float(row["minimum"]) if row["minimum"] else None
    return _instance(cost.T, need.T, np.array(numbers[2 + 2 * agents * jobs :]), optimum)


def generated(*, kind: str, agents: int, jobs: int, seed: int) -> Instance:
    """One instance of type a, b, c, d or e."""
    rng = np.random.default_rng(seed)
    if kind in "abc":
        need, cost = rng.integers(5, 26, (jobs, agents)), rng.integers(10, 51, (jobs, agents))
    elif kind == "d":
        need = rng.integers(1, 101, (jobs, agents))
        cost = 111 - need + rng.integers(-10, 11, (jobs, agents))
    elif kind == "e":
        need = np.rint(1 - 10 * np.log(1 - rng.random((jobs, agents)))).astype(np.int64)
        cost = np.rint(1000 / need - 10 * rng.random((jobs, agents))).astype(np.int64)
    else:
        raise ValueError(f"kind must be one of a, b, c, d, e. Got {kind!r}.")
    if kind in "ab":
        chosen = np.argmin(cost, axis=1)
        most = np.bincount(chosen, weights=need[np.arange(jobs), chosen], minlength=agents).max()
        room = np.full(agents, (9 * jobs / agents + 0.4 * most) * (1.0 if kind == "a" else 0.7))
    else:
        room = 0.8 * need.sum(axis=0) / agents
    return _instance(cost, need, np.floor(room), None)


def _instance(cost: Any, need: Any, room: Any, optimum: float | None) -> Instance:
    return Instance(
        -np.asarray(cost, dtype=float),
        np.asarray(room, dtype=float),
        effort=np.asarray(need, dtype=float),
        must_assign=True,
        optimum=optimum,
    )
