"""What one more slot is worth, and the proof of optimality, both read from an assignment alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apportion.engines.transport.market import Market
from apportion.engines.transport.passes import moving_costs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDING = 2.0**-51  # of the largest number


def slot_prices(market: Market, holder: Ints, worth: Floats) -> Floats:
    """(R,) currency: what the best assignment gains with one slot more of each rep; negative: what it loses with one
    more lead that must be.

    Shortest paths from nurture over the reps, where sending a lead from u to s costs what it loses at least. There is
    no negative cycle, or the assignment would not be the best (Klein, 1967); the distances are the prices, and they
    prove it. A cycle that gains no more than rounding is none.
    """
    n = market.n_reps
    cost = moving_costs(market, holder, worth)
    count = np.bincount(holder, minlength=n + 1)[:n]
    cost[:n, n] = np.minimum(cost[:n, n], np.where(count < market.most, 0.0, np.inf))
    fewer = np.where(count > market.least, 0.0, np.where(count > 0, market.big / market.table.scale, np.inf))
    cost[n, :n] = np.minimum(cost[n, :n], fewer)
    distance = np.full(n + 1, np.inf)
    distance[n] = 0.0
    rounding = ROUNDING * float(np.abs(worth).max(initial=0.0))
    for _ in range(n + 2):
        nearer = (distance[:, None] + cost).min(axis=0)
        if not (nearer < distance - rounding).any():
            break
        distance = np.minimum(distance, nearer)
    return np.where(np.isfinite(distance), -distance, 0.0)[:n]
