"""Confidence sequences: intervals that hold at every look at once, so that looking every day is allowed.

A block t gives an effect X_t, an unbiased contrast of two arms, with weight w_t known beforehand; X_t ~ N(δ, σ²/w_t), σ
unknown. With δ | σ ~ N(0, σ²/φ) and the right Haar measure on σ, the mixture likelihood ratio

    E_n(δ) = √r · [(1 + t²/ν) / (1 + r t²/ν)]^((ν+1)/2),   r = φ / (φ + Σw),  ν = n − 1,  t = (X̄ − δ) √Σw / s

is a martingale of mean 1 at the true δ (Lai 1976; Lindon, Ham, Tingley and Bojinov 2022, Anytime-valid linear models;
Wang and Ramdas 2023, Anytime-valid t-tests), so that P(some E_n >= 1/α) <= α (Ville). {δ: E_n(δ) < 1/α} is an interval.
Blocks, not leads, are what is compared: whatever leads of one block have in common (a day's news, an account, a rep
on leave) is in s, and no model of it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from apportion_models.experiment.draws import Floats

FEWEST = 2  # blocks below which nothing can be said


@dataclass(frozen=True, eq=False, kw_only=True)
class Sequence:
    """What was known after each block; arrays (..., T). Before the second block the interval is the whole line.

    log_e : log of E_n at "no effect"; above log(1/α) it refutes it.
    """

    estimate: Floats
    low: Floats
    high: Floats
    log_e: Floats

    @property
    def blocks(self) -> int:
        """T."""
        return int(self.estimate.shape[-1])


def mixture_precision(planned: float, alpha: float) -> float:
    """φ for which the interval is narrowest near half of the planned Σw (Howard et al. 2021, eq. for ρ²)."""
    log_term = -2.0 * np.log(alpha)
    return float(max(planned, 2.0) / 2.0 / (log_term + np.log(log_term + 1.0)))


def confidence_sequence(
    effect: Floats, weight: Floats, *, planned: float, alpha: float = 0.05, least_sd: float = 0.0
) -> Sequence:
    """The sequence over blocks. effect : (..., T); weight : (T,) or like effect, above 0, known before the outcomes.

    planned : Σw at the horizon, fixed beforehand (it sets where the interval is narrowest, not whether it holds).
    least_sd : σ is not taken for less; keeps a run of equal blocks (nobody converted) from proving anything.
    """
    w = np.broadcast_to(weight, effect.shape)
    n = np.arange(1, effect.shape[-1] + 1, dtype=np.float64)
    total = np.cumsum(w, axis=-1)
    mean = np.cumsum(w * effect, axis=-1) / total
    squares = np.maximum(np.cumsum(w * effect**2, axis=-1) - total * mean**2, 0.0)
    nu = np.maximum(n - 1.0, 1.0)
    variance = np.maximum(squares / nu, least_sd**2)
    phi = mixture_precision(planned, alpha)
    r = phi / (phi + total)
    with np.errstate(divide="ignore", invalid="ignore"):
        k = (r * alpha**2) ** (1.0 / (nu + 1.0))
        u = np.where(k > r, (1.0 - k) / (k - r), np.inf)
        half = np.where(variance > 0, np.sqrt(nu * u * variance / total), 0.0)
        half = np.where((n < FEWEST) | ~np.isfinite(u), np.inf, half)
        square = np.where(variance > 0, mean**2 * total / variance / nu, np.where(mean == 0, 0.0, np.inf))
        growth = np.where(np.isinf(square), -np.log(r), np.log1p(square) - np.log1p(r * square))
    log_e = np.where(n < FEWEST, 0.0, 0.5 * np.log(r) + 0.5 * (nu + 1.0) * growth)
    return Sequence(estimate=mean, low=mean - half, high=mean + half, log_e=log_e)


def single_look(effect: Floats, weight: Floats, *, level: float = 0.9, least_sd: float = 0.0) -> tuple[Floats, Floats]:
    """(low, high), each (...): Student's interval over all blocks, for one look at a time fixed beforehand."""
    w = np.broadcast_to(weight, effect.shape)
    n, total = effect.shape[-1], w.sum(axis=-1)
    mean = (w * effect).sum(axis=-1) / total
    if n < FEWEST:
        wide = np.full_like(mean, np.inf)
        return -wide, wide
    variance = np.maximum((w * (effect - mean[..., None]) ** 2).sum(axis=-1) / (n - 1), least_sd**2)
    half = float(student.ppf((1 + level) / 2, n - 1)) * np.sqrt(variance / total)
    return mean - half, mean + half


def first_time(condition: NDArray[np.bool_]) -> Floats:
    """(...) the number of the first block (1-based) at which the condition (..., T) holds; NaN where it never does."""
    hit = condition.any(axis=-1)
    return np.where(hit, condition.argmax(axis=-1) + 1.0, np.nan)
