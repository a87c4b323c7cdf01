"""Ctrl-C during branch and bound is the caller's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SEARCH = """
import os, signal, threading, time
import numpy as np
from apportion import AssignmentProblem, RevenueShare, solve
from apportion.engines import exact

signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
problem = AssignmentProblem.from_arrays(
    rng.lognormal(3, 1.5, (40, 8)), effort=rng.uniform(0.5, 2, 40), capacity=np.full(8, 4.0),
    equity=(RevenueShare(0.9, 1.1),),
)
real, took = exact.model_builder.ModelSolver.solve, []

def searched(solver, model):
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    began = time.perf_counter()
    timer.start()
    try:
        return real(solver, model)
    finally:
        timer.cancel()
        took.append(time.perf_counter() - began)

exact.model_builder.ModelSolver.solve = searched
try:
    solve(problem, gap=0.0, time_limit=4.0)
    print("went on", took)
except KeyboardInterrupt:
    print("interrupted in the search" if took[-1] > 0.2 else "too soon to tell")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_is_not_swallowed_by_the_search() -> None:
    """A search that is in the midst of branch and bound when Ctrl-C comes ends in KeyboardInterrupt."""
    path = os.pathsep.join([str(ROOT / "solver"), str(ROOT / "models")])
    done = subprocess.run(
        [sys.executable, "-c", SEARCH],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "interrupted in the search", done.stdout + done.stderr
