"""How unsure a chance is: its standard error, and draws of it for the pairs of a plan.

The logit of a pair is η + φ·(b − b̂) with b, the rep's coefficients, normal about b̂ with the posterior covariance C;
its variance is s² = φᵀCφ. What is not known of the lead part is not in it: it is shared by all reps, and moves no lead
from one rep to another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

# Nodes and weights of the standard normal: Abramowitz and Stegun (1964), 25.4.46. Five come within 2 % of the exact
# standard deviation up to s = 1.5, where the delta method p(1 − p)s is up to 39 % off.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def chance_spread(eta: NDArray[Any], variance: NDArray[Any]) -> Singles:
    """Standard deviation of expit(x), x ~ N(eta, variance); the shape of the inputs, which must be alike."""
    centre, width = np.asarray(eta, dtype=np.float32), np.sqrt(np.asarray(variance, dtype=np.float32))
    middle = expit(centre)
    first, second = np.zeros_like(centre), np.zeros_like(centre)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        away = expit(centre + np.float32(node) * width)
        away -= middle  # about the middle, so that a small spread is not lost in rounding
        first += np.float32(weight) * away
        second += np.float32(weight) * away * away
    return np.asarray(np.sqrt(np.maximum(second - first * first, 0.0)), dtype=np.float32)


def pack(covariance: Floats) -> Floats:
    """(R, K(K+1)/2) upper triangles; off-diagonal entries doubled, so that φᵀCφ is one product."""
    width = covariance.shape[1]
    rows, columns = np.triu_indices(width)
    return np.asarray(covariance[:, rows, columns] * np.where(rows == columns, 1.0, 2.0), dtype=np.float64)


def unpack(packed: Floats, width: int) -> Floats:
    """(R, K, K) symmetric matrices from what `pack` gives, (R, K(K+1)/2)."""
    rows, columns = np.triu_indices(width)
    full = np.zeros((packed.shape[0], width, width))
    full[:, rows, columns] = np.where(rows == columns, 1.0, 0.5) * packed
    full[:, columns, rows] = full[:, rows, columns]
    return full


def squares(phi: Singles, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Singles:
    """(P, n) products of two columns of φ, in the order of `pack`."""
    across = np.ascontiguousarray(phi.T)
    out = across[rows]
    out *= across[columns]
    return out


def coefficient_draws(covariance: Floats, *, draws: int, seed: int) -> Floats:
    """(R, S, K) draws of b − b̂ from N(0, covariance), covariance (R, K, K); each rep's are the rep's own."""
    width = covariance.shape[1]
    if not width:
        return np.zeros((covariance.shape[0], draws, 0))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    normal = np.random.default_rng(seed).standard_normal((covariance.shape[0], draws, width))
    return np.asarray(normal @ root.transpose(0, 2, 1), dtype=np.float64)


def chance_draws(eta: Floats, phi: Floats, rep: NDArray[np.int64], deviations: Floats) -> Floats:
    """(S, L) draws of each lead's chance with its rep.

    eta : (L,) logits. phi : (L, K). rep : (L,) index into `deviations` (R, S, K); -1: nobody, chance 0.
    """
    out = np.zeros((deviations.shape[1], eta.size))
    for one in np.unique(rep[rep >= 0]):
        mine = np.flatnonzero(rep == one)
        out[:, mine] = expit(eta[mine] + deviations[one] @ phi[mine].T)
    return out
