"""Do reps differ at all? A test of equal rates, and each rep's rate shrunk by how much reps really differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaln
from scipy.stats import chi2

Floats = NDArray[np.float64]

DRAWS = 2000
ENOUGH = 5.0  # expected wins and losses of every rep above which the chi-square distribution is trusted


@dataclass(frozen=True, kw_only=True)
class Homogeneity:
    """Chi-square test that all reps convert alike."""

    statistic: float
    freedom: int
    p_value: float  # 1 when there is nothing to compare
    method: str


def equal_rates(wins: Floats, rows: Floats, *, random_state: int = 0) -> Homogeneity:
    """Test that R reps with `wins` of `rows` share one rate.

    Small counts are judged by drawing the wins at random among all leads (a permutation test) instead of by the
    chi-square distribution, which would see differences that are not there.
    """
    some = rows > 0
    wins, rows = wins[some], rows[some]
    rate = wins.sum() / max(rows.sum(), 1.0)
    if wins.size < 2 or rate <= 0.0 or rate >= 1.0:
        return Homogeneity(statistic=0.0, freedom=max(wins.size - 1, 0), p_value=1.0, method="nothing to compare")
    statistic, freedom = _chi_square(wins, rows, rate), wins.size - 1
    if rows.min() * min(rate, 1.0 - rate) >= ENOUGH:
        return Homogeneity(
            statistic=statistic, freedom=freedom, p_value=float(chi2.sf(statistic, freedom)), method="chi-square"
        )
    rng = np.random.default_rng(random_state)
    drawn = rng.multivariate_hypergeometric(rows.astype(np.int64), int(wins.sum()), size=DRAWS, method="marginals")
    beyond = sum(_chi_square(draw, rows, rate) >= statistic - 1e-9 for draw in drawn)
    return Homogeneity(
        statistic=statistic, freedom=freedom, p_value=(1 + int(beyond)) / (1 + DRAWS), method="permutation"
    )


def equal_given_leads(residual: Floats, variance: Floats, rep_id: NDArray[np.object_]) -> Homogeneity:
    """Test that reps convert alike given their leads.

    `residual` (n,) is label minus the chance by the lead alone, `variance` (n,) what chance alone gives it. A rep whose
    leads add up to less than two units of variance is left out: nothing can be told of it.
    """
    ids, place = np.unique(rep_id.astype(str), return_inverse=True)
    total = np.bincount(place, weights=residual, minlength=ids.size)
    unsure = np.bincount(place, weights=variance, minlength=ids.size)
    enough = unsure >= 2.0
    if int(enough.sum()) < 2:
        return Homogeneity(statistic=0.0, freedom=0, p_value=1.0, method="nothing to compare")
    total, unsure = total[enough], unsure[enough]
    centred = total - unsure * total.sum() / unsure.sum()
    statistic, freedom = float((centred**2 / unsure).sum()), int(enough.sum()) - 1
    return Homogeneity(statistic=statistic, freedom=freedom, p_value=float(chi2.sf(statistic, freedom)), method="score")


def equal_within_reps(
    residual: Floats, variance: Floats, rep_id: NDArray[np.object_], segments: Mapping[str, NDArray[np.int64]]
) -> Homogeneity:
    """Test that no rep is better at one kind of lead than at another.

    `residual` (n,) is label minus the chance by lead and rep, `variance` (n,) what chance alone gives it, `segments`
    the codes (n,) of each lead column. Within each rep the cells are compared with the rep's own mean; the smallest
    p-value over the columns counts, times their number (Bonferroni).
    """
    ids, rep_of = np.unique(rep_id.astype(str), return_inverse=True)
    best = Homogeneity(statistic=0.0, freedom=0, p_value=1.0, method="nothing to compare")
    for codes in segments.values():
        width = int(codes.max(initial=-1)) + 2  # the last is "none of the levels"
        cell = rep_of * width + np.where(codes < 0, width - 1, codes)
        total = np.bincount(cell, weights=residual, minlength=ids.size * width).reshape(-1, width)
        unsure = np.bincount(cell, weights=variance, minlength=ids.size * width).reshape(-1, width)
        enough = unsure >= 2.0
        total, unsure = np.where(enough, total, 0.0), np.where(enough, unsure, 0.0)
        mean = total.sum(axis=1) / np.maximum(unsure.sum(axis=1), 1e-12)
        part = np.divide((total - unsure * mean[:, None]) ** 2, unsure, out=np.zeros_like(total), where=enough)
        # The lead part has taken up one mean for each level, the comparison one for each rep.
        freedom = int(np.maximum(enough.sum(axis=1) - 1, 0).sum()) - max(int(enough.any(axis=0).sum()) - 1, 0)
        if freedom < 1:
            continue
        p_value = min(1.0, float(chi2.sf(part.sum(), freedom)) * len(segments))
        if p_value < best.p_value:
            best = Homogeneity(statistic=float(part.sum()), freedom=freedom, p_value=p_value, method="score, by cell")
    return best


def _chi_square(wins: Floats, rows: Floats, rate: float) -> float:
    return float((((wins - rows * rate) ** 2) / (rows * rate * (1.0 - rate))).sum())


def shrunk_rates(wins: Floats, rows: Floats) -> tuple[Floats, float]:
    """(R,) beta-binomial posterior means and the strength in leads: how many leads of the mean each rate is mixed with.

    The strength is the maximum of the marginal likelihood over a grid; infinite strength (no difference between reps)
    is among the candidates.
    """
    mean = float((wins.sum() + 0.5) / (rows.sum() + 1.0))
    grid = np.exp(np.linspace(np.log(2.0), np.log(1e6), 120))
    alpha, beta = grid[:, None] * mean, grid[:, None] * (1.0 - mean)
    likelihood = (betaln(wins + alpha, rows - wins + beta) - betaln(alpha, beta)).sum(axis=1)
    best = int(np.argmax(likelihood))
    if best == grid.size - 1:
        return np.full(wins.size, mean), float("inf")
    strength = float(grid[best])
    return (wins + strength * mean) / (rows + strength), strength


def rate_table(rep_id: NDArray[np.object_], label: Floats, resolved: NDArray[np.bool_]) -> pd.DataFrame:
    """One row a rep, by id: leads (resolved ones), wins, raw rate and shrunk rate. Open leads are not in it."""
    ids, place = np.unique(rep_id[resolved].astype(str), return_inverse=True)
    rows = np.bincount(place, minlength=ids.size).astype(np.float64)
    wins = np.asarray(np.bincount(place, weights=label[resolved], minlength=ids.size), dtype=np.float64)
    shrunk, _ = shrunk_rates(wins, rows)
    return pd.DataFrame(
        {
            "rep_id": ids.tolist(),
            "leads": rows.astype(np.int64),
            "wins": wins.astype(np.int64),
            "raw_rate": wins / rows,
            "shrunk_rate": shrunk,
        }
    )
