"""The public generalised-assignment instances gap1 to gap6: proved optima, all 30."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from apportion import AssignmentProblem, Status, solve, verify

NAMES = [f"gap{family}-{number}" for family in range(1, 7) for number in range(5)]


@pytest.fixture(scope="module")
def gap(shared: Path) -> Path:
    """The folder of the instances."""
    folder = shared / "bench" / "gap"
    if not (folder / "optima.csv").is_file():
        pytest.skip(f"no instances in {folder}")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_optimum_is_proved(gap: Path, name: str) -> None:
    """The plan costs the known optimum, its bound equals it, and it verifies."""
    with (gap / "optima.csv").open() as table:
        optimum = next(float(row["minimum"]) for row in csv.DictReader(table) if row["instance"] == name)
    numbers = [float(word) for word in (gap / name).read_text().split()]
    agents, jobs = int(numbers[0]), int(numbers[1])
    cost, need = np.array(numbers[2 : 2 + 2 * agents * jobs]).reshape(2, agents, jobs)
    problem = AssignmentProblem.from_arrays(
        -cost.T, capacity=numbers[2 + 2 * agents * jobs :], effort=need.T, must_assign=True
    )
    plan = solve(problem, gap=0)
    assert plan.status is Status.OPTIMAL
    assert -plan.objective == optimum
    assert -plan.bound == optimum
    assert verify(problem, plan)
