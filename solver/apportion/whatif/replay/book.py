"""The book of one track: what it has handed out to whom, and until when each of these leads is open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SAID = ("lead_id", "rep_id", "assigned_at", "account_id", "effort", "opportunity", "expected_revenue", "tier")
COLUMNS = (*SAID, "deal_value", "closes_at", "won")
NEVER = np.inf


class Book:
    """What one track has handed out. Of the R reps of a run, in their order; rows of other reps count for nobody.

    Each row is a lead: `assigned_at`; `closes_at` (NaT: never, as far as is known); `won`, 1 or 0, where the ground
    knows.
    """

    def __init__(self, rep_ids: Sequence[str], earlier: pd.DataFrame | None = None) -> None:
        self._place = {rep: index for index, rep in enumerate(rep_ids)}
        self._frames: list[pd.DataFrame] = []
        self._rep = np.zeros(0, dtype=np.int64)
        self._times = np.zeros((2, 0))  # assigned, closes: seconds since 1970
        self._sizes = np.zeros((2, 0))  # effort, deal value
        if earlier is not None:
            self.enter(earlier)

    def enter(self, given: pd.DataFrame) -> None:
        """Add leads that were handed out: a frame with `COLUMNS`."""
        frame = given[list(COLUMNS)].reset_index(drop=True)
        if not len(frame):
            return
        self._frames.append(frame)
        rep = np.array([self._place.get(str(rep), -1) for rep in frame["rep_id"]], dtype=np.int64)
        times = np.stack([seconds(frame[name]) for name in ("assigned_at", "closes_at")])
        sizes = frame[["effort", "deal_value"]].to_numpy(dtype=float).T
        self._rep = np.append(self._rep, rep)
        self._times = np.concatenate([self._times, times], axis=1)
        self._sizes = np.concatenate([self._sizes, np.nan_to_num(sizes)], axis=1)

    def assigned(self, at: pd.Timestamp) -> pd.DataFrame | None:
        """What was handed out until `at`, as caps, rolling windows and owners of accounts read it; None: nothing."""
        if not self._frames:
            return None
        said: pd.DataFrame = self.entries(at)[list(SAID)]
        return said

    def entries(self, at: pd.Timestamp) -> pd.DataFrame:
        """What was handed out until `at`, with `COLUMNS`: also how it ends, which nobody knows before it does."""
        if not self._frames:
            return pd.DataFrame(columns=list(COLUMNS))
        self._frames = [pd.concat(self._frames, ignore_index=True)] if len(self._frames) > 1 else self._frames
        given: pd.DataFrame = self._frames[0].loc[self._times[0] <= at.timestamp()]
        return given.reset_index(drop=True)

    def open_leads(self, at: pd.Timestamp) -> Floats:
        """(R,) leads that are open at `at`: given, and not closed yet."""
        return self._sum(self._open(at), None)

    def open_effort(self, at: pd.Timestamp) -> Floats:
        """(R,) effort units of the leads that are open at `at`."""
        return self._sum(self._open(at), self._sizes[0])

    def open_pipeline(self, at: pd.Timestamp) -> Floats:
        """(R,) what the open leads may be worth, in currency."""
        return self._sum(self._open(at), self._sizes[1])

    def effort_since(self, since: pd.Timestamp, at: pd.Timestamp) -> Floats:
        """(R,) effort units given from `since` until `at`."""
        rows = (self._times[0] >= since.timestamp()) & (self._times[0] <= at.timestamp())
        return self._sum(rows, self._sizes[0])

    def _open(self, at: pd.Timestamp) -> Bools:
        now = at.timestamp()
        return np.asarray((self._times[0] <= now) & (self._times[1] > now), dtype=bool)

    def _sum(self, rows: Bools, amount: Floats | None) -> Floats:
        rows = rows & (self._rep >= 0)
        weights = None if amount is None else amount[rows]
        return np.bincount(self._rep[rows], weights=weights, minlength=len(self._place)).astype(np.float64)


def seconds(times: pd.Series) -> Floats:
    """Seconds since 1970; a missing time is infinitely late."""
    stamps = pd.to_datetime(times, utc=True).astype("datetime64[ns, UTC]")
    known = stamps.notna().to_numpy()
    return np.where(known, stamps.astype("int64").to_numpy() / 1e9, NEVER)


def after(at: pd.Timestamp, days: Floats) -> pd.Series:
    """`at` and so many days, to the second; NaT for infinitely many."""
    known = np.isfinite(days)
    whole = pd.to_timedelta(np.where(known, np.floor(np.where(known, days, 0.0) * 86_400.0), 0.0), unit="s")
    return pd.Series(at + whole).astype("datetime64[ns, UTC]").where(known)
