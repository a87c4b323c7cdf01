"""The compiled heart of the search: shifts and chains under simulated annealing, then descent to a local optimum.

A shift moves one unit to another option; a chain moves one unit to a rep and one of that rep's units on to another
option (a swap is the chain that closes). Violations are charged at growing weights, so the search may pass through
plans that break a rule, and keeps the best that breaks none. A move changes a handful of sums, so millions are tried
in a second.
Kirkpatrick, Gelatt and Vecchi, "Optimization by simulated annealing", 1983; Glover, "Ejection chains", 1996.

Deterministic: its random numbers are its own (xorshift64*), so that no library's stream can change a plan. Compiled on
first use and kept on disk; problems that the exact search settles never come here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apportion.engines.compiled import compiled, compiled_without_lock

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BETWEEN_LOOKS = 256  # moves between two looks at totals and at the plan as a whole
FEW = 10_000  # units, below which each is so much of a total that bounds which follow it do so at each move
CHAINS = 0.9  # of the moves; the rest are shifts
HOPELESS = 20.0  # temperatures of loss that are never accepted


class Arena(NamedTuple):
    """Candidates and bounds as flat arrays. N candidates in unit order, those of a unit by what they lose.

    start : (U + 1,). unit, rep, value : (N,), rep R for rest. list_start : (R + 2,) where each rep's list of units
        begins, with room for all that could come. measure : (N, F). group : (F, R + 1). low, high,
        low_share, high_share : (F, G + 1).
    sums : (F, G + 1) and totals : (F,) of the units that have no choice. coupled, hard, price, tolerance : (F,).
    """

    start: Ints
    unit: Ints
    rep: Ints
    list_start: Ints
    value: Floats
    measure: Floats
    group: Ints
    low: Floats
    high: Floats
    low_share: Floats
    high_share: Floats
    sums: Floats
    totals: Floats
    coupled: NDArray[np.bool_]
    hard: NDArray[np.bool_]
    price: Floats
    tolerance: Floats


@compiled
def _random(state):  # type: ignore[no-untyped-def]
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def _out(amount, low, high):  # type: ignore[no-untyped-def]
    """How far an amount is out of its bounds."""
    if amount < low:
        return low - amount
    if amount > high:
        return amount - high
    return 0.0


@compiled
def _charge(f, at, delta, sums, low, high, weight):  # type: ignore[no-untyped-def]
    """What it costs to add `delta` to a group's sum."""
    now = sums[f, at]
    return weight[f, at] * (_out(now + delta, low[f, at], high[f, at]) - _out(now, low[f, at], high[f, at]))


@compiled
def _shift_cost(old, new, rep, measure, group, sums, low, high, weight, slope):  # type: ignore[no-untyped-def]
    cost = 0.0
    for f in range(measure.shape[1]):
        m0, m1 = measure[old, f], measure[new, f]
        g0, g1 = group[f, rep[old]], group[f, rep[new]]
        if g0 == g1:
            cost += _charge(f, g0, m1 - m0, sums, low, high, weight)
        else:
            cost += _charge(f, g0, -m0, sums, low, high, weight) + _charge(f, g1, m1, sums, low, high, weight)
        cost += slope[f] * (m1 - m0)
    return cost


@compiled
def _chain_cost(a0, a1, b0, b1, rep, measure, group, sums, low, high, weight, slope):  # type: ignore[no-untyped-def]
    """Charge of one unit going a0 -> a1 and one of the units at a1's rep going b0 -> b1."""
    cost = 0.0
    for f in range(measure.shape[1]):
        d0, d1, d2 = -measure[a0, f], measure[a1, f] - measure[b0, f], measure[b1, f]
        g0, g1, g2 = group[f, rep[a0]], group[f, rep[b0]], group[f, rep[b1]]
        cost += slope[f] * (d0 + d1 + d2)
        if g1 == g0:
            d0 += d1
            d1 = 0.0
        if g2 == g0:
            d0 += d2
            d2 = 0.0
        elif g2 == g1:
            d1 += d2
            d2 = 0.0
        if d0 != 0.0:
            cost += _charge(f, g0, d0, sums, low, high, weight)
        if d1 != 0.0:
            cost += _charge(f, g1, d1, sums, low, high, weight)
        if d2 != 0.0:
            cost += _charge(f, g2, d2, sums, low, high, weight)
    return cost


