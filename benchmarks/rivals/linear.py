"""The rules as rows of a linear programme over the pairs, for HiGHS and scipy.

A sum that several bounds refer to (what a rep gets, the total of a measure) is a variable of its own, as everybody
writes it: otherwise each row of a share would hold every pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from benchmarks.contender import Answer
from benchmarks.instances import Instance
from benchmarks.rivals.sums import Bounded, Listed, bounded, listed, nurture_of, plan_from_parts, together

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Programme:
    """Least cost @ x with row_low <= rows @ x <= row_high, low <= x <= high; the first P of x are the pairs.

    constant : objective of the instance = constant - cost @ x.
    """

    instance: Instance
    pairs: Listed
    cost: Floats
    rows: Any
    row_low: Floats
    row_high: Floats
    low: Floats
    high: Floats
    constant: float

    def answer(self, x: Floats, status: str, bound: float | None, relaxed: bool) -> Answer:
        """Read the plan off x."""
        rep, split = plan_from_parts(self.instance, self.pairs, x[: len(self.pairs.lead)])
        return Answer(rep, status, bound, relaxed=relaxed, split=split)


class _Rows:
    """Collects rows and further variables."""

    def __init__(self, n_pairs: int) -> None:
        self.n_variables, self.n_rows = n_pairs, 0
        self.parts: list[tuple[Any, Any, Any]] = []
        self.bounds: list[tuple[Floats, Floats]] = []
        self.costs: list[tuple[int, float]] = []

    def variables(self, count: int, cost: float = 0.0) -> NDArray[np.int64]:
        first = self.n_variables
        self.n_variables += count
        self.costs.append((count, cost))
        return np.arange(first, first + count)

    def rows(self, low: Any, high: Any, entries: list[tuple[Any, Any, Any]]) -> None:
        """entries : (row within these, variable, coefficient)."""
        low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        for row, variable, coefficient in entries:
            row = np.asarray(row, dtype=np.int64)
            self.parts.append((row + self.n_rows, variable, np.broadcast_to(coefficient, row.shape)))
        self.n_rows += len(low)
        self.bounds.append((low, high))

    def matrix(self) -> Any:
        row, column, entry = (np.concatenate([part[k] for part in self.parts]) for k in range(3))
        return sp.csr_matrix((entry, (row, column)), shape=(self.n_rows, self.n_variables))


def programme(instance: Instance) -> Programme:
    """Write the whole instance down."""
    pairs = listed(instance)
    n_pairs, n_leads = len(pairs.lead), instance.n_leads
    nurture = nurture_of(instance)
    rows = _Rows(n_pairs)
    once = np.ones(n_leads) if instance.must_assign else np.full(n_leads, -np.inf)
    rows.rows(once, np.ones(n_leads), [(pairs.lead, np.arange(n_pairs), 1.0)])
    free: list[NDArray[np.int64]] = []
    for rule in bounded(instance, pairs):
        free.append(_bound(rows, rule))
    closed = _keep_together(rows, instance, pairs)
    low, high = np.zeros(rows.n_variables), np.ones(rows.n_variables)
    high[n_pairs:] = np.inf
    high[closed] = 0.0
    for sums in free:
        low[sums] = -np.inf
    cost = np.concatenate([nurture[pairs.lead] - pairs.value, *(np.full(count, each) for count, each in rows.costs)])
    row_low, row_high = (np.concatenate([pair[k] for pair in rows.bounds]) for k in range(2))
    return Programme(instance, pairs, cost, rows.matrix(), row_low, row_high, low, high, float(nurture.sum()))


def _bound(rows: _Rows, rule: Bounded) -> NDArray[np.int64]:
    """Add one rule; gives the variables that may take any sign."""
    n_pairs, n_groups = len(rule.amount), len(rule.low)
    inside, group = np.flatnonzero(rule.group >= 0), np.arange(n_groups)
    if not rule.shares and rule.price is None:
        rows.rows(rule.low, rule.high, [(rule.group[inside], inside, rule.amount[inside])])
        return np.zeros(0, dtype=np.int64)
    sums = rows.variables(n_groups)
    zeros = np.zeros(n_groups)
    rows.rows(zeros, zeros, [(rule.group[inside], inside, rule.amount[inside]), (group, sums, -1.0)])
    low, high, free = rule.low, rule.high, sums
    over: list[tuple[Any, Any, Any]] = [(group, sums, 1.0)]
    under: list[tuple[Any, Any, Any]] = [(group, sums, 1.0)]
    if rule.shares:
        total = rows.variables(1)
        free = np.concatenate([sums, total])
        everywhere = np.zeros(n_pairs, dtype=np.int64)
        rows.rows([0.0], [0.0], [(everywhere, np.arange(n_pairs), rule.amount), ([0], total, -1.0)])
        same = np.broadcast_to(total, n_groups)
        under.append((group, same, np.where(np.isfinite(low), -np.nan_to_num(low, neginf=0.0), 0.0)))
        over.append((group, same, np.where(np.isfinite(high), -np.nan_to_num(high, posinf=0.0), 0.0)))
        low, high = np.where(np.isfinite(low), 0.0, low), np.where(np.isfinite(high), 0.0, high)
    if rule.price is not None:
        under.append((group, rows.variables(n_groups, rule.price), 1.0))
        over.append((group, rows.variables(n_groups, rule.price), -1.0))
    rows.rows(low, np.full(n_groups, np.inf), under)
    rows.rows(np.full(n_groups, -np.inf), high, over)
    return free


def _keep_together(rows: _Rows, instance: Instance, pairs: Listed) -> NDArray[np.int64]:
    """Same rep for leads of one parcel; gives the pairs that can be in no plan, as a mate is not eligible there."""
    key = {(lead, rep): k for k, (lead, rep) in enumerate(zip(pairs.lead.tolist(), pairs.rep.tolist(), strict=True))}
    closed, mine, mates = [], [], []
    for first, other in together(instance):
        for rep in range(instance.n_reps):
            a, b = key.get((first, rep)), key.get((other, rep))
            if a is not None and b is not None:
                mine.append(a)
                mates.append(b)
            elif a is not None or b is not None:
                closed.append(a if a is not None else b)
    zeros, row = np.zeros(len(mine)), np.arange(len(mine))
    if len(mine):
        rows.rows(zeros, zeros, [(row, np.array(mine), 1.0), (row, np.array(mates), -1.0)])
    return np.array(closed, dtype=np.int64)
