"""The desk that all routers work at: the batch in an order of its own, whatever the order of rows; the room left."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem
from apportion.whatif.baselines.context import Memory, RouterContext

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Desk:
    """The batch as routers see it: U units (a lead, or leads that stay together) in order of arrival × R reps by id.

    A unit's effort, value and nurture are the sums over its leads; its score is its best lead's, its territory the
    first lead's, its owner the first owner among its leads. `left` is each rep's room, and shrinks with each unit;
    `already` is the effort that a rep had before.
    """

    eligible: Bools  # (U, R)
    effort: Floats  # (U, R)
    value: Floats  # (U, R)
    nurture: Floats  # (U,)
    must: Bools  # (U,)
    score: Floats  # (U,)
    owner: Ints  # (U,) column or -1
    territory: Ints  # (U,)
    capacity: Floats  # (R,)
    weights: Floats  # (R,)
    rank: Floats  # (R,)
    already: Floats  # (R,)
    cover: Bools  # (T, R)
    shotgun: int
    seed: int
    left: Floats
    unit_of: Ints  # (L,) unit of each lead
    rep_of: Ints  # (R,) rep index of each column
    rep_ids: tuple[str, ...]  # (R,) of each column, ascending
    memory: Memory

    @classmethod
    def open(cls, problem: AssignmentProblem, context: RouterContext) -> Desk:
        """Lay the batch out. `context` is checked."""
        columns = np.argsort(np.array(problem.rep_ids, dtype=str)).astype(np.int64)
        column_of = np.argsort(columns)
        order: Any = context.order
        unit_of, members = _units(problem, order)
        first = order[members]  # leads in order of arrival, unit by unit
        starts = np.flatnonzero(np.diff(unit_of[first], prepend=-1))
        given: Any = context

        def per_pair(entries: Floats) -> Floats:
            return _sums(problem.pairs.dense(entries, 0.0)[first][:, columns], starts)

        whole = _sums(problem.pairs.dense(np.ones(problem.pairs.n_pairs), 0.0)[first][:, columns], starts)
        size = np.diff(np.append(starts, len(first)))
        return cls(
            eligible=whole == size[:, None],
            effort=per_pair(problem.effort),
            value=per_pair(problem.value),
            nurture=_sums(problem.nurture[first], starts),
            must=_sums(problem.must_assign[first].astype(float), starts) > 0,
            score=np.maximum.reduceat(given.score[first], starts) if len(starts) else np.zeros(0),
            owner=_first_owner(given.owner, first, unit_of, len(starts), column_of),
            territory=given.territory[first][starts],
            capacity=problem.capacity[columns],
            weights=given.weights[columns],
            rank=given.rank[columns],
            already=given.already[columns],
            cover=given.cover[:, columns],
            shotgun=given.shotgun,
            seed=given.seed,
            left=problem.capacity[columns].copy(),
            unit_of=unit_of,
            rep_of=columns,
            rep_ids=tuple(str(problem.rep_ids[column]) for column in columns),
            memory=given.memory,
        )

    @property
    def n_units(self) -> int:
        """U."""
        return len(self.nurture)

    def arrivals(self, key: Floats | None = None) -> list[int]:
        """Units in the order of routing: those that must be assigned first, the least flexible before the others.

        Then by key, then by arrival.
        """
        flexible = np.where(self.must, self.eligible.sum(axis=1), 0)
        by = np.zeros(self.n_units) if key is None else key
        order: list[int] = np.lexsort((np.arange(self.n_units), by, flexible, ~self.must)).tolist()
        return order

    def free(self, unit: int) -> Bools:
        """(R,) the eligible reps with room for the unit."""
        room = self.effort[unit] <= self.left + 1e-9 * np.maximum(self.capacity, 1e-3)
        return np.asarray(self.eligible[unit] & room)

    def place(self, unit: int, column: int) -> None:
        """Take the unit's effort out of the rep's room."""
        self.left[column] -= self.effort[unit, column]

    def next_after(self, turn: str) -> int:
        """The column of the rep whose turn it is: after whoever got the last lead, who may be gone since."""
        last = self.memory.last.get(turn)
        return 0 if last is None else bisect_right(self.rep_ids, last)

    def answer(self, column: Ints) -> Ints:
        """(L,) rep index of each lead, given each unit's column."""
        if not len(column):
            return np.full(len(self.unit_of), -1, dtype=np.int64)
        rep = np.where(column >= 0, self.rep_of[column], -1)
        return np.asarray(rep[self.unit_of], dtype=np.int64)


def _units(problem: AssignmentProblem, order: Ints) -> tuple[Ints, Ints]:
    """(L,) unit of each lead, numbered by first arrival; and positions in `order`, unit by unit, then by arrival."""
    labels = np.arange(problem.n_leads) if problem.parcel is None else problem.parcel
    _, start, member = np.unique(labels[order], return_index=True, return_inverse=True)
    number = np.argsort(np.argsort(start, kind="stable"))
    unit_by_arrival = number[member]
    unit_of = np.empty(problem.n_leads, dtype=np.int64)
    unit_of[order] = unit_by_arrival
    return unit_of, np.argsort(unit_by_arrival, kind="stable").astype(np.int64)


def _sums(rows: Floats, starts: Ints) -> Floats:
    if len(starts) == len(rows):
        return rows
    return np.asarray(np.add.reduceat(rows, starts, axis=0))


def _first_owner(owner: Ints, first: Ints, unit_of: Ints, n_units: int, column_of: Ints) -> Ints:
    found = np.full(n_units, -1, dtype=np.int64)
    owned = first[owner[first] >= 0][::-1]  # the earliest is written last
    found[unit_of[owned]] = column_of[owner[owned]]
    return found
