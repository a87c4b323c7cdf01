"""The leads of the past as they stood when they arrived, and the batch in which each of them is placed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.whatif.replay.known import first_known
from apportion_models.errors import Finding
from apportion_models.features.roles import KNOWN_AFTER

# The export's own view of a lead: who had it, and who owns it by now. Neither was known when it arrived.
AFTERWARDS = (*sorted(KNOWN_AFTER), "rep_id", "owner_rep_id")


@dataclass(frozen=True, eq=False)
class Arrivals:
    """leads : in order of arrival, then id. batch : (n,) number of the moment at which each is placed first."""

    leads: pd.DataFrame
    batch: NDArray[np.int64]
    findings: tuple[Finding, ...] = ()


def past_leads(history: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """The history's leads as they stood when they arrived, one row each: what came after is taken away.

    A lead listed more than once is its earliest row. Leads without any date, and rows that no rep owned, as they say
    neither when nor what they were, are told and left out.
    """
    when = first_known(history)
    created = pd.to_datetime(history["created_at"], utc=True) if "created_at" in history.columns else when
    owned = history["rep_id"].notna()
    rows = history.assign(created_at=created.astype("datetime64[ns, UTC]").fillna(when), _when=when)
    rows = rows.loc[when.notna() & owned].sort_values(["_when", "lead_id"], key=_comparable, kind="stable")
    rows = rows.drop_duplicates("lead_id").drop(columns="_when")
    away = [name for name in rows.columns if str(name).lower() in AFTERWARDS and name != "created_at"]
    left = int((~(when.notna() & owned)).sum())
    message = "rows without a date or a rep are left out of the replay."
    told = (Finding(severity="notice", table="history", message=message, count=left),) if left else ()
    return rows.drop(columns=away).assign(deal_value=np.nan), told


def arrivals(leads: pd.DataFrame, at: tuple[pd.Timestamp, ...]) -> Arrivals:
    """Put the leads in order of arrival; each is placed at the first moment at or after it. `at` ends after them."""
    created = pd.to_datetime(leads["created_at"], utc=True).astype("datetime64[ns, UTC]")
    ordered = leads.assign(created_at=created).sort_values(["created_at", "lead_id"], key=_comparable, kind="stable")
    ordered = ordered.reset_index(drop=True)
    stamps = pd.DatetimeIndex(at).as_unit("ns").asi8
    batch = np.searchsorted(stamps, ordered["created_at"].astype("int64").to_numpy())
    return Arrivals(ordered, batch.astype(np.int64))


def joined(history: pd.DataFrame, leads: pd.DataFrame) -> pd.DataFrame:
    """The past's leads and those given beside them; a lead that is in both is as it was given."""
    own = leads.drop(columns=[name for name in leads.columns if name == "owner_rep_id"])
    others = history[~history["lead_id"].astype(str).isin(set(own["lead_id"].astype(str)))]
    if not len(own):
        return history
    if not len(others):
        return own
    return pd.concat([others, own], ignore_index=True)


def _comparable(column: pd.Series) -> pd.Series:
    return column if column.name in ("_when", "created_at") else column.astype(str)
