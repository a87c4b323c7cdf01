"""Calibration over time: is a chance of 20 % still 20 %, window by window?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import chi2, norm

from apportion_models.drift.alarms import Alarm
from apportion_models.drift.pairs import Pairs

Floats = NDArray[np.float64]

WINDOW_DAYS = 28.0
FEWEST_EVENTS = 20  # wins, and losses, of a window that is judged
BAND = (0.8, 1.25)  # slopes within are let be
FDR = 0.05


@dataclass(frozen=True, kw_only=True)
class Window:
    """One window of assignment, all of whose leads are ripe: logit P(won) = intercept + slope · logit(chance).

    A slope under 1: the chances are too far apart (over-confident); above 1: too close together. intercept at slope 1
    would be the shift of all. p_value : of (0, 1), by likelihood ratio; None where too few are won or lost to fit.
    """

    start: str
    pairs: int
    expected: float
    observed: float
    slope: float | None
    slope_error: float | None
    intercept: float | None
    p_value: float | None
    alarmed: bool


def windows(pairs: Pairs, *, as_of_days: float) -> list[Window]:
    """Every complete window, in order; those that are alarmed by Benjamini and Hochberg (1995) over all of them."""
    if not len(pairs):
        return []
    number = np.floor((pairs.assigned - pairs.assigned[0]) / WINDOW_DAYS).astype(np.int64)
    rows = []
    for window in np.unique(number):
        inside = number == window
        first = pairs.assigned[0] + window * WINDOW_DAYS
        if first + WINDOW_DAYS + pairs.within_days > as_of_days:
            continue
        rows.append((first, inside, recalibrate(pairs.won[inside], pairs.chance[inside])))
    tested = [fitted[3] if fitted is not None else None for _, _, fitted in rows]
    significant = rejected(tested, FDR)
    return [
        Window(
            start=str(pd.Timestamp(first * 86_400.0, unit="s", tz="UTC").date()),
            pairs=int(inside.sum()),
            expected=float(pairs.chance[inside].mean()),
            observed=float(pairs.won[inside].mean()),
            slope=None if fitted is None else fitted[1],
            slope_error=None if fitted is None else fitted[2],
            intercept=None if fitted is None else fitted[0],
            p_value=None if fitted is None else fitted[3],
            alarmed=bool(hit and fitted is not None and not BAND[0] <= fitted[1] <= BAND[1]),
        )
        for (first, inside, fitted), hit in zip(rows, significant, strict=True)
    ]


def recalibrate(won: Floats, chance: Floats) -> tuple[float, float, float, float] | None:
    """(intercept, slope, its standard error, p-value of 0 and 1) by logistic regression (Cox 1958); None if too few."""
    if min(won.sum(), (1 - won).sum()) < FEWEST_EVENTS:
        return None
    x = logit(np.clip(chance, 1e-6, 1 - 1e-6))
    if float(x.std()) < 1e-6:
        return None
    design = np.column_stack([np.ones_like(x), x])
    beta = np.array([0.0, 1.0])
    information = np.eye(2)
    for _ in range(50):
        p = expit(design @ beta)
        information = (design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, design.T @ (won - p))
        beta = beta + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-9:
            break
    error = float(np.sqrt(np.linalg.inv(information)[1, 1]))
    ratio = 2.0 * (_likelihood(won, expit(design @ beta)) - _likelihood(won, expit(x)))
    return float(beta[0]), float(beta[1]), error, float(chi2.sf(max(ratio, 0.0), 2))


def _likelihood(won: Floats, p: Floats) -> float:
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return float((won * np.log(p) + (1 - won) * np.log1p(-p)).sum())


def rejected(p_values: list[float | None], rate: float) -> list[bool]:
    """Which are rejected with a false discovery rate of `rate` (Benjamini and Hochberg 1995); None is never."""
    there = [(p, place) for place, p in enumerate(p_values) if p is not None]
    there.sort()
    most = 0
    for rank, (p, _) in enumerate(there, start=1):
        if p <= rate * rank / len(there):
            most = rank
    hit = {place for _, place in there[:most]}
    return [place in hit for place in range(len(p_values))]


def calibration_alarms(found: list[Window]) -> Iterator[Alarm]:
    """One alarm for each window whose slope is off."""
    for window in found:
        if not window.alarmed or window.slope is None or window.slope_error is None:
            continue
        half = float(norm.ppf(0.95)) * window.slope_error
        spread = "too far apart (over-confident)" if window.slope < 1 else "too close together"
        yield Alarm(
            kind="calibration",
            where=f"window from {window.start}",
            sentence=(
                f"In the {WINDOW_DAYS:.0f} days from {window.start} the chances were {spread}: slope "
                f"{window.slope:.2f} ({window.slope - half:.2f} to {window.slope + half:.2f}) where 1 is right."
            ),
            action=(
                "Fit again. If the slope stays low, let the plan use the lower bound (value.estimate: lower) and "
                "check the model card for effects that did not hold out of time."
            ),
        )
