"""The same problem with its leads and reps in another order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.problem.pairs import Pairs
from apportion.problem.problem import AssignmentProblem
from apportion.problem.rules import Limit, MaxMin, Rule

Ints = NDArray[np.int64]


def canonical_order(problem: AssignmentProblem) -> tuple[Ints, Ints]:
    """The order of leads and of reps by their ids: engines work in it, so that the order of rows changes no plan."""
    return _by_id(problem.lead_ids), _by_id(problem.rep_ids)


def _by_id(ids: tuple[str, ...]) -> Ints:
    return np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)


def reorder(problem: AssignmentProblem, leads: Ints, reps: Ints) -> AssignmentProblem:
    """Put lead leads[i] in place i and rep reps[j] in place j. The numbers are those of the problem; nothing is checked
    again."""
    new_rep = np.empty(problem.n_reps, dtype=np.int64)
    new_rep[reps] = np.arange(problem.n_reps)
    new_lead = np.empty(problem.n_leads, dtype=np.int64)
    new_lead[leads] = np.arange(problem.n_leads)
    lead, rep = new_lead[problem.pairs.lead], new_rep[problem.pairs.rep]
    entry = np.lexsort((rep, lead))
    start = np.concatenate([[0], np.cumsum(np.bincount(lead, minlength=problem.n_leads))]).astype(np.int64)
    return replace(
        problem,
        pairs=Pairs(start=start, rep=rep[entry], n_reps=problem.n_reps),
        value=problem.value[entry],
        revenue=problem.revenue[entry],
        effort=problem.effort[entry],
        capacity=problem.capacity[reps],
        min_load=problem.min_load[reps],
        team=_taken(problem.team, reps),
        nurture=problem.nurture[leads],
        must_assign=problem.must_assign[leads],
        tier=_taken(problem.tier, leads),
        parcel=_taken(problem.parcel, leads),
        opportunity=problem.opportunity[leads],
        equity=tuple(_rule(rule, leads, reps) for rule in problem.equity),
        limits=tuple(_rule(rule, leads, reps) for rule in problem.limits),
        lead_ids=tuple(problem.lead_ids[i] for i in leads),
        rep_ids=tuple(problem.rep_ids[j] for j in reps),
        given={},
    )


def _taken(array: NDArray[Any] | None, order: Ints) -> Any:
    return None if array is None else array[order]


def _rule(rule: Rule, leads: Ints, reps: Ints) -> Rule:
    changes: dict[str, Any] = {}
    if not isinstance(rule.by, str):
        changes["by"] = np.asarray(rule.by)[reps]
    if not isinstance(rule, MaxMin) and rule.leads is not None:
        changes["leads"] = np.asarray(rule.leads)[leads]
    if not isinstance(rule, Limit) and rule.weights is not None:
        changes["weights"] = np.asarray(rule.weights, dtype=float)[reps]
    if isinstance(rule.by, str) and rule.by == "rep" and not isinstance(rule, MaxMin):
        for name in ("low", "high", "earlier"):
            bound = getattr(rule, name, None)
            if bound is not None and np.ndim(bound):
                changes[name] = np.asarray(bound, dtype=float)[reps]
    return replace(rule, **changes)
