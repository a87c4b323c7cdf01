"""Compiled passes over the pairs, lead by lead.

Values are read as they are given and turned, one by one, into whole multiples of the resolution: numbers of type
float64 that are integers below 2^52, so that every sum and difference of them is exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apportion.engines.transport.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HALFWAY = 6755399441055744.0  # 1.5 · 2^52: adding and taking it off rounds to an integer


class Table(NamedTuple):
    """The pairs as they are stored, and the order to see them in.

    data : (P,) float32 or float64. start : (L + 1,) and column : (P,), both empty where every pair is eligible.
    order : (n,) row of each lead, empty where lead i is row i. rank : (R,) place of each column among the reps.
    scale : of values to whole numbers. halfway : HALFWAY rounds to whole numbers, 0 leaves values as they are.
    """

    data: NDArray[np.float64]
    start: Ints
    column: NDArray[np.int32]
    order: Ints
    rank: NDArray[np.int32]
    scale: float
    halfway: float


@compiled
def _worths(table, lead, charge, worth):  # type: ignore[no-untyped-def]
    """Whole value less charge of each of the lead's pairs; gives where they begin, and how many."""
    row = table.order[lead] if len(table.order) else lead
    n_reps = len(table.rank)
    if len(table.start):
        begin, n = table.start[row], table.start[row + 1] - table.start[row]
        for t in range(n):
            v = table.data[begin + t] * table.scale
            x = (v + table.halfway) - table.halfway
            if x == 0.0 and v != 0.0:
                x = 1.0 if v > 0.0 else -1.0  # no score vanishes
            worth[t] = x - charge[table.column[begin + t]]
        return begin, n
    begin = row * n_reps
    values = table.data[begin : begin + n_reps]
    for t in range(n_reps):
        v = values[t] * table.scale
        x = (v + table.halfway) - table.halfway
        tiny = (1.0 if v > 0.0 else 0.0) - (1.0 if v < 0.0 else 0.0)
        worth[t] = (tiny if x == 0.0 else x) - charge[t]
    return begin, n_reps


@compiled
def _rank_at(table, begin, t):  # type: ignore[no-untyped-def]
    return table.rank[table.column[begin + t]] if len(table.start) else table.rank[t]


@compiled
def survey_rows(first_lead, last_lead, table, charge, rest, best, first, second, margin):  # type: ignore[no-untyped-def]
    """The best and second best of each lead's pairs and nurture (rep R), and what lies between them.

    Of equal ones the rep comes first whose rank follows the lead's number, so that ties spread over the reps.
    """
    n_reps = len(table.rank)
    worth = np.empty(n_reps)
    for lead in range(first_lead, last_lead):
        begin, n = _worths(table, lead, charge, worth)
        m1, m2, k1, k2 = rest[lead], -np.inf, n_reps, -1
        turn1, turn2 = n_reps, n_reps
        for t in range(n):
            x = worth[t]
            if x < m2:
                continue
            rank = _rank_at(table, begin, t)
            turn = (rank - lead) % n_reps
            if x > m1 or (x == m1 and turn < turn1):
                m1, m2, k1, k2, turn1, turn2 = x, m1, rank, k1, turn, turn1
            elif x > m2 or turn < turn2:
                m2, k2, turn2 = x, rank, turn
        best[lead], first[lead], second[lead], margin[lead] = m1, k1, k2, m1 - m2


@compiled
def _most(worth, n, lanes):  # type: ignore[no-untyped-def]
    """The largest of n numbers, in eight lanes that the processor takes at once."""
    for k in range(8):
        lanes[k] = -np.inf
    whole = n - n % 8
    for t in range(0, whole, 8):
        for k in range(8):
            lanes[k] = worth[t + k] if worth[t + k] > lanes[k] else lanes[k]
    most = -np.inf
    for t in range(whole, n):
        most = worth[t] if worth[t] > most else most
    for k in range(8):
        most = lanes[k] if lanes[k] > most else most
    return most


@compiled
def highest_rows(first_lead, last_lead, table, charge, highest):  # type: ignore[no-untyped-def]
    """(n,) the most that any of a lead's pairs is worth at these charges."""
    worth, lanes = np.empty(len(table.rank)), np.empty(8)
    for lead in range(first_lead, last_lead):
        _, n = _worths(table, lead, charge, worth)
        highest[lead] = _most(worth, n, lanes)


@compiled
def near_rows(first_lead, last_lead, table, charge, rest, distance, rep, value):  # type: ignore[no-untyped-def]
    """(n, W) each lead's nurture, then its best pairs, best first: those that lose no more than `distance` against the
    best; -1 where there are fewer. Of equal ones those come first whose rank follows the lead's number."""
    width, n_reps = rep.shape[1], len(table.rank)
    worth, lanes = np.empty(n_reps), np.empty(8)
    held, turns = np.empty(width), np.empty(width, np.int64)
    for lead in range(first_lead, last_lead):
        begin, n = _worths(table, lead, charge, worth)
        rep[lead, 0], value[lead, 0] = n_reps, rest[lead]
        enough, size = max(_most(worth, n, lanes), rest[lead]) - distance, 1
        for t in range(n):
            x = worth[t]
            if x < enough:
                continue
            rank = _rank_at(table, begin, t)
            turn = (rank - lead) % n_reps
            if size == width and x == enough and turn > turns[width - 1]:
                continue
            at = width - 1 if size == width else size
            size = min(size + 1, width)
            while at > 1 and (held[at - 1] < x or (held[at - 1] == x and turns[at - 1] > turn)):
                held[at], turns[at], rep[lead, at] = held[at - 1], turns[at - 1], rep[lead, at - 1]
                value[lead, at] = value[lead, at - 1]
                at -= 1
            column = table.column[begin + t] if len(table.start) else t
            held[at], turns[at], rep[lead, at], value[lead, at] = x, turn, rank, x + charge[column]
            if size == width:
                enough = max(enough, held[width - 1])
        for at in range(size, width):
            rep[lead, at], value[lead, at] = -1, -np.inf


@compiled
def cheapest_moves(first_lead, last_lead, table, leads, holder, worth_now, cost):  # type: ignore[no-untyped-def]
    """(R + 1, R + 1) lower `cost[u, s]` to what is lost at least when one of u's leads goes to column s.

    leads : the leads in the order to go through; holder, worth_now : (L,) each lead's rep and what it is worth there.
    """
    n_reps = len(table.rank)
    worth, nothing = np.empty(n_reps), np.zeros(n_reps)
    for place in range(first_lead, last_lead):
        lead = leads[place]
        begin, n = _worths(table, lead, nothing, worth)
        row, now = cost[holder[lead]], worth_now[lead]
        if len(table.start):
            for t in range(n):
                column = table.column[begin + t]
                row[column] = min(row[column], now - worth[t])
        else:
            for t in range(n):
                row[t] = now - worth[t] if now - worth[t] < row[t] else row[t]
