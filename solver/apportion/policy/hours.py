"""Working weeks in one line of text: `mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = 24 * 60
EXAMPLE = "such as mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00"


@dataclass(frozen=True)
class WeeklyHours:
    """For each weekday (Monday first) the stretches of work, in minutes of the local day."""

    days: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def total(self) -> int:
        """Minutes of work in a week."""
        return sum(end - start for day in self.days for start, end in day)

    @property
    def working_days(self) -> int:
        """Days of the week with some work."""
        return sum(1 for day in self.days if day)


@lru_cache(maxsize=1024)
def read_hours(text: str) -> WeeklyHours:
    """Read a working week. Raises ValueError with what would be right."""
    days: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for part in filter(None, (piece.strip().lower() for piece in text.split(";"))):
        names, *stretches = part.split()
        chosen = _days(names)
        if not stretches:
            raise ValueError(f"must give times after the days, {EXAMPLE}. Got {part!r}")
        for stretch in stretches:
            for day in chosen:
                days[day].append(_stretch(stretch.rstrip(",")))
    for day, stretches_of_day in enumerate(days):
        stretches_of_day.sort()
        for (_, end), (start, _) in pairwise(stretches_of_day):
            if start < end:
                raise ValueError(f"must not state overlapping times. Got two on {DAYS[day]} in {text!r}")
    return WeeklyHours(tuple(tuple(day) for day in days))


def _days(names: str) -> list[int]:
    chosen: list[int] = []
    for name in names.split(","):
        first, _, last = name.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise ValueError(f"must name days as {', '.join(DAYS)} or mon-fri, {EXAMPLE}. Got {name!r}")
        start, end = DAYS.index(first), DAYS.index(last or first)
        if end < start:
            raise ValueError(f"must name days in the order of the week, {EXAMPLE}. Got {name!r}")
        chosen.extend(range(start, end + 1))
    return chosen


def _stretch(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", text)
    if match is None:
        raise ValueError(f"must state times as 09:00-17:00, {EXAMPLE}. Got {text!r}")
    hours, minutes, end_hours, end_minutes = (int(part) for part in match.groups())
    start, end = hours * 60 + minutes, end_hours * 60 + end_minutes
    if minutes > 59 or end_minutes > 59 or not 0 <= start < end <= MIDNIGHT:
        raise ValueError(f"must state times within a day, the earlier first, {EXAMPLE}. Got {text!r}")
    return start, end
