"""Of random problems without a plan: the conflict is one, none of it can be spared, and every way out leads out."""

from __future__ import annotations

import time

import numpy as np
import pytest

from apportion.engines import solve
from apportion.problem import AssignmentProblem, OpportunityShare
from apportion.reasons.diagnose import diagnose
from apportion.reasons.diagnose.elements import read_universe
from apportion.reasons.diagnose.subproblem import hold
from apportion.reasons.diagnose.sums import Counts
from tests.solver.oracle import best_plan
from tests.solver.random_problems import random_problem


def check(seed: int) -> bool:
    """Hold the rule on one random problem; False where it has a plan."""
    problem = random_problem(seed)
    if best_plan(problem) is not None:
        return False
    answer = diagnose(problem)
    universe = read_universe(problem, None)
    counts = Counts(universe)
    active = np.array([element in answer.conflict for element in universe.elements])
    assert active.any(), seed
    assert answer.minimal, seed
    assert best_plan(hold(universe, active, counts).problem) is None, seed
    for index in np.flatnonzero(active):
        fewer = active.copy()
        fewer[index] = False
        assert best_plan(hold(universe, fewer, counts).problem) is not None, (seed, universe.elements[index])
    assert answer.relaxations, seed
    for relaxation in answer.relaxations:
        relaxed = relaxation.apply(problem)
        assert best_plan(relaxed) is not None, seed
        assert solve(relaxed).status.has_plan, seed
    return True


def test_conflicts_are_minimal_and_ways_out_lead_out() -> None:
    """Brute force: the set alone has no plan, without any one element it has; each relaxed problem has a plan that
    `solve` finds."""
    assert sum(check(seed) for seed in range(60)) > 10


@pytest.mark.slow
def test_conflicts_of_many_seeds() -> None:
    """The same over many more problems."""
    assert sum(check(seed) for seed in range(60, 800)) > 100


def test_dropping_every_element_leaves_a_plan() -> None:
    """The elements are all that can stand in the way: with none of them, all leads may rest."""
    for seed in range(40):
        universe = read_universe(random_problem(seed), None)
        nothing = np.zeros(len(universe.elements), dtype=bool)
        everything = ~nothing
        assert best_plan(hold(universe, nothing, Counts(universe)).problem) is not None
        held = hold(universe, everything, Counts(universe)).problem
        assert (best_plan(held) is None) == (best_plan(random_problem(seed)) is None), seed


def test_a_thousand_leads_and_fifty_reps() -> None:
    """A conflict among hundreds of elements is proved minimal in seconds: one more lead than there are places."""
    rng = np.random.default_rng(0)
    eligible = rng.random((1000, 50)) < 0.5
    problem = AssignmentProblem.from_arrays(
        np.ones((1000, 50)),
        capacity=np.full(50, 18.0),
        eligible=eligible,
        must_assign=True,
        equity=[OpportunityShare(0.1)],
    )
    start = time.monotonic()
    answer = diagnose(problem)
    assert answer.minimal
    assert len(answer.conflict) == 901 + 50
    assert answer.relaxations
    assert time.monotonic() - start < 20
