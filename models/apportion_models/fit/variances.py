"""How much effects of one kind differ: the variance of a group, averaged over what the data leave open.

The posterior of each effect, with its own prior taken away, is an estimate e with information i: e ~ N(0, σ² + 1/i).
Over a grid of σ that gives a likelihood; with a half-t prior on σ, a posterior. The variance handed back is the
one that shrinks the effects as much as they are shrunk on average over that posterior. A mode would do worse: with few
rows it sits at zero, and effects that are there would be thrown away.
Correlations between the effects of a group are left out (as in expectation propagation with a diagonal cavity).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GRID = np.exp(np.linspace(np.log(0.004), np.log(2.5), 60))  # standard deviations on the logit
_WIDTH = np.log(np.gradient(GRID))
TAIL = 4.0  # degrees of freedom of the prior: large effects are unusual, not ruled out
LEAST_INFORMATION = 1e-6


def group_variances(group: Ints, mean: Floats, variance: Floats, current: Floats, scale: Floats) -> Floats:
    """(G,) new variances.

    group : (k,) group of each effect. mean, variance : (m, k) posterior of m independent copies of the effects under
    the variances `current` (G,). scale : (G,) of the half-t prior on the standard deviation (Gelman 2006).
    """
    return np.array(
        [_shrinking_alike(weight, told) for weight, told in _posteriors(group, mean, variance, current, scale)]
    )


def group_posteriors(group: Ints, mean: Floats, variance: Floats, current: Floats, scale: Floats) -> Floats:
    """(G, len(GRID)) posterior of each group's standard deviation over `GRID`; arguments as of `group_variances`."""
    return np.array([weight for weight, _ in _posteriors(group, mean, variance, current, scale)])


def _posteriors(
    group: Ints, mean: Floats, variance: Floats, current: Floats, scale: Floats
) -> Iterator[tuple[Floats, Floats]]:
    """Per group: the posterior over the grid, and the information of each of its effects."""
    information = np.maximum(1.0 / variance - 1.0 / current[group], LEAST_INFORMATION)
    estimate = mean / (variance * information)
    for g in range(current.size):
        told = information[:, group == g].ravel()
        yield _over_grid(estimate[:, group == g].ravel(), told, float(scale[g])), told


def _over_grid(estimate: Floats, information: Floats, scale: float) -> Floats:
    total = GRID[:, None] ** 2 + 1.0 / information
    prior = -0.5 * (TAIL + 1.0) * np.log1p((GRID / scale) ** 2 / TAIL)
    fit = -0.5 * (np.log(total) + estimate**2 / total).sum(axis=1) + prior + _WIDTH
    weight = np.exp(fit - fit.max())
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _shrinking_alike(weight: Floats, information: Floats) -> float:
    squares = GRID[:, None] ** 2
    kept = (squares * information / (1.0 + squares * information)).mean(axis=1)
    return float(np.interp(weight @ kept, kept, GRID**2))


def largest_change(old: Floats, new: Floats) -> float:
    """Largest change of a standard deviation relative to itself or to 0.1, whichever is larger."""
    before, after = np.sqrt(old), np.sqrt(new)
    return float(np.max(np.abs(after - before) / np.maximum(before, 0.1), initial=0.0))
