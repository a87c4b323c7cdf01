"""Do reps differ at all? A test of equal rates, and each rep's rate shrunk by how much reps really differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaln
from scipy.stats import chi2
from scipy.stats import f as f_distribution

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DRAWS = 2000
LEAST_VARIANCE = 2.0  # of a cell, below which nothing can be told of it
PERIODS = 2
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


def equal_given_leads(
    residual: Floats, variance: Floats, rep_id: NDArray[np.object_], period: NDArray[np.int64] | None = None
) -> Homogeneity:
    """Test that reps convert alike given their leads.

    `residual` (n,) is label minus the chance by the lead alone, `variance` (n,) what chance alone gives it. A rep whose
    leads add up to less than two units of variance is left out: nothing can be told of it. `period` : see `unsteady`.
    """
    ids, place = np.unique(rep_id.astype(str), return_inverse=True)
    total = np.bincount(place, weights=residual, minlength=ids.size)
    unsure = np.bincount(place, weights=variance, minlength=ids.size)
    enough = unsure >= LEAST_VARIANCE
    if int(enough.sum()) < 2:
        return Homogeneity(statistic=0.0, freedom=0, p_value=1.0, method="nothing to compare")
    total, unsure = total[enough], unsure[enough]
    centred = total - unsure * total.sum() / unsure.sum()
    statistic, freedom = float((centred**2 / unsure).sum()), int(enough.sum()) - 1
    return _score(statistic, freedom, unsteady(residual, variance, place, period), "score")


def equal_within_reps(
    residual: Floats,
    variance: Floats,
    rep_id: NDArray[np.object_],
    segments: Mapping[str, NDArray[np.int64]],
    period: NDArray[np.int64] | None = None,
) -> Homogeneity:
    """Test that no rep is better at one kind of lead than at another.

    `residual` (n,) is label minus the chance by lead and rep, `variance` (n,) what chance alone gives it, `segments`
    the codes (n,) of each lead column. Within each rep the cells are compared with the rep's own mean; the smallest
    p-value over the columns counts, times their number (Bonferroni). With `period` (see `unsteady`) the rep's own mean
    is that of the period, for a rep who changes while the mix of leads does is not better at some of them; and a cell
    that was not there in two of them is left out, for nothing shows that it lasts.
    """
    ids, rep_of = np.unique(rep_id.astype(str), return_inverse=True)
    about = None if period is None else _crossed(rep_of, period)
    residual = residual if about is None else _about_mean(residual, variance, about)
    best = Homogeneity(statistic=0.0, freedom=0, p_value=1.0, method="nothing to compare")
    for codes in segments.values():
        width = int(codes.max(initial=-1)) + 2  # the last is "none of the levels"
        cell = rep_of * width + np.where(codes < 0, width - 1, codes)
        total = np.bincount(cell, weights=residual, minlength=ids.size * width).reshape(-1, width)
        unsure = np.bincount(cell, weights=variance, minlength=ids.size * width).reshape(-1, width)
        enough = (unsure >= LEAST_VARIANCE) & _lasting(variance, cell, period, ids.size * width).reshape(-1, width)
        total, unsure = np.where(enough, total, 0.0), np.where(enough, unsure, 0.0)
        mean = total.sum(axis=1) / np.maximum(unsure.sum(axis=1), 1e-12)
        part = np.divide((total - unsure * mean[:, None]) ** 2, unsure, out=np.zeros_like(total), where=enough)
        # The lead part has taken up one mean for each level, the comparison one for each rep.
        freedom = int(np.maximum(enough.sum(axis=1) - 1, 0).sum()) - max(int(enough.any(axis=0).sum()) - 1, 0)
        if freedom < 1:
            continue
        rows = np.flatnonzero(enough.ravel()[cell])
        spread = unsteady(
            residual[rows],
            variance[rows],
            cell[rows],
            None if period is None else period[rows],
            rep_of[rows],
        )
        found = _score(float(part.sum()), freedom, spread, "score, by cell")
        p_value = min(1.0, found.p_value * len(segments))
        if p_value < best.p_value:
            best = replace(found, p_value=p_value)
    return best


def _lasting(variance: Floats, cell: NDArray[np.intp], period: NDArray[np.int64] | None, cells: int) -> Bools:
    """(cells,) whether something can be told of the cell in two periods at least."""
    if period is None:
        return np.ones(cells, dtype=np.bool_)
    width = int(period.max(initial=0)) + 1
    unsure = np.bincount(cell * width + period, weights=variance, minlength=cells * width).reshape(-1, width)
    return np.asarray((unsure >= LEAST_VARIANCE / 2.0).sum(axis=1) >= 2)


def unsteady(
    residual: Floats,
    variance: Floats,
    cell: NDArray[np.intp],
    period: NDArray[np.int64] | None,
    about: NDArray[np.intp] | None = None,
) -> tuple[float, int]:
    """How much more a cell's residuals differ from one `period` (n,) to the next than chance alone allows, and the
    degrees of freedom that this is known by; (1, 0) without periods.

    Leads that one rep has at one time are alike for reasons of their own: a batch of bookings, a campaign, a rep who
    changes. What comes and goes like that within a cell is the measure for what stays different between cells.
    about : (n,) groups of cells whose means by period the residuals have lost already.
    """
    if period is None:
        return 1.0, 0
    both = _crossed(cell, period)
    total, unsure = _sums(residual, both), _sums(variance, both)
    row = np.zeros(total.size, dtype=np.intp)
    row[both] = np.arange(both.size)
    row = row[unsure >= LEAST_VARIANCE / 2.0]
    total, unsure = total[both[row]], unsure[both[row]]
    cells = np.unique(cell[row], return_inverse=True)[1]
    freedom = int(total.size - cells.max(initial=-1) - 1)
    if about is not None:
        freedom -= int(np.unique(_crossed(about[row], period[row])).size - np.unique(about[row]).size)
    if freedom < 1:
        return 1.0, 0
    away = _about_mean(total, unsure, cells)
    return max(1.0, float((away**2 / unsure).sum()) / freedom), freedom


def periods_of(times: Floats, *, count: int = PERIODS) -> NDArray[np.int64]:
    """(n,) in which of `count` stretches of time with equally many leads each lies; leads of one time are together."""
    ordered = np.sort(times)
    edges = np.unique(ordered[(np.arange(1, count) * times.size) // count]) if times.size else ordered
    return np.searchsorted(edges, times, side="right").astype(np.int64)


def _score(statistic: float, freedom: int, spread: tuple[float, int], method: str) -> Homogeneity:
    """Chi-square where the spread over time is chance alone, else an F test against that spread."""
    times, known_by = spread
    if times <= 1.0:
        p_value = float(chi2.sf(statistic, freedom))
    else:
        p_value = float(f_distribution.sf(statistic / freedom / times, freedom, known_by))
        method += f", against {times:.1f} times chance from one period to the next"
    return Homogeneity(statistic=statistic, freedom=freedom, p_value=p_value, method=method)


def _about_mean(residual: Floats, variance: Floats, group: NDArray[np.intp]) -> Floats:
    """(n,) less what the group has in common, in proportion to the variance."""
    total, unsure = _sums(residual, group), _sums(variance, group)
    return residual - variance * np.divide(total, unsure, out=np.zeros_like(total), where=unsure > 0)[group]


def _sums(numbers: Floats, group: NDArray[np.intp]) -> Floats:
    return np.asarray(np.bincount(group, weights=numbers), dtype=np.float64)


def _crossed(first: NDArray[np.intp], second: NDArray[np.int64]) -> NDArray[np.intp]:
    """(n,) 0.. a place for each pair that occurs."""
    width = int(second.max(initial=0)) + 1
    return np.asarray(np.unique(first * width + second, return_inverse=True)[1], dtype=np.intp)


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
