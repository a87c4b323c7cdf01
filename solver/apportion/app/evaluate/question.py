"""The batch that is planned to see what plans are worth: the leads that were given, or the latest month of history."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from apportion.app.evaluate.errors import NotApplicable
from apportion.app.sources import Read, default_moment

MONTH = pd.Timedelta(days=30)
AFTERWARDS = ["rep_id", "assigned_at", "outcome", "closed_at", "deal_value"]  # what nobody knew of a lead beforehand


@dataclass(frozen=True, eq=False)
class Question:
    """The tables of the batch, the moment up to which is known and at which it is assigned, and what it is."""

    read: Read
    at: pd.Timestamp
    batch: str
    given: bool  # the leads were given; False: taken from the history


def pose_question(read: Read, at: pd.Timestamp | None) -> Question:
    """The given leads at `at`; without leads, those that were first assigned in the 30 days before `at`.

    `at` defaults to when the last lead came in. Raises NotApplicable where there is neither a lead nor a date.
    """
    if len(read.tables.leads):
        return Question(read, default_moment(read.tables) if at is None else at, "the leads given", True)
    assert read.history is not None
    when = first_assigned(read.history, at)
    last = when.max() if at is None else at
    if pd.isna(last):
        raise NotApplicable(
            "there are no leads to plan, and the history has no dates from which to take its last month"
        )
    start = pd.Timestamp(last) - MONTH
    leads = _latest(read.history, when, start)
    tables = replace(read.tables, leads=leads, overrides=None, assigned=_before(read.tables.assigned, start))
    days = f"{(start + pd.Timedelta(days=1)).date()} to {pd.Timestamp(last).date()}"
    batch = f"the leads that the history saw assigned from {days}, planned with what was known before"
    return Question(replace(read, tables=tables), start, batch, False)


def first_assigned(history: pd.DataFrame, until: pd.Timestamp | None = None) -> pd.Series:
    """Per row, when its lead was first assigned (NaT unknown); rows after `until` are unknown too."""
    when = pd.Series(pd.NaT, index=history.index, dtype="datetime64[ns, UTC]")
    for column in ("assigned_at", "created_at"):
        if column in history.columns:
            when = when.fillna(pd.to_datetime(history[column], utc=True))
    first = when.groupby(history["lead_id"].astype(str)).transform("min")
    return first if until is None else first.where(first <= until)


def _latest(history: pd.DataFrame, when: pd.Series, start: pd.Timestamp) -> pd.DataFrame:
    """The leads first assigned after `start`, by id, as they stood before anybody worked them."""
    rows = history.assign(_when=when).loc[when > start]
    rows = rows.sort_values(["lead_id", "_when"], key=_comparable, kind="stable")
    rows = rows.drop_duplicates("lead_id").reset_index(drop=True)
    created = rows["created_at"] if "created_at" in rows.columns else pd.Series(pd.NaT, index=rows.index)
    leads = rows.drop(columns=[c for c in AFTERWARDS if c in rows.columns])
    leads["created_at"] = pd.to_datetime(created, utc=True).fillna(rows["_when"])
    return leads.drop(columns="_when").assign(deal_value=np.nan)


def _comparable(column: pd.Series) -> pd.Series:
    return column if column.name == "_when" else column.astype(str)


def _before(assigned: pd.DataFrame | None, start: pd.Timestamp) -> pd.DataFrame | None:
    if assigned is None or "assigned_at" not in assigned.columns:
        return None
    known = pd.to_datetime(assigned["assigned_at"], utc=True) <= start
    return assigned.loc[known].reset_index(drop=True)
