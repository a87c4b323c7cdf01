"""Outcomes of the leads of an experiment, honestly by age: a lead counts once it has had its full time, and not before.

The outcome of a lead is what became of it within `within_days` of its assignment. Young leads are not failures: they
wait. Each lead thus has one outcome for ever, whatever the day of the look, which the sequential tests need.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.errors import Finding
from apportion_models.experiment.draws import Floats

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcomes:
    """One entry a lead of the log, in its order. `usable`: counts at all (see the findings for what does not).

    converted : 1 where won within the time, else 0. revenue : what was earned then, else 0. listed : in the history.
    """

    usable: Bools
    converted: Floats
    revenue: Floats
    listed: Bools
    findings: tuple[Finding, ...]


def outcomes_of(
    lead_id: pd.Series, assigned_at: pd.Series, history: pd.DataFrame, *, within_days: float, as_of: pd.Timestamp
) -> Outcomes:
    """Look the leads up in `history` as it was known at `as_of`.

    A lead that the history does not list was not won (it may lie in nurture). A lead that is won without a date counts
    as won in time. A lead that was won before it was assigned, or is assigned after `as_of`, is left out.
    """
    won = _wins(history, as_of)
    ids = lead_id.astype(str)
    place = won.index.get_indexer(pd.Index(ids))
    hit = place >= 0
    at = pd.to_datetime(assigned_at, utc=True)
    closed = pd.Series(pd.NaT, index=ids.index, dtype="datetime64[ns, UTC]")
    closed[hit] = won["closed_at"].to_numpy()[place[hit]]
    days = (closed - at).dt.total_seconds().to_numpy() / 86_400.0
    undated = hit & np.isnan(days)
    early = hit & (days < 0)
    future = (at > as_of).to_numpy()
    converted = hit & (undated | (days <= within_days)) & ~early & ~future
    value = np.zeros(len(ids))
    value[hit] = won["deal_value"].to_numpy(dtype=float)[place[hit]]
    unpriced = converted & ~np.isfinite(value)
    listed = (
        ids.isin(set(history["lead_id"].astype(str))).to_numpy() if len(history) else np.zeros(len(ids), dtype=bool)
    )
    told = (
        (early, "was won before it was assigned, which no policy can have caused; left out", "closed_at"),
        (future, "is assigned after the moment of this look; left out", "at"),
        (undated, "is won without a date; counted as won in time", "closed_at"),
        (unpriced, "is won without a value; its revenue counts as 0", "deal_value"),
    )
    return Outcomes(
        usable=~early & ~future,
        converted=converted.astype(np.float64),
        revenue=np.where(converted & np.isfinite(value), value, 0.0),
        listed=np.asarray(listed, dtype=bool),
        findings=tuple(_notice(ids, rows, message, column) for rows, message, column in told if rows.any()),
    )


def _wins(history: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """One row a won lead, by id: its first closing date and the value of that row. Later than `as_of` is not known."""
    rows = history.loc[history["outcome"].astype(str) == "won"]
    closed = (
        pd.to_datetime(rows["closed_at"], utc=True)
        if "closed_at" in rows
        else pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns, UTC]")
    )
    value = rows["deal_value"].astype(float) if "deal_value" in rows else pd.Series(np.nan, index=rows.index)
    table = pd.DataFrame({"lead_id": rows["lead_id"].astype(str), "closed_at": closed, "deal_value": value})
    table = table.loc[~(closed > as_of)]
    table = table.sort_values(["lead_id", "closed_at", "deal_value"], kind="stable")
    return table.drop_duplicates("lead_id").set_index("lead_id")


def _notice(ids: pd.Series, rows: Bools, message: str, column: str) -> Finding:
    first = int(np.flatnonzero(rows)[0])
    return Finding(
        severity="notice",
        table="experiment log",
        column=column,
        value=str(ids.iloc[first]),
        message=f"the lead {message}.",
        count=int(rows.sum()),
    )
