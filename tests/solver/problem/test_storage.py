"""A problem is held as small as it came, and reads as if it were written out."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from apportion import AssignmentProblem, OpportunityShare, Prices, RevenueShare, solve, verify
from apportion.problem import RulePrice, owned, price_bound
from apportion.problem import blocks as blocks_room
from apportion.problem.late import kept
from apportion.problem.pairs import Pairs
from apportion.problem.reorder import canonical_order, reorder
from apportion_models.errors import ProblemError
from tests.solver.random_problems import random_problem

RNG = np.random.default_rng(0)
VALUE = RNG.random((300, 40), dtype=np.float32)


def test_a_dense_matrix_is_kept_as_it_is() -> None:
    """float32 stays float32 and nothing else is stored for each pair; what is read is float64."""
    problem = AssignmentProblem.from_arrays(VALUE, capacity=10)
    assert problem.entries("value").kept.dtype == np.float32
    assert problem.entries("effort").kept.shape == ()
    assert kept(problem, "revenue") is kept(problem, "value")
    assert problem.pairs.is_dense and problem.pairs.column is None
    assert problem.value.dtype == problem.effort.dtype == np.float64
    assert problem.value.tolist() == VALUE.astype(float).ravel().tolist()
    assert problem.pairs.rep.tolist() == np.tile(np.arange(40), 300).tolist()
    assert problem.pairs.lead.tolist() == np.repeat(np.arange(300), 40).tolist()
    assert problem.pairs.start.tolist() == list(range(0, 300 * 40 + 1, 40))
    wide = AssignmentProblem.from_arrays(VALUE.astype(float), capacity=10)
    assert np.shares_memory(wide.value, wide.entries("value").kept)


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.int8, bool])
def test_other_numbers_become_float64(dtype: Any) -> None:
    """Whatever is not float32 or float64 is read as float64."""
    problem = AssignmentProblem.from_arrays((VALUE * 9).astype(dtype), capacity=1)
    assert problem.entries("value").kept.dtype == np.float64


def test_rows_in_another_memory_order_are_read_right() -> None:
    """A transposed or sliced matrix gives the same numbers."""
    for value in (np.asfortranarray(VALUE), np.repeat(VALUE, 2, axis=0)[::2], VALUE[::-1][::-1]):
        assert AssignmentProblem.from_arrays(value, capacity=1).value.tolist() == VALUE.astype(float).ravel().tolist()


def test_a_large_array_is_held_and_a_small_one_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit nothing is copied, and the caller's own array stays writable; up to it, changes do not count."""
    mine = VALUE.copy()
    problem = AssignmentProblem.from_arrays(mine, capacity=1)
    assert not np.shares_memory(problem.entries("value").kept, mine)
    assert np.shares_memory(problem.entries("value").kept, problem.given["value"])
    monkeypatch.setattr(owned, "LARGE", 1_000)
    problem = AssignmentProblem.from_arrays(mine, capacity=1)
    assert np.shares_memory(problem.entries("value").kept, mine)
    assert mine.flags.writeable
    assert not problem.value.flags.writeable
    assert np.shares_memory(problem.replace(capacity=2).entries("value").kept, mine)


def test_masked_and_sparse_pairs_are_narrow() -> None:
    """Reps of 32 bits, values as they came; a mask that allows everything leaves the matrix whole."""
    allowed = RNG.random(VALUE.shape) < 0.2
    for problem in (
        AssignmentProblem.from_arrays(VALUE, capacity=1, eligible=allowed),
        AssignmentProblem.from_arrays(VALUE, capacity=1, eligible=sp.csr_array(allowed)),
        AssignmentProblem.from_arrays(sp.csr_array(np.where(allowed, VALUE, 0)), capacity=1),
    ):
        assert problem.pairs.column is not None and problem.pairs.column.dtype == np.int32
        assert problem.entries("value").kept.dtype == np.float32
        assert problem.value.tolist() == VALUE[allowed].astype(float).tolist()
        assert problem.pairs.count_by_rep.tolist() == allowed.sum(axis=0).tolist()
    assert AssignmentProblem.from_arrays(VALUE, capacity=1, eligible=np.ones_like(allowed)).pairs.is_dense


def test_building_and_verifying_need_no_memory_of_that_size() -> None:
    """Above the matrix itself, a small part of it, from the arrays to the bound; a plan of counts too."""
    value = RNG.random((20_000, 200), dtype=np.float32)  # 16 MB
    limit = owned.LARGE
    try:
        owned.LARGE = 1_000
        AssignmentProblem.from_arrays(value[:10], capacity=1)
        tracemalloc.start()
        problem = AssignmentProblem.from_arrays(value, capacity=80)
        bound = price_bound(problem, Prices(np.full(200, 0.9), np.zeros(200)))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        owned.LARGE = limit
    assert most < 8e6
    assert bound == pytest.approx(float(np.maximum(value.astype(float).max(axis=1) - 0.9, 0).sum() + 0.9 * 80 * 200))


