"""Prices at which each rep is wanted by as many leads as they can take.

The sum of what every lead gets at best, plus what the bounds cost, is convex in the prices, and its slope at each rep
is the room less the leads that want them. Newton's method: how many leads change their mind when a price moves is
counted from those that are nearly indifferent between two reps, a Laplacian matrix over the reps; every step must
lower the sum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from apportion.engines.transport.passes import Survey

Floats = NDArray[np.float64]

FARTHEST = 4.0  # a step, in widths of what counts as nearly indifferent
NEAR_A_REP = 20  # leads of each rep that are nearly indifferent, when the prices are nearly right
HALVINGS = 5


def balanced(
    survey: Callable[[Floats], Survey],
    price: Floats,
    *,
    least: Floats,
    most: Floats,
    lowest: float,
    steps: int,
    enough: float,
) -> tuple[Floats, Survey]:
    """Improve prices for some steps, or until no more than `enough` leads are too many or too few.

    survey : what leads do at (R,) prices. least, most : (R,) leads. lowest : below which no price goes.
    """
    seen = survey(price)
    height = _height(seen, price, least, most)
    share = 0.5
    for _ in range(steps):
        excess = _excess(seen, price, least, most)
        missing = float(np.abs(excess).sum())
        if missing <= enough:
            break
        n_leads = len(seen.best)
        share = float(np.clip(2.0 * missing / n_leads, min(NEAR_A_REP * len(price) / n_leads, 0.5), share))
        step = _step(seen, price, excess, share)
        for _ in range(HALVINGS):
            tried = _within(price, price + step, least, lowest)
            there = survey(tried)
            lower = _height(there, tried, least, most)
            if lower < height:
                break
            step = 0.25 * step
        else:
            break
        price, seen, height = tried, there, lower
    return price, seen


def _height(seen: Survey, price: Floats, least: Floats, most: Floats) -> float:
    return float(seen.best.sum() + np.maximum(price, 0) @ most + np.minimum(price, 0) @ least)


def _excess(seen: Survey, price: Floats, least: Floats, most: Floats) -> Floats:
    """(R,) how many leads too many want each rep; 0 where the price need not change."""
    count = np.bincount(seen.first, minlength=len(price) + 1)[: len(price)]
    upper, lower = (price > 0) | (count > most), (price < 0) | (count < least)
    return np.where(upper, count - most, np.where(lower, count - least, 0.0))


def _step(seen: Survey, price: Floats, excess: Floats, share: float) -> Floats:
    """(R,) by how much prices should move, if leads change their mind as those near to it do."""
    n = len(price) + 1
    sample = seen.margin[:: max(1, len(seen.margin) // 100_000)]
    width = max(float(np.quantile(sample[np.isfinite(sample)], share)) if np.isfinite(sample).any() else 0.0, 1.0)
    near = (seen.margin <= width) & (seen.second >= 0)
    key = seen.first[near].astype(np.int64) * n + seen.second[near]
    between = np.bincount(key, minlength=n * n).reshape(n, n) / width
    between = 0.5 * (between + between.T)
    slope = np.diag(between.sum(axis=1)) - between
    free = np.flatnonzero((excess != 0) | (price != 0))
    slope = slope[np.ix_(free, free)]
    scale = max(float(np.trace(slope)) / max(len(free), 1), 1.0 / width)
    slope[np.diag_indices_from(slope)] += 1e-3 * scale
    step = np.zeros(len(price))
    step[free] = np.linalg.solve(slope, excess[free])
    return np.clip(step, -FARTHEST * width, FARTHEST * width)


def _within(old: Floats, new: Floats, least: Floats, lowest: float) -> Floats:
    """Whole prices, that do not jump over zero, and are negative only where a lower bound is."""
    new = np.rint(new)
    crossed = (old != 0) & (np.sign(new) == -np.sign(old))
    floor = np.where(least > 0, lowest, 0.0)
    return np.maximum(np.where(crossed, 0.0, new), floor)
