"""Absences by the calendar table, and which of them were long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from apportion.policy.asked import needed, numbers, texts
from apportion.policy.hours import WeeklyHours
from apportion.policy.worktime import Absence, local, stretches
from apportion_models.errors import Finding, TableError

FOREVER = 253_000_000_000.0  # the year 9987


def read_absences(calendar: pd.DataFrame | None, reps: pd.DataFrame, zones: Sequence[ZoneInfo]) -> list[list[Absence]]:
    """Each rep's absences by the calendar table, in order of time.

    Columns: `rep_id` (missing: everybody), `start`, `end` (the first moment after it; missing: for good), and
    optionally `capacity`, the share that is left meanwhile. A row of which both are midnight in UTC means whole
    days where the rep is. Raises TableError with every row that has no start or ends before it.
    """
    found: list[list[Absence]] = [[] for _ in zones]
    if calendar is None or not len(calendar):
        return found
    needed(calendar, "calendar", ("rep_id", "start", "end"))
    place = {str(rep): index for index, rep in enumerate(reps["rep_id"])}
    left = np.nan_to_num(numbers(calendar, "capacity"), nan=0.0)
    findings = []
    rows = zip(texts(calendar, "rep_id"), calendar["start"], calendar["end"], strict=True)
    for row, (rep, start, end) in enumerate(rows):
        if pd.isna(start) or (not pd.isna(end) and pd.Timestamp(end) < pd.Timestamp(start)):
            message = "An absence must have a start, not after its end."
            findings.append(
                Finding(
                    severity="error", table="calendar", row=row + 1, column="start", value=str(start), message=message
                )
            )
            continue
        for index in range(len(zones)) if rep is None else [place[rep]] if rep in place else []:
            found[index].append(_absence(start, end, zones[index], float(left[row])))
    if findings:
        raise TableError(findings)
    return [sorted(spans) for spans in found]


def _absence(start: object, end: object, zone: ZoneInfo, left: float) -> Absence:
    first = pd.Timestamp(start)  # type: ignore[arg-type]
    last = None if pd.isna(end) else pd.Timestamp(end)  # type: ignore[arg-type, call-overload]
    if first == first.normalize() and (last is None or last == last.normalize()):
        return Absence(local(first.date(), 0, zone), FOREVER if last is None else local(last.date(), 0, zone), left)
    return Absence(_utc(first), FOREVER if last is None else _utc(last), left)


def _utc(stamp: pd.Timestamp) -> float:
    return float((stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp).timestamp())


def joined(hours: WeeklyHours, zone: ZoneInfo, off: frozenset[dt.date], away: Sequence[Absence]) -> Iterator[Absence]:
    """Whole absences that ended; those with no working time in between are one: a weekend does not break a leave."""
    current: Absence | None = None
    for absence in away:
        if absence.end >= FOREVER or absence.left > 0:
            continue
        if current is None:
            current = absence
        elif absence.start <= current.end or not stretches(hours, zone, current.end, absence.start, off=off):
            current = replace(current, end=max(current.end, absence.end))
        else:
            yield current
            current = absence
    if current is not None:
        yield current
