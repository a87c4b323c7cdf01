"""Assigned pairs beside what became of them: each counts once it has had its time, in the order in which that was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.errors import Finding, TableError
from apportion_models.experiment.outcomes import outcomes_of
from apportion_models.fit.history import read_cases
from apportion_models.fit.labels import Delay

Floats = NDArray[np.float64]

MOST_WINS = 0.9  # share of the wins that the time of a lead covers where nobody says
DAY = 86_400.0
NEEDED = ("lead_id", "rep_id", "fit", "expected_revenue")


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairs:
    """Ripe pairs, in the order in which their outcome became known (n,), and how many wait.

    chance, revenue : expected within the time. won, earned : what came within the time. assigned : days since 1970.
    leads : the assignments' rows. all_leads : of every assigned lead, ripe or not. moved, missing : counts of ripe
    leads that another rep than the assigned one had first (left out), and that the history does not list.
    """

    leads: pd.DataFrame
    all_leads: pd.DataFrame
    assigned: Floats
    chance: Floats
    revenue: Floats
    won: Floats
    earned: Floats
    waiting: int
    moved: int
    missing: int
    within_days: float
    in_time: float
    findings: tuple[Finding, ...]

    def __len__(self) -> int:
        return int(self.won.size)


def pair_up(
    assignments: pd.DataFrame, history: pd.DataFrame, *, as_of: pd.Timestamp, within_days: float | None = None
) -> Pairs:
    """Put the assignments (lead_id, rep_id, fit, expected_revenue, assigned_at or created_at) beside the history.

    A lead's time is `within_days`; by default that in which 90 % of the wins come. The fit is the chance to convert at
    all; the share of wins that come in time makes it the chance to convert in time. Raises TableError with every fault.
    """
    given, findings = _checked(assignments, history)
    delay = _delay(history, as_of)
    if within_days is None and delay is None:
        message = "tells no date of a win, so the time that a lead needs is not known."
        remedy = "Say it with within_days."
        raise TableError(Finding(severity="error", table="history", column="closed_at", message=message, remedy=remedy))
    within = float(np.ceil(delay.quantile(MOST_WINS))) if within_days is None and delay else float(within_days or 0.0)
    within = max(within, 1.0) if within_days is None else within
    in_time = 1.0 if delay is None else float(delay.by(np.array([within]))[0])
    found = outcomes_of(given["lead_id"], given["at"], history, within_days=within, as_of=as_of)
    ripe_at = given["at"] + pd.Timedelta(days=within)
    ripe = found.usable & (ripe_at <= as_of).to_numpy()
    first = _first_owner(history)
    owner = given["lead_id"].map(first)
    moved = ripe & (owner.notna() & (owner != given["rep_id"])).to_numpy()
    counted = ripe & ~moved
    order = np.flatnonzero(counted)  # by time of assignment, and so by the time at which each is ripe
    return Pairs(
        leads=given.iloc[order].reset_index(drop=True),
        all_leads=given,
        assigned=_days(given["at"])[order],
        chance=np.clip(given["fit"].to_numpy(dtype=np.float64) * in_time, 0.0, 1.0)[order],
        revenue=(given["expected_revenue"].to_numpy(dtype=np.float64) * in_time)[order],
        won=found.converted[order],
        earned=found.revenue[order],
        waiting=int((found.usable & ~ripe).sum()),
        moved=int(moved.sum()),
        missing=int((ripe & ~found.listed).sum()),
        within_days=within,
        in_time=in_time,
        findings=(*findings, *found.findings),
    )


def _checked(assignments: pd.DataFrame, history: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """The assigned leads, each once, with the moment of assignment in `at`, in its order; and notices."""
    missing = [name for name in NEEDED if name not in assignments]
    if missing:
        raise TableError(
            Finding(
                severity="error",
                table="assignments",
                column=name,
                message="this column is missing.",
                remedy="Give assignments.csv as `apportion assign` wrote it.",
            )
            for name in missing
        )
    table = assignments.copy()
    table["lead_id"] = table["lead_id"].astype(str)
    rep = table["rep_id"].astype(object)
    table["rep_id"] = rep.where(rep.notna(), "").astype(str).str.strip()
    table = table.loc[table["rep_id"] != ""].reset_index(drop=True)
    faults = [*_not_numbers(table, "fit", 1.0), *_not_numbers(table, "expected_revenue", np.inf)]
    when, undated = _moments(table, history)
    if faults:
        raise TableError(faults)
    table = table.assign(
        at=when, fit=table["fit"].astype(float), expected_revenue=table["expected_revenue"].astype(float)
    )
    table = table.loc[when.notna()].sort_values(["at", "lead_id"], kind="stable")
    again = table["lead_id"].duplicated()
    notices = [
        Finding(severity="notice", table="assignments", column=column, message=message, count=int(count))
        for column, message, count in (
            ("assigned_at", "it is not known when the lead was assigned; left out.", undated),
            ("lead_id", "the lead was assigned more than once; the first time counts.", again.sum()),
        )
        if count
    ]
    return table.loc[~again].reset_index(drop=True), notices


def _not_numbers(table: pd.DataFrame, column: str, high: float) -> list[Finding]:
    values = pd.to_numeric(table[column], errors="coerce")
    wrong = ~((values >= 0) & (values <= high) & np.isfinite(values))
    if not wrong.any():
        return []
    first = int(np.flatnonzero(wrong.to_numpy())[0])
    message = (
        f"must be a number from 0 to {high:g} for a lead with a rep."
        if np.isfinite(high)
        else ("must be a number, 0 or more, for a lead with a rep.")
    )
    return [
        Finding(
            severity="error",
            table="assignments",
            row=first + 1,
            column=column,
            value=str(table[column].iloc[first]),
            message=message,
            count=int(wrong.sum()),
        )
    ]


def _moments(table: pd.DataFrame, history: pd.DataFrame) -> tuple[pd.Series, int]:
    """When each lead was assigned: as stated, else as the history says, else when it came in. How many have none."""
    when = pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns, UTC]")
    if "assigned_at" in table:
        when = when.fillna(pd.to_datetime(table["assigned_at"], utc=True))
    if "assigned_at" in history and len(history):
        first = pd.to_datetime(history["assigned_at"], utc=True).groupby(history["lead_id"].astype(str)).min()
        when = when.fillna(table["lead_id"].map(first))
    if "created_at" in table:
        when = when.fillna(pd.to_datetime(table["created_at"], utc=True))
    return when, int(when.isna().sum())


def _first_owner(history: pd.DataFrame) -> pd.Series:
    """By lead: who had it first."""
    columns = [name for name in ("assigned_at", "created_at") if name in history]
    rows = history.loc[history["rep_id"].notna()].sort_values([*columns, "lead_id", "rep_id"], kind="stable")
    ids = rows["lead_id"].astype(str)
    rep = pd.Series(rows["rep_id"].astype(str).to_numpy(), index=ids.to_numpy())
    return rep[~rep.index.duplicated()]


def _delay(history: pd.DataFrame, as_of: pd.Timestamp) -> Delay | None:
    """How long wins take, seen on all of the history; None where it tells no date of a win."""
    try:
        cases, _ = read_cases(history, until=as_of)
    except TableError:
        return None
    if not cases.dated or not np.isfinite(cases.closed[cases.outcome == 1]).any():
        return None
    return Delay.of_wins(cases)


def _days(when: pd.Series) -> Floats:
    return np.asarray((when - pd.Timestamp(0, tz="UTC")).dt.total_seconds() / DAY, dtype=np.float64)
