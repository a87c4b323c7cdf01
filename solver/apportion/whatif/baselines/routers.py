"""The routers. Each takes the desk and gives (U,) the column of each unit, -1 for none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from apportion.whatif.baselines.desk import Bools, Desk, Floats, Ints

Choose = Callable[[int, Bools], int]  # (unit, free reps: at least one) -> column, or -1


def round_robin(desk: Desk) -> Ints:
    """Next rep by id after the last one who got a lead; who is not eligible or has no room is skipped."""
    return _in_turn(desk, _Turn(desk))


def weighted(desk: Desk) -> Ints:
    """Smooth weighted round robin: each time, free reps earn their weight; the richest pays all of it and gets it."""
    credit = np.array([desk.memory.credit.get(rep, 0.0) for rep in desk.rep_ids], dtype=np.float64)

    def choose(unit: int, free: Bools) -> int:
        weight = np.where(free, desk.weights, 0.0)
        total = float(weight.sum())
        if total <= 0:  # only reps of weight zero are free: nothing for them, unless it must be
            return int(np.argmax(free)) if desk.must[unit] else -1
        credit[:] += weight
        column = int(np.argmax(np.where(weight > 0, credit, -np.inf)))
        credit[column] -= total
        return column

    columns = _in_turn(desk, choose)
    desk.memory.credit.update(zip(desk.rep_ids, credit.tolist(), strict=True))
    return columns


def territory_round_robin(desk: Desk) -> Ints:
    """A round robin of its own in each territory, among the reps who cover it; leads without territory share one."""
    turns: dict[int, _Turn] = {}

    def choose(unit: int, free: Bools) -> int:
        label = int(desk.territory[unit])
        covered = free if label < 0 else free & desk.cover[label]
        if not covered.any():
            if not desk.must[unit]:
                return -1
            covered = free
        return turns.setdefault(label, _Turn(desk, str(label)))(unit, covered)

    return _in_turn(desk, choose)


def least_loaded(desk: Desk) -> Ints:
    """The rep with the least load, that of earlier batches too, for what they can take."""
    whole = desk.already + desk.capacity

    def choose(unit: int, free: Bools) -> int:
        load = 1.0 - desk.left / np.maximum(whole, 1e-300)
        return int(np.argmin(np.where(free, np.where(desk.capacity > 0, load, np.finfo(float).max), np.inf)))

    return _in_turn(desk, choose)


def score_tiered(desk: Desk) -> Ints:
    """Best scores first, to the best rank of reps with room; round robin inside a rank."""
    turn = _Turn(desk)

    def choose(unit: int, free: Bools) -> int:
        best = float(desk.rank[free].max())
        return turn(unit, free & (desk.rank == best))

    return _in_turn(desk, choose, key=-desk.score)


def cherry_pick(desk: Desk) -> Ints:
    """The pair of the greatest value first, while it is worth more than nurture; then the next."""
    column = np.full(desk.n_units, -1, dtype=np.int64)
    wanted = desk.eligible & (desk.must[:, None] | (desk.value > desk.nurture[:, None]))
    units, columns = np.nonzero(wanted)
    flexible = np.where(desk.must, desk.eligible.sum(axis=1), 0)
    order = np.lexsort((columns, units, -desk.value[units, columns], flexible[units], ~desk.must[units]))
    left, allowance = desk.left.tolist(), (1e-9 * np.maximum(desk.capacity, 1e-3)).tolist()
    effort = desk.effort[units, columns]
    placed = [False] * desk.n_units
    rows = zip(units[order].tolist(), columns[order].tolist(), effort[order].tolist(), strict=True)
    for unit, rep, load in rows:
        if not placed[unit] and load <= left[rep] + allowance[rep]:
            placed[unit], column[unit] = True, rep
            left[rep] -= load
    return column


def shotgun(desk: Desk) -> Ints:
    """Offer a lead to the best few reps by value, then the next few; the first with room in a seeded order takes it."""
    random = np.random.default_rng(desk.seed)

    def choose(unit: int, free: Bools) -> int:
        eligible = np.flatnonzero(desk.eligible[unit])
        best_first = eligible[np.argsort(-desk.value[unit, eligible], kind="stable")]
        answers = random.random(len(eligible))  # who answers first
        for start in range(0, len(best_first), desk.shotgun):
            offered = slice(start, start + desk.shotgun)
            takers = free[best_first[offered]]
            if takers.any():
                return int(best_first[offered][np.argmin(np.where(takers, answers[offered], np.inf))])
        return -1

    return _in_turn(desk, choose)


def incumbent(desk: Desk) -> Ints:
    """The current owner if eligible and with room, else round robin."""
    turn = _Turn(desk)

    def choose(unit: int, free: Bools) -> int:
        owner = int(desk.owner[unit])
        return owner if owner >= 0 and free[owner] else turn(unit, free)

    return _in_turn(desk, choose)


class _Turn:
    """Whose turn it is: the first free rep after the last one, who may have been of an earlier batch."""

    def __init__(self, desk: Desk, name: str = "") -> None:
        self._desk, self._name, self._next = desk, name, desk.next_after(name)

    def __call__(self, unit: int, free: Bools) -> int:
        ahead = int(np.argmax(free[self._next :])) + self._next if self._next < len(free) else len(free)
        column = ahead if ahead < len(free) and free[ahead] else int(np.argmax(free))
        self._next = column + 1
        self._desk.memory.last[self._name] = self._desk.rep_ids[column]
        return column


def _in_turn(desk: Desk, choose: Choose, key: Floats | None = None) -> Ints:
    column = np.full(desk.n_units, -1, dtype=np.int64)
    for unit in desk.arrivals(key):
        free = desk.free(unit)
        if free.any():
            column[unit] = choose(unit, free)
            if column[unit] >= 0:
                desk.place(unit, int(column[unit]))
    return column