@compiled
def _move(arena, option, chosen, place, members, count, sums, totals):  # type: ignore[no-untyped-def]
    """Let a unit take an option: lists of units and sums follow."""
    u = arena.unit[option]
    old = chosen[u]
    here, there = arena.rep[old], arena.rep[option]
    for f in range(arena.measure.shape[1]):
        sums[f, arena.group[f, here]] -= arena.measure[old, f]
        sums[f, arena.group[f, there]] += arena.measure[option, f]
        totals[f] += arena.measure[option, f] - arena.measure[old, f]
    chosen[u] = option
    if here != there:
        count[here] -= 1
        last = members[arena.list_start[here] + count[here]]
        members[place[u]] = last
        place[last] = place[u]
        place[u] = arena.list_start[there] + count[there]
        members[place[u]] = u
        count[there] += 1


@compiled
def _follow(arena, sums, totals, weight, low, high, slope):  # type: ignore[no-untyped-def]
    """Bounds that follow a total, and what one more unit of the total would be charged."""
    for f in range(len(arena.coupled)):
        slope[f] = 0.0
        if not arena.coupled[f]:
            continue
        for g in range(low.shape[1]):
            low[f, g] = arena.low[f, g] + arena.low_share[f, g] * totals[f]
            high[f, g] = arena.high[f, g] + arena.high_share[f, g] * totals[f]
            if sums[f, g] < low[f, g]:
                slope[f] += weight[f, g] * arena.low_share[f, g]
            elif sums[f, g] > high[f, g]:
                slope[f] -= weight[f, g] * arena.high_share[f, g]


@compiled
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


@compiled
def _charged(sums, low, high, weight):  # type: ignore[no-untyped-def]
    """What all violations are charged."""
    charge = 0.0
    for f in range(sums.shape[0]):
        for g in range(low.shape[1]):
            charge += weight[f, g] * _out(sums[f, g], low[f, g], high[f, g])
    return charge


@compiled
def _accepts(gain, temperature, state):  # type: ignore[no-untyped-def]
    return gain >= 0 or (gain > -HOPELESS * temperature and _random(state) < np.exp(gain / temperature))


@compiled
def _enter(arena, chosen):  # type: ignore[no-untyped-def]
    """Lists and sums of a choice."""
    n_units, n_lists = len(arena.start) - 1, arena.group.shape[1]
    place, count = np.zeros(n_units, np.int64), np.zeros(n_lists, np.int64)
    members = np.zeros(len(arena.rep), np.int64)
    sums, totals = arena.sums.copy(), arena.totals.copy()
    worth = 0.0
    for u in range(n_units):
        option = chosen[u]
        at = arena.rep[option]
        place[u] = arena.list_start[at] + count[at]
        members[place[u]] = u
        count[at] += 1
        worth += arena.value[option]
        for f in range(arena.measure.shape[1]):
            sums[f, arena.group[f, at]] += arena.measure[option, f]
            totals[f] += arena.measure[option, f]
    return place, members, count, sums, totals, worth


