"""Exact tests that a stream of yes/no outcomes keeps to the chances that were stated, however often one looks.

With stated chances p_i, tilting all odds by exp(θ) gives p_i e^θ / (1 − p_i + p_i e^θ), and the likelihood ratio of
tilt θ against tilt θ0 is Π exp((θ−θ0) y_i) · (1−p_i+p_i e^θ0) / (1−p_i+p_i e^θ). Averaged over θ above θ0 it is a
supermartingale whenever all true tilts are at most θ0 (the ratio grows with the tilt), so it exceeds 1/α with chance α
at most (Ville 1939; Ramdas et al. 2023, Game-theoretic statistics). Outcomes need be independent only given the past;
nothing is asymptotic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from apportion_models.experiment.draws import Floats

# Steps of the log odds: fine near the edge of what is tolerated, where large samples look; wide where small ones do.
STEPS = np.geomspace(0.02, 2.5, 20)
SMALLEST = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class TiltTest:
    """Log e-values after each outcome, (n,): that the odds are above (below) what is tolerated."""

    log_above: Floats
    log_below: Floats

    @property
    def log_e(self) -> Floats:
        """(n,) the two sides averaged: refutes "within the tolerance" where it exceeds log(1/α)."""
        return np.asarray(np.logaddexp(self.log_above, self.log_below) - np.log(2.0), dtype=np.float64)


def tilt_test(
    outcome: Floats, chance: Floats, *, tolerance: float = 0.0, restart: NDArray[np.int64] | None = None
) -> TiltTest:
    """Test n outcomes (0 or 1, in the order in which they became known) against their stated chances.

    tolerance : share by which the odds may be off, 0.1 for ten per cent. restart : (m,) positions from which to begin
    anew, so that a change late in a long quiet stream is seen soon. The start from k has the weight 1/((k+1)(k+2)) and
    the whole is again an e-process (Shin, Ramdas and Rinaldo 2023, E-detectors).
    """
    p = np.clip(chance, SMALLEST, 1.0 - SMALLEST)
    edge = float(np.log1p(tolerance))
    sides = []
    for sign in (1.0, -1.0):
        tilt, base = sign * (edge + STEPS), sign * edge
        gain = np.outer(outcome, tilt - base) - _log_mean(p, tilt) + _log_mean(p, np.array([base]))
        sides.append(_mixed(np.cumsum(gain, axis=0), restart))
    return TiltTest(log_above=sides[0], log_below=sides[1])


def _log_mean(p: Floats, tilt: Floats) -> Floats:
    """(n, m) log of 1 − p + p exp(tilt)."""
    return np.asarray(np.log1p(np.outer(p, np.expm1(tilt))), dtype=np.float64)


def _mixed(path: Floats, restart: NDArray[np.int64] | None) -> Floats:
    """(n,) log of the mixture over the steps, and over the places from which to begin anew."""
    if path.shape[0] == 0:
        return np.zeros(0)
    starts = np.unique(np.append(0, [] if restart is None else restart)).astype(np.int64)
    starts = starts[(starts >= 0) & (starts < path.shape[0])]
    size = np.log(path.shape[1])
    prior = -np.log(np.arange(1.0, starts.size + 1) * np.arange(2.0, starts.size + 2))
    rest = -np.log(np.arange(starts.size) + 2.0)  # the weight of all later starts, which still stand at 1
    mixed = np.full(path.shape[0], -np.inf)
    begun = np.searchsorted(starts, np.arange(path.shape[0]), side="right") - 1
    for number, first in enumerate(starts):
        before = path[first - 1] if first else 0.0
        own = _log_sum(path[first:] - before) - size + prior[number]
        mixed[first:] = np.logaddexp(mixed[first:], own)
    return np.asarray(np.logaddexp(mixed, rest[begun]), dtype=np.float64)


def _log_sum(rows: Floats) -> Floats:
    """(n,) log of the sum of exp over each row; scipy's own is several times slower on many short rows."""
    most = rows.max(axis=1)
    return np.asarray(most + np.log(np.exp(rows - most[:, None]).sum(axis=1)), dtype=np.float64)


def tilt_interval(outcome: Floats, chance: Floats, *, alpha: float = 0.05) -> tuple[float, float, float]:
    """(estimate, low, high) of the factor on the odds: observed against stated, holding at every look at once.

    Inverts the two-sided mixture at each candidate tilt on a fine grid; 1 means that the stated chances were right.
    """
    p = np.clip(chance, SMALLEST, 1.0 - SMALLEST)
    grid = np.linspace(-4.0, 4.0, 401)
    likelihood = grid * outcome.sum() - np.array([np.log1p(p * growth).sum() for growth in np.expm1(grid)])
    # A prior over all tilts, fixed beforehand: half flat on the grid, half near 0 where most models are.
    narrow = np.exp(-0.5 * (grid / 0.2) ** 2)
    prior = 0.5 / grid.size + 0.5 * narrow / narrow.sum()
    marginal = float(logsumexp(likelihood + np.log(prior)))
    inside = grid[marginal - likelihood < np.log(1.0 / alpha)]
    best = float(grid[int(np.argmax(likelihood))])
    return float(np.exp(best)), float(np.exp(inside.min(initial=best))), float(np.exp(inside.max(initial=best)))