def test_faults_are_found_in_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not finite is told with its place and how many there are, wherever it stands."""
    monkeypatch.setattr("apportion.problem.reading.CHUNK", 1_000)
    monkeypatch.setattr("apportion.problem.entries.SUM_CHUNK", 1_000)
    value = VALUE.copy()
    value[299, 39], value[200, 7], value[250, 0] = np.nan, np.inf, -np.inf
    with pytest.raises(ProblemError) as caught:
        AssignmentProblem.from_arrays(value, capacity=1)
    [finding] = caught.value.findings
    assert finding.count == 3
    assert "value[200, 7]" in finding.message
    large = np.full((2, 2), 1e308)  # finite, though their sum is not
    assert np.isfinite(AssignmentProblem.from_arrays(large, capacity=1).opportunity).all()


@pytest.mark.parametrize("cells", [1, 7, 1 << 17])
def test_the_size_of_blocks_changes_no_verdict(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds, verdicts and objectives are the same however many pairs are looked at together."""
    problems = [random_problem(seed, n_leads=12, n_reps=4) for seed in range(12)]
    plans = [solve(problem, gap=0.01) for problem in problems]
    known = [(verify(a, b).rules, verify(a, b).price_bound) for a, b in zip(problems, plans, strict=True)]
    monkeypatch.setattr(blocks_room, "CELLS", cells)
    monkeypatch.setattr(blocks_room, "THREADED", 2)
    monkeypatch.setattr(blocks_room, "workers", lambda: 3)
    for problem, plan, (rules, bound) in zip(problems, plans, known, strict=True):
        verdict = verify(problem, plan)
        assert [rule.holds for rule in verdict.rules] == [rule.holds for rule in rules]
        assert verdict.price_bound == pytest.approx(bound, rel=1e-12, nan_ok=True)


def test_a_rule_on_a_lean_problem_is_priced_as_on_a_written_out_one() -> None:
    """Effort one, revenue as value, float32: the same bound as with every array given in full."""
    rules = [RevenueShare(0.8, 1.2), OpportunityShare(0.7)]
    lean = AssignmentProblem.from_arrays(VALUE, capacity=6, equity=rules)
    full = AssignmentProblem.from_arrays(
        VALUE.astype(float), capacity=6, equity=rules, effort=np.ones((300, 40)), revenue=VALUE.astype(float)
    )
    rng = np.random.default_rng(1)
    priced = {str(rule.name): RulePrice(rng.random(40), rng.random(40)) for rule in lean.rules}
    prices = Prices(rng.random(40), np.zeros(40), priced)
    assert price_bound(lean, prices) == pytest.approx(price_bound(full, prices), rel=1e-12)


def test_a_problem_in_order_is_not_copied() -> None:
    """Where ids are sorted already the very same problem is used; else the numbers go where they belong."""
    problem = AssignmentProblem.from_arrays(VALUE, capacity=np.arange(40))
    assert reorder(problem, *canonical_order(problem)) is problem
    leads, reps = RNG.permutation(300), RNG.permutation(40)
    moved = reorder(problem, leads, reps)
    assert moved.value.tolist() == VALUE[np.ix_(leads, reps)].astype(float).ravel().tolist()
    assert moved.entries("value").kept.dtype == np.float32
    assert moved.opportunity.tolist() == problem.opportunity[leads].tolist()
    assert [moved.lead_ids[0], moved.rep_ids[0]] == [problem.lead_ids[leads[0]], problem.rep_ids[reps[0]]]


def test_positions_are_found_in_any_row() -> None:
    """Each stored pair is found where it stands, and no other is."""
    allowed = RNG.random((50, 30)) < 0.3
    start = np.concatenate([[0], np.cumsum(allowed.sum(axis=1))])
    pairs = Pairs(start=start, rep=np.nonzero(allowed)[1], n_reps=30)
    lead, rep = np.divmod(np.arange(50 * 30), 30)
    found = pairs.position(lead, rep)
    assert np.array_equal(found >= 0, allowed.ravel())
    assert found[found >= 0].tolist() == list(range(pairs.n_pairs))
    assert pairs.position([0, 0], [-1, 30]).tolist() == [-1, -1]
    every = Pairs.every(50, 30)
    assert every.position([0, 49, 3, 3], [0, 29, -1, 30]).tolist() == [0, 1499, -1, -1]
