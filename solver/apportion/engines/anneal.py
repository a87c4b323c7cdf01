"""The compiled heart of the local search: shifts and swaps under simulated annealing, violations charged at growing weights.

Kirkpatrick, Gelatt and Vecchi, "Optimization by simulated annealing", 1983. A move changes a handful of sums, so millions are tried in a second.
Deterministic: its random numbers are its own (xorshift64*), so that no library's stream can change a plan. Compiled on first use and
kept on disk; problems that the exact search settles never come here.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@nb.njit(cache=True, inline="always")
def _random(state: Any) -> float:
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@nb.njit(cache=True, inline="always")
def _out(amount: float, low: float, high: float) -> float:
    """How far an amount is out of its bounds."""
    if amount < low:
        return low - amount
    if amount > high:
        return amount - high
    return 0.0


@nb.njit(cache=True, inline="always")
def _change(f, at, delta, sums, low, high, weight):  # type: ignore[no-untyped-def]
    """What it costs to add `delta` to a group's sum."""
    now = sums[f, at]
    return weight[f, at] * (_out(now + delta, low[f, at], high[f, at]) - _out(now, low[f, at], high[f, at]))


@nb.njit(cache=True)
def _move_cost(old, new, rep, measure, group, sums, low, high, weight, slope):  # type: ignore[no-untyped-def]
    """Charge of a unit leaving option `old` for `new`."""
    cost = 0.0
    for f in range(measure.shape[1]):
        m0, m1 = measure[old, f], measure[new, f]
        g0, g1 = group[f, rep[old]], group[f, rep[new]]
        if g0 == g1:
            cost += _change(f, g0, m1 - m0, sums, low, high, weight)
        else:
            cost += _change(f, g0, -m0, sums, low, high, weight) + _change(f, g1, m1, sums, low, high, weight)
        cost += slope[f] * (m1 - m0)
    return cost


@nb.njit(cache=True)
def _swap_cost(a0, a1, b0, b1, rep, measure, group, sums, low, high, weight, slope):  # type: ignore[no-untyped-def]
    """Charge of two units that change places: a0 -> a1 at b's rep, b0 -> b1 at a's rep."""
    cost = 0.0
    for f in range(measure.shape[1]):
        here = measure[b1, f] - measure[a0, f]
        there = measure[a1, f] - measure[b0, f]
        g0, g1 = group[f, rep[a0]], group[f, rep[b0]]
        if g0 == g1:
            cost += _change(f, g0, here + there, sums, low, high, weight)
        else:
            cost += _change(f, g0, here, sums, low, high, weight) + _change(f, g1, there, sums, low, high, weight)
        cost += slope[f] * (here + there)
    return cost


@nb.njit(cache=True)
def _tally(option, sign, rep, measure, group, sums, totals):  # type: ignore[no-untyped-def]
    for f in range(measure.shape[1]):
        sums[f, group[f, rep[option]]] += sign * measure[option, f]
        totals[f] += sign * measure[option, f]


@nb.njit(cache=True)
def _refresh(low0, high0, low_share, high_share, coupled, sums, totals, weight, low, high, slope):  # type: ignore[no-untyped-def]
    """Bounds that follow a total, and what one more unit of the total would be charged."""
    for f in range(len(coupled)):
        slope[f] = 0.0
        if not coupled[f]:
            continue
        for g in range(low.shape[1]):
            low[f, g] = low0[f, g] + low_share[f, g] * totals[f]
            high[f, g] = high0[f, g] + high_share[f, g] * totals[f]
            if sums[f, g] < low[f, g]:
                slope[f] += weight[f, g] * low_share[f, g]
            elif sums[f, g] > high[f, g]:
                slope[f] -= weight[f, g] * high_share[f, g]


@nb.njit(cache=True)
def _standing(hard, price, sums, low, high, tolerance):  # type: ignore[no-untyped-def]
    """Whether every hard bound holds, and what the soft ones cost."""
    cost = 0.0
    for f in range(len(hard)):
        for g in range(low.shape[1]):
            out = _out(sums[f, g], low[f, g], high[f, g])
            if hard[f]:
                if out > tolerance[f]:
                    return False, 0.0
            else:
                cost += price[f] * out
    return True, cost


