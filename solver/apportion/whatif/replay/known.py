"""What a history knew at a moment: the one rule by which the past never sees the future."""

from __future__ import annotations

import pandas as pd

from apportion_models.errors import Finding, TableError


def first_known(history: pd.DataFrame) -> pd.Series:
    """(n,) when each row came to be: `assigned_at`, else `created_at`; NaT where neither is known."""
    when = pd.Series(pd.NaT, index=history.index, dtype="datetime64[ns, UTC]")
    for column in ("assigned_at", "created_at"):
        if column in history.columns:
            when = when.fillna(pd.to_datetime(history[column], utc=True).astype("datetime64[ns, UTC]"))
    return when


def reps_then(reps: pd.DataFrame) -> pd.DataFrame:
    """The reps without what holds today only: who is paused now was not paused then, for all that is known."""
    return reps.assign(paused=False) if "paused" in reps.columns else reps


def accounts_then(accounts: pd.DataFrame | None) -> pd.DataFrame | None:
    """The accounts without who owns them now, which may be whoever won the very leads that are looked at."""
    return None if accounts is None else accounts.drop(columns="owner_rep_id", errors="ignore")


def check_dated(history: pd.DataFrame) -> None:
    """Raise TableError where no row of the history has a date: nothing can then be put in order of time."""
    if not first_known(history).notna().any():
        message = "no row has a date, so past batches cannot be put in order of time."
        remedy = "Add assigned_at, and closed_at for leads that are won or lost."
        raise TableError(
            Finding(severity="error", table="history", column="assigned_at", message=message, remedy=remedy)
        )


def known_history(history: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """The history as it stood at `at`.

    Rows that came later, or whose date is unknown, are gone; a lead that closed later is open, without value and date.
    A lead that is closed without a date stays closed: `FitModel` says when it takes it for known.
    """
    when = first_known(history)
    past = history.loc[(when <= at).to_numpy()].reset_index(drop=True)
    if "closed_at" not in past.columns:
        return past
    closed = pd.to_datetime(past["closed_at"], utc=True)
    still = (past["outcome"] == "open") | (closed > at)
    past = past.assign(outcome=past["outcome"].where(~still, "open"), closed_at=past["closed_at"].where(~still, pd.NaT))
    if "deal_value" in past.columns:
        past["deal_value"] = past["deal_value"].where(~still)
    return past
