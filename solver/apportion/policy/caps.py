"""Caps on the number of leads handed to a rep in an hour, day, week or month, or open at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked, needed, numbers, texts
from apportion.policy.availability import rep_weeks
from apportion.policy.worktime import local

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CapRoom:
    """What a cap leaves to each rep now: (R,) leads free, inf where it does not hold; (R,) leads already counted."""

    name: str
    at_most: int
    free: Floats
    used: Floats
    price: float | None  # None: hard


def cap_room(asked: Asked, assigned: pd.DataFrame | None) -> list[CapRoom]:
    """What each cap of the policy leaves to each rep at this moment."""
    assert asked.reps is not None
    rooms = []
    for index, cap in enumerate(asked.policy.capacity.caps):
        if cap.per == "open":
            used = np.nan_to_num(numbers(asked.reps, "open_leads"), nan=0.0)
        else:
            used = _handed_out(asked, assigned, cap.per)
        holds = asked.holds(cap.reps, f"capacity.caps[{index}].reps")
        free = np.where(holds, np.maximum(cap.at_most - used, 0.0), np.inf)
        rooms.append(CapRoom(cap.name, cap.at_most, free, used, None if cap.price == "hard" else float(cap.price)))
    return rooms


def _handed_out(asked: Asked, assigned: pd.DataFrame | None, per: str) -> Floats:
    """(R,) leads handed to each rep since the period began, where the rep is."""
    assert asked.reps is not None
    counts = np.zeros(len(asked.reps))
    if assigned is None or not len(assigned):
        return counts
    needed(assigned, "assignments", ("rep_id", "assigned_at"))
    times = pd.to_datetime(assigned["assigned_at"], utc=True)
    starts = [_period_start(asked.at, week.zone, per) for week in rep_weeks(asked)]
    place = {str(rep): index for index, rep in enumerate(asked.reps["rep_id"])}
    for rep, time in zip(texts(assigned, "rep_id"), times, strict=True):
        index = place.get(rep) if rep is not None else None
        if index is not None and starts[index] <= time <= asked.at and (per != "hour" or time > starts[index]):
            counts[index] += 1
    return counts


def _period_start(at: pd.Timestamp, zone: ZoneInfo, per: str) -> pd.Timestamp:
    if per == "hour":
        return at - pd.Timedelta(hours=1)
    day = at.tz_convert(zone).date()
    if per == "week":
        day -= dt.timedelta(days=day.weekday())
    if per == "month":
        day = day.replace(day=1)
    return pd.Timestamp(local(day, 0, zone), unit="s", tz="UTC")
