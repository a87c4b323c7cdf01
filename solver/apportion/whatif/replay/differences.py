"""How far the policy's plan lies above each other track, and how sure that is by the spread of weeks."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from scipy.stats import t as student

FEWEST_WEEKS = 4  # below which the spread of weeks says nothing


def weeks(batches: pd.DataFrame) -> pd.Series[int]:
    """(n,) week of each batch, from 0; a change of the clock moves none into another."""
    passed = (batches["at"] - batches["at"].min()).dt.total_seconds()
    week: pd.Series[int] = ((passed + 43_200) // (7 * 86_400)).astype(int)
    return week


def against(batches: pd.DataFrame, base: str) -> pd.DataFrame:
    """How far the base track lies above each other: one row a track and measure (`worth`, `earned`), in currency.

    low, high : the 90 % interval by the spread of the weeks' differences (Student's t over weeks), NaN below four
    weeks. It covers which leads happen to come, and their luck; not that a model may be wrong.
    """
    rows: list[dict[str, Any]] = []
    for name in [name for name in ("worth", "earned") if name in batches.columns]:
        sums = batches.assign(week=weeks(batches)).pivot_table(
            index="week", columns="track", values=name, aggfunc="sum"
        )
        for track in [one for one in batches["track"].unique() if one != base]:
            change = (sums[base] - sums[track]).to_numpy(dtype=float)
            total, other = math.fsum(change), math.fsum(sums[track])
            spread = math.nan
            if len(change) >= FEWEST_WEEKS:
                t = float(student.ppf(0.95, len(change) - 1))
                spread = t * float(change.std(ddof=1)) * math.sqrt(len(change))
            rows.append(
                {
                    "track": track,
                    "measure": name,
                    "difference": total,
                    "low": total - spread,
                    "high": total + spread,
                    "of_other": total / other if other > 0 else math.nan,
                }
            )
    return pd.DataFrame(rows, columns=["track", "measure", "difference", "low", "high", "of_other"])
