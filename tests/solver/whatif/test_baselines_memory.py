"""Routers whose turns go on: two batches with a memory are routed as one batch would be."""

from __future__ import annotations

import numpy as np
import pytest

from apportion.problem import AssignmentProblem
from apportion.whatif import BASELINES, RouterContext
from apportion.whatif.baselines import Memory

BY_NAME = {baseline.name: baseline for baseline in BASELINES}


def _routed(name: str, leads: list[str], reps: str, memory: Memory | None, already: object = None) -> list[str]:
    problem = AssignmentProblem.from_arrays(
        np.ones((len(leads), len(reps))), capacity=np.full(len(reps), 9.0), lead_ids=leads, rep_ids=list(reps)
    )
    context = RouterContext(memory=memory, already=already, weights=np.arange(1.0, len(reps) + 1))  # type: ignore[arg-type]
    return [reps[rep] for rep in BY_NAME[name].assign(problem, context)]


@pytest.mark.parametrize("name", ["round_robin", "weighted", "incumbent", "score_tiered", "territory"])
def test_two_batches_are_as_one(name: str) -> None:
    """Seven leads at once, or four and then three: the same reps, in the same order."""
    ids = [f"L{number}" for number in range(7)]
    memory = Memory()
    parts = _routed(name, ids[:4], "ABC", memory) + _routed(name, ids[4:], "ABC", memory)
    assert parts == _routed(name, ids, "ABC", None)
    assert parts != _routed(name, ids[:4], "ABC", None) + _routed(name, ids[4:], "ABC", None)


def test_a_turn_survives_who_leaves_and_who_joins() -> None:
    """After B comes D, also when B has left; and C, who has joined, before D."""
    for reps, following in (("AD", "D"), ("ABCD", "C")):
        memory = Memory()
        _routed("round_robin", ["L1", "L2"], "ABD", memory)
        assert _routed("round_robin", ["L3"], reps, memory) == [following]


def test_the_least_loaded_sees_what_was_there_before() -> None:
    """A has three of twelve open, B none of nine: three to B, then one to A (3/12 < 3/9)."""
    already = np.array([3.0, 0.0])
    assert _routed("least_loaded", [f"L{number}" for number in range(4)], "AB", None, already) == ["B", "B", "B", "A"]
