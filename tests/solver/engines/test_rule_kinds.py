"""For each rule kind, the solver and a search over all assignments agree in value and feasibility."""

from __future__ import annotations

import itertools

import pytest

from tests.solver.engines.agreement import agree
from tests.solver.random_problems import LIMITS, SHARES, STRUCTURES, random_problem, structured, with_rule

SOFTNESS = pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])


@pytest.mark.parametrize("feature", STRUCTURES)
@pytest.mark.parametrize("block", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_structure(feature: str, block: int) -> None:
    """Capacity, effort, minimum load, must-assign, parcels, nurture, eligibility, negative values: exact."""
    for seed in range(25) if block == 0 else range(25, 300):
        agree(structured(seed, feature))


def _share_forms() -> list[tuple[str, str, str]]:
    return list(itertools.product(SHARES, ("rep", "team", "labels"), ("low", "high", "both")))


@SOFTNESS
@pytest.mark.parametrize(("kind", "by", "sides"), _share_forms(), ids="-".join)
def test_share(kind: str, by: str, sides: str, soft: bool) -> None:
    """Each share (by tier too), by rep, team and labels that leave reps out, each side: exact, hard and soft."""
    for seed in range(8):
        agree(with_rule(seed, kind, by=by, sides=sides, soft=soft))


@pytest.mark.slow
@SOFTNESS
@pytest.mark.parametrize(("kind", "by", "sides"), _share_forms(), ids="-".join)
def test_share_at_length(kind: str, by: str, sides: str, soft: bool) -> None:
    """The same with many more seeds."""
    for seed in range(1_000, 1_060):
        agree(with_rule(seed, kind, by=by, sides=sides, soft=soft))


@SOFTNESS
@pytest.mark.parametrize("by", ["rep", "team", "all", "labels"])
@pytest.mark.parametrize("kind", [*LIMITS, "limit_tier"])
@pytest.mark.parametrize("block", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_limit(kind: str, by: str, soft: bool, block: int) -> None:
    """A limit on each measure, over all leads or some, whole or fractional: exact, hard and soft."""
    for seed in range(8) if block == 0 else range(8, 80):
        agree(with_rule(seed, kind, by=by, soft=soft))


@pytest.mark.parametrize("by", ["rep", "team", "labels"])
@pytest.mark.parametrize("kind", ["max_min_hard", "max_min_soft"])
@pytest.mark.parametrize("block", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_max_min(kind: str, by: str, block: int) -> None:
    """Max-min, hard (the worst-off first, within what may be given up) and soft (at a price): exact."""
    for seed in range(12) if block == 0 else range(12, 150):
        agree(with_rule(seed, kind, by=by))


@pytest.mark.parametrize("block", [*range(8), *(pytest.param(k, marks=pytest.mark.slow) for k in range(8, 100))])
def test_mixtures(block: int) -> None:
    """Any mixture of rules and features is solved exactly."""
    for seed in range(40 * block, 40 * block + 40):
        agree(random_problem(seed, n_leads=4))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_larger_mixtures(block: int) -> None:
    """The same with more leads and reps than the quick cases."""
    for seed in range(50_000 + 10 * block, 50_010 + 10 * block):
        agree(random_problem(seed, n_leads=6))
        agree(random_problem(seed, n_leads=4, n_reps=5))
