"""Leads that stay together are placed, priced and compared together: a unit is one lead or one parcel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem, Plan
from apportion.reasons.pricing import Floats, Ints, Ledger


@dataclass(frozen=True, eq=False)
class Units:
    """U units, and the Q (unit, rep) pairs in which the rep may take every lead of the unit.

    of_lead : (L,) unit of each lead. size : (U,) leads. nurture : (U,) currency.
    unit, rep : (Q,), unit by unit. amounts : (K, Q) parts as in the ledger; value, priced : (Q,) currency; effort :
        (Q,).
    fits : (Q,) whether the rep could hold the unit with nothing else.
    chosen : (U,) the plan's entry among Q, -1 for nurture. best : (U,) the entry of the greatest value among those
        that fit, -1 none.
    top : (U,) the entry of the greatest priced value among those that fit. runner_up : (U,) the same without the
        plan's own.
    """

    of_lead: Ints
    size: Ints
    nurture: Floats
    unit: Ints
    rep: Ints
    amounts: Floats
    value: Floats
    priced: Floats
    effort: Floats
    fits: NDArray[np.bool_]
    chosen: Ints
    best: Ints
    top: Ints
    runner_up: Ints

    @cached_property
    def start(self) -> Ints:
        """(U + 1,) the entries of unit u are start[u]:start[u + 1]."""
        return np.asarray(np.searchsorted(self.unit, np.arange(len(self.size) + 1)), dtype=np.int64)

    def entries(self, unit: int) -> slice:
        """All entries of one unit."""
        return slice(int(self.start[unit]), int(self.start[unit + 1]))

    def entry(self, unit: int, rep: int) -> int:
        """Index among Q, -1 where the rep may not take the whole unit."""
        found = np.flatnonzero(self.rep[self.entries(unit)] == rep)
        return int(self.start[unit] + found[0]) if len(found) else -1


def group_units(problem: AssignmentProblem, plan: Plan, book: Ledger) -> Units:
    """Sum the ledger over the leads of each unit, and rank the reps; ties go by rep id."""
    n_reps = problem.n_reps
    labels = np.arange(problem.n_leads) if problem.parcel is None else np.unique(problem.parcel, return_inverse=True)[1]
    n_units = int(labels.max(initial=-1)) + 1
    size = np.bincount(labels, minlength=n_units)
    key, member = np.unique(labels[problem.pairs.lead] * n_reps + problem.pairs.rep, return_inverse=True)
    whole = np.bincount(member, minlength=len(key)) == size[key // n_reps] if len(key) else np.zeros(0, dtype=bool)

    def summed(entries: Floats) -> Floats:
        if len(key) == len(entries):
            return np.asarray(entries[np.argsort(member)][whole])
        return np.asarray(np.bincount(member, weights=entries, minlength=len(key))[whole], dtype=np.float64)

    unit, rep = (key // n_reps)[whole], (key % n_reps)[whole]
    value, priced, effort = summed(book.value), summed(book.priced), summed(problem.effort)
    fits = effort <= problem.capacity[rep] * (1 + 1e-9)
    first_lead = np.zeros(n_units, dtype=np.int64)
    first_lead[labels[::-1]] = np.arange(problem.n_leads)[::-1]
    owner = plan.rep[first_lead]
    held = rep == owner[unit]
    ranker = _Ranker(unit, rep, n_units, np.argsort(np.argsort(np.array(problem.rep_ids, dtype=str))))
    return Units(
        of_lead=labels.astype(np.int64),
        size=size.astype(np.int64),
        nurture=np.asarray(np.bincount(labels, weights=problem.nurture, minlength=n_units), dtype=np.float64),
        unit=unit,
        rep=rep,
        amounts=np.array([summed(row) for row in book.amounts]),
        value=value,
        priced=priced,
        effort=effort,
        fits=fits,
        chosen=ranker.first(priced, held),
        best=ranker.first(value, fits),
        top=ranker.first(priced, fits),
        runner_up=ranker.first(priced, fits & ~held),
    )


class _Ranker:
    """Finds each unit's greatest entry; what differs by less than rounding noise is a tie, and goes by rep id."""

    def __init__(self, unit: Ints, rep: Ints, n_units: int, rank: Ints) -> None:
        self._unit, self._rank, self._n = unit, rank[rep], n_units

    def first(self, amount: Floats, among: NDArray[np.bool_]) -> Ints:
        found = np.full(self._n, -1, dtype=np.int64)
        entries = np.flatnonzero(among)
        scale = float(np.abs(amount).max(initial=0.0))
        rounded = np.round(amount[entries] / scale, 11) if scale > 0 else amount[entries]
        order = entries[np.lexsort((self._rank[entries], -rounded, self._unit[entries]))]
        units, first = np.unique(self._unit[order], return_index=True)
        found[units] = order[first]
        return found
