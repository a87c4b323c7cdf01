"""Columns that give the outcome away: they look like the best feature and are worthless on a new lead."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from apportion_models.errors import Finding
from apportion_models.features.columns import numbers, texts

NEARLY_DETERMINES = 0.95  # area under the curve of one column alone
FEWEST = 40  # resolved leads below which nothing is claimed
FEWEST_PER_SIDE = 10


def find_leaks(
    table: pd.DataFrame, columns: Sequence[str], outcome: NDArray[np.int8], *, name: str = "history"
) -> dict[str, Finding]:
    """The columns that nearly determine the outcome, or are filled in only once a lead is closed.

    `outcome` (n,) is 1 won, 0 lost, -1 open. Half of the resolved rows learn each level's rate, the other half test it.
    """
    found: dict[str, Finding] = {}
    resolved = np.flatnonzero(outcome >= 0)
    won = outcome[resolved] == 1
    for column in columns:
        numeric = pd.api.types.is_numeric_dtype(table[column]) and not pd.api.types.is_bool_dtype(table[column])
        text = texts(table, column)
        if _filled_at_closing(pd.isna(text), outcome):
            message = "it is missing on open leads and filled in on closed ones, so a new lead cannot have it."
            found[column] = _leak(name, column, message)
            continue
        if resolved.size < FEWEST or min(won.sum(), (~won).sum()) < FEWEST_PER_SIDE:
            continue
        area = _rates_area(text[resolved], won)
        if numeric:
            raw = numbers(table, column)[resolved]
            known = ~np.isnan(raw)
            area = max(area, _area(raw[known], won[known])) if known.mean() > 0.5 else area
        if area >= NEARLY_DETERMINES:
            message = f"it nearly determines the outcome by itself (area under the curve {area:.3f})."
            found[column] = _leak(name, column, message)
    return found


def _leak(table: str, column: str, message: str) -> Finding:
    return Finding(
        severity="notice",
        table=table,
        column=column,
        message=f"{message} Suspected leak, so it is left out.",
        remedy="If it is known before the assignment, keep it by naming it in FitModel(columns=…).",
    )


def _filled_at_closing(absent: NDArray[np.bool_], outcome: NDArray[np.int8]) -> bool:
    is_open = outcome < 0
    if min(int(is_open.sum()), int((~is_open).sum())) < FEWEST:
        return False
    return bool(absent[is_open].mean() > 0.5 and absent[~is_open].mean() < 0.05)


def _rates_area(text: NDArray[np.object_], won: NDArray[np.bool_]) -> float:
    """Area under the curve of the levels' win rates, learned on every other row and tested on the rest."""
    codes, _ = pd.factorize(pd.Series(text).fillna("\0missing"))
    learn = np.arange(codes.size) % 2 == 0
    width = int(codes.max()) + 1
    rows = np.bincount(codes[learn], minlength=width)
    wins = np.bincount(codes[learn], weights=won[learn], minlength=width)
    rate = (wins + 2.0 * won.mean()) / (rows + 2.0)
    return _area(rate[codes[~learn]], won[~learn])


def _area(score: NDArray[np.float64], won: NDArray[np.bool_]) -> float:
    """Mann-Whitney form of the area under the curve, of the better of both directions."""
    wins = int(won.sum())
    losses = won.size - wins
    if wins == 0 or losses == 0:
        return 0.5
    area = (rankdata(score)[won].sum() - wins * (wins + 1) / 2.0) / (wins * losses)
    return float(max(area, 1.0 - area))
