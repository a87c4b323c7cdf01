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

from apportion.engines.transport.laplacian import laplacian_step
from apportion.engines.transport.passes import Survey

Floats = NDArray[np.float64]

FARTHEST = 4.0  # a step, in widths of what counts as nearly indifferent
NEAR_A_REP = 20  # leads of each rep that are nearly indifferent, when the prices are nearly right
HALVINGS = 5
LESS = 0.8  # so much may be left after `patience` steps; else they lead nowhere
QUANTILE_OF = 10_000  # leads that tell how indifferent leads are
DAMPING, ROUNDS, TOLERANCE = 1e-3, 100, 1e-4  # of the solution of the linear system; the square of its error


def balanced(
    survey: Callable[[Floats], Survey],
    price: Floats,
    *,
    least: Floats,
    most: Floats,
    lowest: float,
    steps: int,
    enough: float,
    reach: float = np.inf,
    patience: int,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Floats, bool]:
    """Improve prices for some steps, or until no more than `enough` leads are too many or too few, and no price that
    should move is kept from it by `reach`; gives whether it came to that.

    survey : what leads do at (R,) prices. least, most : (R,) leads. lowest : below which no price goes. reach : how far
    a price may move in all: what the survey sees may hold only so far. patience : steps that may bring little.
    stop : asked between steps.
    """
    floor = np.rint(np.maximum(np.where(least > 0, lowest, 0.0), price - reach))
    ceiling = np.rint(price + reach)
    seen = survey(price)
    height = _height(seen, price, least, most)
    share, before = 0.5, [np.inf] * patience
    for _ in range(steps):
        if stop():
            break
        excess = _excess(seen, price, least, most)
        missing = float(np.abs(excess).sum())
        held = ((excess > 0) & (price >= ceiling)) | ((excess < 0) & (price <= floor) & (price != 0))
        if missing <= enough and not held.any():
            return price, True
        if missing > LESS * before[-patience]:
            break
        before.append(missing)
        n_leads = len(seen.best)
        share = float(np.clip(2.0 * missing / n_leads, min(NEAR_A_REP * len(price) / n_leads, 0.5), share))
        step = _step(seen, price, excess, share)
        for _ in range(HALVINGS):
            tried = _within(price, price + step, floor, ceiling)
            there = survey(tried)
            lower = _height(there, tried, least, most)
            if lower < height:
                break
            step = 0.25 * step
        else:
            break
        price, seen, height = tried, there, lower
    return price, False


def _height(seen: Survey, price: Floats, least: Floats, most: Floats) -> float:
    return float(seen.best.sum() + np.maximum(price, 0) @ most + np.minimum(price, 0) @ least)


def _excess(seen: Survey, price: Floats, least: Floats, most: Floats) -> Floats:
    """(R,) how many leads too many want each rep; 0 where the price need not change."""
    count = np.bincount(seen.first, minlength=len(price) + 1)[: len(price)]
    upper, lower = (price > 0) | (count > most), (price < 0) | (count < least)
    return np.where(upper, count - most, np.where(lower, count - least, 0.0))


def _step(seen: Survey, price: Floats, excess: Floats, share: float) -> Floats:
    """(R,) by how much prices should move, if leads change their mind as those near to it do."""
    sample = seen.margin[:: max(1, len(seen.margin) // QUANTILE_OF)]
    sample = sample[np.isfinite(sample)]
    width = max(float(np.quantile(sample, share)) if len(sample) else 0.0, 1.0)
    near = np.flatnonzero((seen.margin <= width) & (seen.second >= 0))
    free = (excess != 0) | (price != 0)
    # as many of these leads change their mind, as the part of `width` is by which their reps' prices move apart
    part = laplacian_step(seen.first[near], seen.second[near], free, excess, DAMPING, ROUNDS, TOLERANCE)
    limit = FARTHEST * width
    return np.clip(np.asarray(width * part, dtype=np.float64), -limit, limit)


def _within(old: Floats, new: Floats, floor: Floats, ceiling: Floats) -> Floats:
    """Whole prices within bounds, that do not jump over zero."""
    crossed = (old != 0) & (np.sign(new) == -np.sign(old))
    whole: Floats = np.rint(np.where(crossed, 0.0, new))
    return np.minimum(np.maximum(whole, floor), ceiling)