@nb.njit(cache=True)
def _partner(options_start, option_unit, rep, chosen, unit, at):  # type: ignore[no-untyped-def]
    """The option of a unit at a rep, -1 where it has none among its candidates."""
    for option in range(options_start[unit], options_start[unit + 1]):
        if rep[option] == at:
            return option
    return -1


@nb.njit(cache=True)
def anneal(  # type: ignore[no-untyped-def]
    start, unit, rep, value, measure, group, low0, high0, low_share, high_share, coupled, hard, price,
    base_weight, tolerance, chosen, moves, hot, cold, growth, seed,
):  # fmt: skip
    """Anneal from `chosen`; give the best choice that keeps every hard bound, its objective (-inf if none), and the last choice.

    start : (U + 1,) candidates of each unit. unit, rep, value : (N,) of each candidate, rep R for rest. measure : (N, F).
    group : (F, R + 1). bounds, shares, base_weight : (F, G + 1). coupled, hard, price, tolerance : (F,). chosen : (U,) candidates.
    """
    n_units, n_families = len(start) - 1, measure.shape[1]
    state = np.array([np.uint64(seed) * np.uint64(2654435761) + np.uint64(88172645463325252)], dtype=np.uint64)
    chosen = chosen.copy()
    sums, totals = np.zeros(low0.shape), np.zeros(n_families)
    low, high, slope = low0.copy(), high0.copy(), np.zeros(n_families)
    weight = base_weight.copy()
    worth = 0.0
    for u in range(n_units):
        _tally(chosen[u], 1.0, rep, measure, group, sums, totals)
        worth += value[chosen[u]]
    best, best_worth = chosen.copy(), -np.inf
    for step in range(moves):
        if step % 1024 == 0:
            progress = step / moves
            temperature = hot * (cold / hot) ** progress
            for f in range(n_families):
                if hard[f]:
                    weight[f] = base_weight[f] * growth**progress
            _refresh(low0, high0, low_share, high_share, coupled, sums, totals, weight, low, high, slope)
        u = int(_random(state) * n_units)
        width = start[u + 1] - start[u]
        if width < 2:
            continue
        a0 = chosen[u]
        a1 = start[u] + int(_random(state) * width)
        if a1 == a0:
            continue
        b0, b1 = -1, -1
        if _random(state) < 0.6:
            k = int(_random(state) * n_units)
            for _ in range(40):  # look for a unit at the rep that `a1` goes to
                if rep[chosen[k]] == rep[a1]:
                    break
                k = int(_random(state) * n_units)
            if rep[chosen[k]] != rep[a1] or k == u:
                continue
            b0 = chosen[k]
            b1 = _partner(start, unit, rep, chosen, k, rep[a0])
            if b1 < 0:
                continue
            gain = value[a1] - value[a0] + value[b1] - value[b0]
            gain -= _swap_cost(a0, a1, b0, b1, rep, measure, group, sums, low, high, weight, slope)
        else:
            gain = value[a1] - value[a0]
            gain -= _move_cost(a0, a1, rep, measure, group, sums, low, high, weight, slope)
        if gain < 0 and _random(state) >= np.exp(gain / temperature):
            continue
        _tally(a0, -1.0, rep, measure, group, sums, totals)
        _tally(a1, 1.0, rep, measure, group, sums, totals)
        chosen[u] = a1
        worth += value[a1] - value[a0]
        if b0 >= 0:
            _tally(b0, -1.0, rep, measure, group, sums, totals)
            _tally(b1, 1.0, rep, measure, group, sums, totals)
            chosen[unit[b0]] = b1
            worth += value[b1] - value[b0]
        _refresh(low0, high0, low_share, high_share, coupled, sums, totals, weight, low, high, slope)
        if worth > best_worth:
            holds, cost = _standing(hard, price, sums, low, high, tolerance)
            if holds and worth - cost > best_worth:
                best_worth = worth - cost
                best[:] = chosen
    return best, best_worth, chosen
