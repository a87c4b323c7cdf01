"""The same problem with its leads and reps in another order."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.problem.entries import Entries
from apportion.problem.late import kept
from apportion.problem.pairs import Pairs
from apportion.problem.problem import AssignmentProblem, RowNumbers
from apportion.problem.rules import Limit, MaxMin, Rule

Ints = NDArray[np.int64]


def canonical_order(problem: AssignmentProblem) -> tuple[Ints, Ints]:
    """The order of leads and of reps by their ids: engines work in it, so that the order of rows changes no plan."""
    if isinstance(kept(problem, "lead_ids"), RowNumbers):
        return np.arange(problem.n_leads), _by_id(problem.rep_ids)
    return _by_id(problem.lead_ids), _by_id(problem.rep_ids)


def _by_id(ids: tuple[str, ...]) -> Ints:
    return np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)


def in_order(order: Ints) -> bool:
    """Whether an order leaves everything where it is."""
    return bool((order == np.arange(len(order))).all())


def reorder(problem: AssignmentProblem, leads: Ints, reps: Ints) -> AssignmentProblem:
    """Put lead leads[i] in place i and rep reps[j] in place j. The numbers are those of the problem; nothing is checked
    again. A problem that is in order already is given back as it is; another one is copied."""
    if in_order(leads) and in_order(reps):
        return problem
    pairs, entry = _moved(problem.pairs, leads, reps)
    fields: dict[str, Any] = {
        "value": _entries(problem.entries("value"), pairs, entry, leads, reps),
        "effort": _entries(problem.entries("effort"), pairs, entry, leads, reps),
    }
    same = kept(problem, "revenue") is kept(problem, "value")
    fields["revenue"] = fields["value"] if same else _entries(problem.entries("revenue"), pairs, entry, leads, reps)
    return replace(
        problem,
        pairs=pairs,
        **fields,
        capacity=problem.capacity[reps],
        min_load=problem.min_load[reps],
        team=_taken(problem.team, reps),
        nurture=problem.nurture[leads],
        must_assign=problem.must_assign[leads],
        tier=_taken(problem.tier, leads),
        parcel=_taken(problem.parcel, leads),
        opportunity=_Offered(problem, leads),
        equity=tuple(_rule(rule, leads, reps) for rule in problem.equity),
        limits=tuple(_rule(rule, leads, reps) for rule in problem.limits),
        lead_ids=tuple(problem.lead_ids[i] for i in leads),
        rep_ids=tuple(problem.rep_ids[j] for j in reps),
        given={},
    )


def _moved(pairs: Pairs, leads: Ints, reps: Ints) -> tuple[Pairs, Ints | None]:
    """The pairs in the new order, and where each was; None where every pair is eligible."""
    if pairs.is_dense:
        return Pairs.every(pairs.n_leads, pairs.n_reps), None
    new_rep = np.empty(pairs.n_reps, dtype=np.int64)
    new_rep[reps] = np.arange(pairs.n_reps)
    count = pairs.count[leads]
    start = np.concatenate([[0], np.cumsum(count)])
    entry = np.repeat(pairs.start[:-1][leads] - start[:-1], count) + np.arange(pairs.n_pairs)
    rep = new_rep[pairs.rep[entry]]
    order = np.lexsort((rep, np.repeat(np.arange(pairs.n_leads), count)))
    return Pairs(start=start, rep=rep[order], n_reps=pairs.n_reps), entry[order]


def _entries(entries: Entries, pairs: Pairs, entry: Ints | None, leads: Ints, reps: Ints) -> Entries:
    if entries.kind == "one":
        return Entries(pairs, entries.kept, "one")
    if entries.kind == "lead":
        return Entries(pairs, entries.kept[leads], "lead")
    if entry is not None:
        return Entries(pairs, entries.kept[entry])
    cells = entries.kept.reshape(pairs.n_leads, pairs.n_reps)[np.ix_(leads, reps)]
    return Entries(pairs, cells.reshape(-1))


class _Offered:
    """The leads' opportunity in the new order, when it is asked for."""

    def __init__(self, problem: AssignmentProblem, leads: Ints) -> None:
        self._problem, self._leads = problem, leads

    @cached_property
    def _taken(self) -> NDArray[np.float64]:
        return self._problem.opportunity[self._leads]

    def whole(self) -> NDArray[np.float64]:
        """(L,) currency."""
        return self._taken


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
