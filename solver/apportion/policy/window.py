"""What reps were given already in the window that a batch plans for: it comes off their capacity.

A capacity is per rep and window, so that the batches of one window share it: the one rule for `assign`, the service,
what-if and replay."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import numbers
from apportion.policy.hours import read_hours
from apportion.policy.schema import Policy
from apportion.policy.worktime import local, stretches

Floats = NDArray[np.float64]

LOOK_BACK = 14 * 86_400.0  # seconds that hold some working time in any working week


def window_start(policy: Policy, at: pd.Timestamp) -> pd.Timestamp:
    """Since when what was given counts against the capacity of a batch at `at`.

    A capacity is stated for `window.days` working days. The day of the batch is the last of them, so the first begins
    at its midnight, by the company's calendar: two batches on one day share one day's capacity, and the next day
    begins anew. Less than a day is counted back in hours of work.
    """
    zone, hours = ZoneInfo(policy.availability.time_zone), read_hours(policy.availability.week)
    days = policy.window.days
    if days < 1:
        return _hours_back(policy, at)
    day, more = at.tz_convert(zone).date(), math.ceil(days - 1e-9) - 1
    while more > 0:
        day -= dt.timedelta(days=1)
        more -= bool(hours.days[day.weekday()])
    return pd.Timestamp(local(day, 0, zone), unit="s", tz="UTC")


def _hours_back(policy: Policy, at: pd.Timestamp) -> pd.Timestamp:
    zone, hours = ZoneInfo(policy.availability.time_zone), read_hours(policy.availability.week)
    wanted, end = policy.window.days * 60.0 * hours.total / hours.working_days, at.timestamp()
    for _, start, finish in reversed(stretches(hours, zone, end - LOOK_BACK, end)):
        if finish - start >= wanted:
            return pd.Timestamp(finish - wanted, unit="s", tz="UTC")
        wanted -= finish - start
    return pd.Timestamp(end - LOOK_BACK, unit="s", tz="UTC")


def without_used(
    capacity: pd.DataFrame, policy: Policy, reps: pd.DataFrame, assigned: pd.DataFrame | None, *, at: pd.Timestamp
) -> pd.DataFrame:
    """The reps' capacity by the policy, less the effort that they were given in the window already.

    assigned : what earlier batches gave (`rep_id`, `assigned_at`, `effort`, 1 where there is none), or None. A lead
    takes room once: what the backlog takes for open leads that were given in this window is not taken again.
    """
    if assigned is None or not len(assigned):
        return capacity
    given, count = given_in_window(policy, assigned, capacity["rep_id"], at=at)
    opened = np.nan_to_num(numbers(reps, "open_leads"), nan=0.0)
    used = used_of(given, count, opened, capacity["backlog"].to_numpy(dtype=float))
    left = np.maximum(capacity["capacity"].to_numpy(dtype=float) - used, 0.0)
    why = [
        f"{sentence[:-1]}; {units:.4g} of this window are given already, which leaves {rest:.4g}."
        if units
        else sentence
        for sentence, units, rest in zip(capacity["why"], used, left, strict=True)
    ]
    return capacity.assign(capacity=left, why=why)


def given_in_window(
    policy: Policy, assigned: pd.DataFrame, rep_ids: pd.Series[Any], *, at: pd.Timestamp
) -> tuple[Floats, Floats]:
    """(R,) effort, and (R,) leads, that each rep was given in the window that ends at `at`; `assigned` as above."""
    times = pd.to_datetime(assigned["assigned_at"], utc=True)
    inside = assigned[(times >= window_start(policy, at)) & (times <= at)]
    effort = inside["effort"].fillna(1.0) if "effort" in inside else pd.Series(1.0, inside.index)
    sums = effort.groupby(inside["rep_id"].astype(str)).agg(["sum", "size"])
    given, count = sums.reindex(rep_ids.astype(str)).fillna(0.0).to_numpy(dtype=float).T
    return given, count


def used_of(given: Floats, count: Floats, opened: Floats, backlog: Floats) -> Floats:
    """(R,) effort that comes off for what was given: a lead that is open still is in the backlog already."""
    share = np.divide(np.minimum(count, opened), opened, out=np.zeros(len(opened)), where=opened > 0)
    used: Floats = np.maximum(given - backlog * share, 0.0)
    return used