@compiled_without_lock
def anneal(arena, base_weight, chosen, moves, hot, cold, growth, seed, over):  # type: ignore[no-untyped-def]
    """Anneal from `chosen` ((U,) candidates).

    Gives the best choice that keeps every hard bound and its objective (-inf if none), and the last choice.

    moves : tried. hot, cold : temperatures in currency, falling geometrically. base_weight : (F, G + 1) currency per
    unit of violation, growing by `growth` for hard bounds. Bounds that follow a total are brought up to date, and the
    plan compared with the best, every so many moves: in between a total hardly changes. over : (1,) ends the run
    when it is no longer 0.
    """
    start, rep, value, measure, group = arena.start, arena.rep, arena.value, arena.measure, arena.group
    n_units = len(start) - 1
    state = np.array([np.uint64(seed) * np.uint64(2654435761) + np.uint64(88172645463325252)], dtype=np.uint64)
    chosen = chosen.copy()
    low, high, slope, weight = arena.low.copy(), arena.high.copy(), np.zeros(len(arena.hard)), base_weight.copy()
    place, members, count, sums, totals, worth = _enter(arena, chosen)
    best, best_worth, temperature = chosen.copy(), -np.inf, hot
    fine, charge = n_units < FEW and arena.coupled.any(), 0.0
    for step in range(moves):
        if step % BETWEEN_LOOKS == 0:
            if over[0]:
                break
            progress = step / moves
            temperature = hot * (cold / hot) ** progress
            for f in range(len(arena.hard)):
                if arena.hard[f]:
                    weight[f] = base_weight[f] * growth**progress
            _follow(arena, sums, totals, weight, low, high, slope)
            charge = _charged(sums, low, high, weight)
            if worth > best_worth:
                holds, cost = _standing(arena.hard, arena.price, sums, low, high, arena.tolerance)
                if holds and worth - cost > best_worth:
                    best_worth = worth - cost
                    best[:] = chosen
        u = int(_random(state) * n_units)
        width = start[u + 1] - start[u]
        draw = _random(state)
        a0, a1 = chosen[u], start[u] + int(draw * draw * width)  # options that lose little are tried more often
        if a1 == a0:
            continue
        at = rep[a1]
        b0, b1 = -1, -1
        if _random(state) < CHAINS and count[at] > 0 and at != rep[a0] and at < group.shape[1] - 1:
            k = members[arena.list_start[at] + int(_random(state) * count[at])]
            b0 = chosen[k]
            draw = _random(state)
            b1 = start[k] + int(draw * draw * (start[k + 1] - start[k]))
            if _random(state) < 0.5:  # close the chain where the partner can go to the place that becomes free
                for option in range(start[k], start[k + 1]):
                    if rep[option] == rep[a0]:
                        b1 = option
                        break
            if b1 == b0 or rep[b1] == at:
                continue
            gain = value[a1] - value[a0] + value[b1] - value[b0]
            gain -= _chain_cost(a0, a1, b0, b1, rep, measure, group, sums, low, high, weight, slope)
        else:
            gain = value[a1] - value[a0]
            gain -= _shift_cost(a0, a1, rep, measure, group, sums, low, high, weight, slope)
        if not _accepts(gain, temperature, state):
            continue
        more = value[a1] - value[a0]
        _move(arena, a1, chosen, place, members, count, sums, totals)
        if b0 >= 0:
            more += value[b1] - value[b0]
            _move(arena, b1, chosen, place, members, count, sums, totals)
        if fine:  # the slope flattered the move, for charges are convex: it is accepted for the rest of its cost too
            _follow(arena, sums, totals, weight, low, high, slope)
            now = _charged(sums, low, high, weight)
            if not _accepts(more - (now - charge) - min(gain, 0.0), temperature, state):
                if b0 >= 0:
                    _move(arena, b0, chosen, place, members, count, sums, totals)
                _move(arena, a0, chosen, place, members, count, sums, totals)
                _follow(arena, sums, totals, weight, low, high, slope)
                continue
            charge = now
        worth += more
    return best, best_worth, chosen


@compiled_without_lock
def descend(arena, weight, chosen, sweeps, least, over):  # type: ignore[no-untyped-def]
    """Take every shift and chain that gains more than `least`, sweep by sweep, until none does.

    Gives the choice, its objective and whether it keeps every hard bound.
    """
    start, unit, rep, value, measure, group = (
        arena.start,
        arena.unit,
        arena.rep,
        arena.value,
        arena.measure,
        arena.group,
    )
    chosen = chosen.copy()
    low, high, slope = arena.low.copy(), arena.high.copy(), np.zeros(len(arena.hard))
    place, members, count, sums, totals, worth = _enter(arena, chosen)
    _follow(arena, sums, totals, weight, low, high, slope)
    for _ in range(sweeps):
        moved = False
        for u in range(len(start) - 1):
            if over[0]:
                break
            best, a, b = least, -1, -1
            a0 = chosen[u]
            for a1 in range(start[u], start[u + 1]):
                if a1 == a0:
                    continue
                gain = value[a1] - value[a0] - _shift_cost(a0, a1, rep, measure, group, sums, low, high, weight, slope)
                if gain > best:
                    best, a, b = gain, a1, -1
                at = rep[a1]
                if at == rep[a0] or at == group.shape[1] - 1:
                    continue
                for j in range(count[at]):
                    k = members[arena.list_start[at] + j]
                    b0 = chosen[k]
                    plain = value[a1] - value[a0] - value[b0]
                    for b1 in range(start[k], start[k + 1]):
                        if rep[b1] == at:
                            continue
                        gain = plain + value[b1]
                        gain -= _chain_cost(a0, a1, b0, b1, rep, measure, group, sums, low, high, weight, slope)
                        if gain > best:
                            best, a, b = gain, a1, b1
            if a < 0:
                continue
            moved = True
            worth += value[a] - value[chosen[u]]
            _move(arena, a, chosen, place, members, count, sums, totals)
            if b >= 0:
                worth += value[b] - value[chosen[unit[b]]]
                _move(arena, b, chosen, place, members, count, sums, totals)
            _follow(arena, sums, totals, weight, low, high, slope)
        if not moved:
            break
    holds, cost = _standing(arena.hard, arena.price, sums, low, high, arena.tolerance)
    return chosen, worth - cost, holds
