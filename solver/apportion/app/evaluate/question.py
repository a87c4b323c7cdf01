"""The batch that is planned to see what plans are worth: the leads that were given, or the latest month of history."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from apportion.app.evaluate.errors import NotApplicable
from apportion.app.sources import Read, default_moment
from apportion.whatif.replay.arrivals import past_leads
from apportion.whatif.replay.known import accounts_then, first_known, reps_then

MONTH = pd.Timedelta(days=30)


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
    leads, _ = past_leads(read.history.loc[when > start])
    tables = replace(
        read.tables,
        leads=leads.reset_index(drop=True),
        reps=reps_then(read.tables.reps),
        accounts=accounts_then(read.tables.accounts),
        overrides=None,
        assigned=_before(read.tables.assigned, start),
    )
    days = f"{(start + pd.Timedelta(days=1)).date()} to {pd.Timestamp(last).date()}"
    batch = f"the leads that the history saw assigned from {days}, planned with what was known before"
    return Question(replace(read, tables=tables), start, batch, False)


def first_assigned(history: pd.DataFrame, until: pd.Timestamp | None = None) -> pd.Series:
    """Per row, when its lead was first assigned (NaT unknown); rows after `until` are unknown too."""
    first = first_known(history).groupby(history["lead_id"].astype(str)).transform("min")
    return first if until is None else first.where(first <= until)


def _before(assigned: pd.DataFrame | None, start: pd.Timestamp) -> pd.DataFrame | None:
    if assigned is None or "assigned_at" not in assigned.columns:
        return None
    known = pd.to_datetime(assigned["assigned_at"], utc=True) <= start
    return assigned.loc[known].reset_index(drop=True)
