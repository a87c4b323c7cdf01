"""Working time as stretches of seconds since 1970, in each rep's zone, exact over changes of the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd

from apportion.policy.hours import WeeklyHours

Piece = tuple[dt.date, float, float]  # local date, start, end
MAX_WINDOW_DAYS = 3660


@dataclass(frozen=True, order=True)
class Absence:
    """From start to before end, in seconds since 1970, with the share of capacity that is left meanwhile."""

    start: float
    end: float
    left: float = 0.0


def stretches(
    hours: WeeklyHours, zone: ZoneInfo, start: float, end: float, *, off: frozenset[dt.date] = frozenset()
) -> list[Piece]:
    """(local date, start, end) of all work between two moments, without the dates in `off`."""
    found: list[Piece] = []
    day = dt.datetime.fromtimestamp(start, zone).date()
    last = dt.datetime.fromtimestamp(end, zone).date()
    while day <= last:
        if day not in off:
            for first_minute, last_minute in hours.days[day.weekday()]:
                begin, finish = local(day, first_minute, zone), local(day, last_minute, zone)
                begin, finish = max(begin, start), min(finish, end)
                if finish > begin:
                    found.append((day, begin, finish))
        day += dt.timedelta(days=1)
    return found


def local(day: dt.date, minute: int, zone: ZoneInfo) -> float:
    """The moment at which the clock of `zone` shows that minute of the day (1440: midnight after it)."""
    day, minute = day + dt.timedelta(days=minute // 1440), minute % 1440
    return dt.datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone).timestamp()


def total(work: Iterable[Piece]) -> float:
    """Seconds."""
    return sum(end - start for _, start, end in work)


def weighed(work: Sequence[Piece], away: Sequence[Absence]) -> list[tuple[Piece, float]]:
    """Working time cut at the absences, each piece with the share of it that the absences leave: the least counts."""
    edges = sorted({edge for absence in away for edge in (absence.start, absence.end)})
    found = []
    for day, start, end in work:
        cuts = [start, *(edge for edge in edges if start < edge < end), end]
        for begin, finish in pairwise(cuts):
            left = min((a.left for a in away if a.start <= begin and finish <= a.end), default=1.0)
            found.append(((day, begin, finish), left))
    return found


def without(work: Sequence[Piece], away: Sequence[Absence]) -> list[Piece]:
    """Working time on which something is left by the absences."""
    return [piece for piece, left in weighed(work, away) if left > 0]


def window_end(hours: WeeklyHours, zone: ZoneInfo, at: pd.Timestamp, days: float) -> float:
    """The end of a window of `days` working days from `at`, in seconds since 1970.

    It is the same clock time some calendar days later: as few as hold `days` working days' worth of the policy's
    own hours. So a window from Friday 16:00 ends on Monday 16:00. Less than a day is taken as hours of work.
    """
    start = at.timestamp()
    day_length = 60.0 * hours.total / hours.working_days
    wanted = days * day_length
    here = dt.datetime.fromtimestamp(start, zone)
    minute = here.hour * 60 + here.minute
    spare = here.second + here.microsecond / 1e6
    for ahead in range(1, MAX_WINDOW_DAYS):
        end = local(here.date() + dt.timedelta(days=ahead), minute, zone) + spare
        work = stretches(hours, zone, start, end)
        if total(work) >= wanted * (1 - 1e-9):
            return end if days >= 1 else _reached(work, wanted)
    return end


def _reached(work: Sequence[Piece], wanted: float) -> float:
    for _, start, end in work:
        if end - start >= wanted:
            return start + wanted
        wanted -= end - start
    return work[-1][2]
