"""Compiled: the few options of each lead that matter, and moving leads between reps along shortest paths.

Nodes are the R reps and nurture (R). Sending one of u's leads to s costs what it loses; `cost[u, s]` is the least, and
`option[u, s]` the option that has it. Options that their lead could change to are chained in a list for each (u, s), so
that a lead that moves is taken out and put in without looking at any other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apportion.engines.transport.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Small = NDArray[np.int32]


class State(NamedTuple):
    """Who holds which lead, at which prices. W options a lead, option c belongs to lead c // W.

    rep, value : (L · W,) of each option; rep -1 for none. now : (L,) the option that each lead has.
    after, before : (L · W,) the lists; head : (R + 1, R + 1) where each begins. cost, option : (R + 1, R + 1).
    price : (R + 1,) with 0 for nurture. held : (R + 1,) leads of each. flow : (R,) leads that the rep's bounds take;
    least, most : (R,) those bounds. big : what a missing lead of a lower bound costs.
    """

    rep: Small
    value: Floats
    now: Small
    after: Small
    before: Small
    head: Small
    cost: Floats
    option: Small
    price: Floats
    held: Ints
    flow: Ints
    least: Ints
    most: Ints
    big: float


@compiled
def survey_options(first_lead, last_lead, rep, value, width, price, best, first, second, margin, now):  # type: ignore[no-untyped-def]
    """The best and second best option of each lead, and what lies between them; of equal ones the earlier, nurture
    last."""
    for lead in range(first_lead, last_lead):
        base = lead * width
        m1, m2, k1, k2, at = -np.inf, -np.inf, -1, -1, base
        for c in range(base + 1, base + width + 1):
            o = c if c < base + width else base  # nurture stands first and is looked at last
            if rep[o] < 0:
                continue
            x = value[o] - price[rep[o]]
            if x > m1:
                m2, k2 = m1, k1
                m1, k1, at = x, rep[o], o
            elif x > m2:
                m2, k2 = x, rep[o]
        best[lead], first[lead], second[lead], margin[lead], now[lead] = m1, k1, k2, m1 - m2, at


@compiled
def link(state, o):  # type: ignore[no-untyped-def]
    """Put one option of a lead into the list of the lead's holder."""
    width = len(state.rep) // len(state.now)
    held = state.now[o // width]
    u, s = state.rep[held], state.rep[o]
    if s < 0 or s == u:
        return
    old = state.head[u, s]
    state.after[o], state.before[o] = old, -1
    if old >= 0:
        state.before[old] = o
    state.head[u, s] = o
    loss = state.value[held] - state.value[o]
    if loss < state.cost[u, s]:
        state.cost[u, s], state.option[u, s] = loss, o


@compiled
def _unlink(state, o, u):  # type: ignore[no-untyped-def]
    """Take one option out of its list, and look for the cheapest that is left where it was that."""
    width = len(state.rep) // len(state.now)
    s = state.rep[o]
    if s < 0 or s == u:
        return
    nxt, prv = state.after[o], state.before[o]
    if prv >= 0:
        state.after[prv] = nxt
    else:
        state.head[u, s] = nxt
    if nxt >= 0:
        state.before[nxt] = prv
    if state.option[u, s] != o:
        return
    old, least, found = state.cost[u, s], np.inf, -1
    other = state.head[u, s]
    while other >= 0:
        loss = state.value[state.now[other // width]] - state.value[other]
        if loss < least:
            least, found = loss, other
            if loss == old:
                break  # nothing cheaper was there before, so ties cost nothing
        other = state.after[other]
    state.cost[u, s], state.option[u, s] = least, found


@compiled
def link_all(state):  # type: ignore[no-untyped-def]
    """Enter every option, and count who holds what."""
    state.head[:, :] = -1
    state.option[:, :] = -1
    state.cost[:, :] = np.inf
    state.held[:] = 0
    for lead in range(len(state.now)):
        state.held[state.rep[state.now[lead]]] += 1
    for o in range(len(state.rep)):
        link(state, o)


@compiled
def move(state, o):  # type: ignore[no-untyped-def]
    """Give a lead its other option."""
    width = len(state.rep) // len(state.now)
    lead = o // width
    u = state.rep[state.now[lead]]
    base = lead * width
    for c in range(base, base + width):
        _unlink(state, c, u)
    state.now[lead] = o
    state.held[u] -= 1
    state.held[state.rep[o]] += 1
    for c in range(base, base + width):
        link(state, c)


@compiled
def _slack(state, u, v):  # type: ignore[no-untyped-def]
    """What it costs to let the bounds of a rep take one lead more (v is nurture) or less (u is)."""
    nurture = len(state.flow)
    if v == nurture:
        if state.flow[u] < state.least[u]:
            return -state.big
        return 0.0 if state.flow[u] < state.most[u] else np.inf
    if u == nurture:
        if state.flow[v] > state.least[v]:
            return 0.0
        return state.big if state.flow[v] > 0 else np.inf
    return np.inf


@compiled
def settle_flow(state):  # type: ignore[no-untyped-def]
    """What the bounds of each rep take at the prices: all they can where a slot has a price."""
    for r in range(len(state.flow)):
        price = state.price[r]
        least, most = state.least[r], state.most[r]
        if price > 0.0:
            state.flow[r] = most
        elif price < 0.0:
            state.flow[r] = least if price > -state.big else min(least, state.held[r])
        else:
            state.flow[r] = min(max(state.held[r], least), most)


@compiled
def excess_of(state):  # type: ignore[no-untyped-def]
    """(R + 1,) leads held beyond what the bounds take; nurture has the rest."""
    n = len(state.flow)
    excess = np.zeros(n + 1, np.int64)
    for r in range(n):
        excess[r] = state.held[r] - state.flow[r]
        excess[n] -= excess[r]
    return excess


@compiled
def shortest_paths(state, excess, most_paths):  # type: ignore[no-untyped-def]
    """Bring leads from where there are too many to where there are too few, each along a shortest path.

    Successive shortest paths with potentials; Ahuja, Magnanti and Orlin, "Network Flows", 1993, chapter 9. Gives the
    number of paths; fewer than `most_paths` when nothing is left to bring.
    """
    n = len(state.price)
    distance, via, kind = np.empty(n), np.empty(n, np.int32), np.empty(n, np.bool_)
    done, settled = np.empty(n, np.bool_), np.empty(n, np.int32)
    source = 0
    for path in range(most_paths):
        while source < n and excess[source] <= 0:
            source += 1
        if source == n:
            return path
        n_settled, target = _nearest(state, excess, source, distance, via, kind, done, settled)
        reach = distance[target]
        for k in range(n_settled):
            state.price[settled[k]] += reach - distance[settled[k]]
        shift = state.price[n - 1]
        if shift != 0.0:
            for v in range(n):
                state.price[v] -= shift
        v = target
        while v != source:  # from the end, so that no list is changed before it is used
            u = via[v]
            if kind[v]:
                if v == n - 1:
                    state.flow[u] += 1
                else:
                    state.flow[v] -= 1
            else:
                move(state, state.option[u, v])
            v = u
        excess[source] -= 1
        excess[target] += 1
    return most_paths


@compiled
def _nearest(state, excess, source, distance, via, kind, done, settled):  # type: ignore[no-untyped-def]
    """Dijkstra's algorithm from one node until one that lacks leads is reached."""
    n = len(state.price)
    distance[:] = np.inf
    done[:] = False
    distance[source] = 0.0
    n_settled, u = 0, source
    while True:
        done[u] = True
        if excess[u] < 0:
            return n_settled, u
        settled[n_settled] = u
        n_settled += 1
        here = distance[u] - state.price[u]
        nearest, following = np.inf, -1
        for v in range(n):
            if done[v]:
                continue
            far = here + state.cost[u, v] + state.price[v]
            if far < distance[v]:
                distance[v], via[v], kind[v] = far, u, False
            if u == n - 1 or v == n - 1:
                far = here + _slack(state, u, v) + state.price[v]
                if far < distance[v]:
                    distance[v], via[v], kind[v] = far, u, True
            if distance[v] < nearest:
                nearest, following = distance[v], v
        u = following
