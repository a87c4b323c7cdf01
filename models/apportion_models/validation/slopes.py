"""A logistic regression of few columns beside an offset, told by what each row adds to it.

The influence of a row is how far it moves the coefficients (Huber 1967): sums of influences over groups of rows give
standard errors that hold where the rows of a group are alike, and carry over to whatever is made of the coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

STEPS = 50
LONGEST_STEP = 5.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Slopes:
    """theta : (k,). influence : (n, k), adds up to theta's error. chance : (n,)."""

    theta: Floats
    influence: Floats
    chance: Floats


def fit_slopes(label: Floats, base: Floats, columns: Floats, *, start: Floats, penalty: Floats) -> Slopes:
    """Regress `label` (n,) in [0, 1] on `columns` (n, k) with the offset `base` (n,), a ridge of `penalty` (k,)."""
    theta = start.astype(np.float64)
    for _ in range(STEPS):
        chance = np.asarray(expit(base + columns @ theta), dtype=np.float64)
        weight = np.maximum(chance * (1.0 - chance), 1e-9)
        information = (columns * weight[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(information, columns.T @ (label - chance) - penalty * theta)
        theta = theta + step * min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    score = columns * (label - chance)[:, None]
    return Slopes(theta=theta, influence=score @ np.linalg.inv(information), chance=chance)


def clustered_variance(influence: Floats, group: NDArray[np.intp]) -> float:
    """Variance of the sum of `influence` (n,) over rows that are alike within each of `group` (n,) 0..; inf for one."""
    groups = int(group.max(initial=-1)) + 1
    if groups < 2:
        return float("inf")
    total = np.bincount(group, weights=influence, minlength=groups)
    return float((total**2).sum()) * groups / (groups - 1)
