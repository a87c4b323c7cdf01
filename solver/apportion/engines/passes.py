"""One pass over the pairs at given charges: the smoothed best of each unit, its gradient and its curvature.

Compiled, without the interpreter's lock, and in a fixed number of parts that are added up in order: the same sums to
the last digit, however many threads there are.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.engines.compiled import compiled, compiled_without_lock

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PARTS = 2  # each holds a curvature of its own
FARTHEST = 16.0  # temperatures behind the best: what is farther has no weight
BEND = 1e-3  # weight below which an option does not enter the curvature
FEW = 100_000  # pairs, below which a pass takes less time than threads need to start
BLOCK = 512  # units whose curvature is added up at once
DENSE = 0.25  # of the cells that a unit's options bend: from there on, a product of matrices is quicker


@dataclass(frozen=True, eq=False)
class Smoothed:
    """total : sum of the units' smoothed best. sums : (D,) soft sum of the measure of each cell. curvature : (D, D)."""

    total: float
    sums: Floats
    curvature: Floats


def smoothed_pass(
    start: Ints,
    rep: NDArray[np.integer],
    value: Floats,
    measures: Floats,
    rest: Floats,
    *,
    units: Ints,
    cell: Ints,
    n_cells: int,
    charge: Floats,
    temperature: Floats,
) -> Smoothed:
    """Softmax over the charged options of the given units.

    start : (U + 1,). rep, value : (P,). measures : (F, P). rest : (U,). units : (N,) which to look at. cell : (F, R)
    where each rep's measures are added up, of D = n_cells. charge : (F, R) currency per unit of measure. temperature :
    (U,) > 0, currency.
    """
    cuts = np.linspace(0, len(units), PARTS + 1).astype(np.int64)

    def part(k: int) -> tuple[float, Floats, Floats]:
        total, sums, curvature = 0.0, np.zeros(n_cells), np.zeros((n_cells, n_cells))
        pull = np.empty((BLOCK, n_cells))
        for first in range(cuts[k], cuts[k + 1], BLOCK):
            mine = units[first : min(first + BLOCK, cuts[k + 1])]
            more, n = _soften(mine, start, rep, value, measures, rest, cell, charge, temperature, sums, curvature, pull)
            total += more
            curvature -= pull[:n].T @ pull[:n]
        return total, sums, curvature

    if len(rep) < FEW:
        parts = [part(k) for k in range(PARTS)]
    else:
        with ThreadPoolExecutor(PARTS) as pool:
            parts = list(pool.map(part, range(PARTS)))
    totals, sums, curvatures = zip(*parts, strict=True)
    return Smoothed(sum(totals), sum(sums), sum(curvatures))


@compiled
def _bend(weight, pair, rep, measures, cell, cold, curvature, pull):  # type: ignore[no-untyped-def]
    """Add the curvature of one unit, whose options have these weights.

    pull : (1, D) for what the second part is the product of with itself, to be taken off later; (0, D) to take it off
    here.
    """
    families = range(len(cell))
    for k in range(len(pair)):
        p = pair[k]
        for f in families:
            steep = weight[k] * cold * measures[f, p]
            row = curvature[cell[f, rep[p]]]
            for g in families:
                row[cell[g, rep[p]]] += steep * measures[g, p]
            if len(pull):
                pull[0, cell[f, rep[p]]] += weight[k] * np.sqrt(cold) * measures[f, p]
                continue
            for g in families:
                for j in range(len(pair)):
                    q = pair[j]
                    row[cell[g, rep[q]]] -= steep * weight[j] * measures[g, q]


@compiled_without_lock
def _soften(units, start, rep, value, measures, rest, cell, charge, temperature, sums, curvature, pull):  # type: ignore[no-untyped-def]
    """Add up soft sums and curvature of some units; gives the sum of their smoothed best.

    pull : (N, D) room for the units that bend many cells, whose part of the curvature is left as rows to be multiplied;
    gives how many.
    """
    n_families, n_pulls = len(charge), 0
    many = DENSE * len(sums) / n_families
    widest = 0
    for u in units:
        widest = max(widest, start[u + 1] - start[u])
    weight, pair = np.empty(widest), np.empty(widest, np.int64)
    total = 0.0
    for u in units:
        best = rest[u]
        for p in range(start[u], start[u + 1]):
            worth = value[p]
            for f in range(n_families):
                worth -= charge[f, rep[p]] * measures[f, p]
            weight[p - start[u]] = worth
            best = max(best, worth)
        if best == -np.inf:
            continue
        cold = 1.0 / temperature[u]
        mass = np.exp((rest[u] - best) * cold)
        n = 0
        for p in range(start[u], start[u + 1]):
            behind = (weight[p - start[u]] - best) * cold
            if behind > -FARTHEST:
                weight[n] = np.exp(behind)
                mass += weight[n]
                pair[n] = p
                n += 1
        total += best + temperature[u] * np.log(mass)
        bending = 0
        for k in range(n):
            w, p = weight[k] / mass, pair[k]
            for f in range(n_families):
                sums[cell[f, rep[p]]] += w * measures[f, p]
            if w > BEND:
                weight[bending], pair[bending] = w, p
                bending += 1
        if bending == 1 and weight[0] > 1.0 - BEND:
            continue
        dense = bending > many
        if dense:
            pull[n_pulls] = 0.0
        _bend(weight[:bending], pair[:bending], rep, measures, cell, cold, curvature, pull[n_pulls : n_pulls + dense])
        n_pulls += dense
    return total, n_pulls
