"""Slots: the moments at which batches are placed, from words such as `daily` or `mon-fri 08:00 13:00`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pandas as pd

from apportion.policy.hours import WeeklyHours, read_hours
from apportion.policy.worktime import local
from apportion_models.errors import UsageError

NAMED = {"daily": "mon-fri 08:00", "weekly": "mon 08:00"}
EXAMPLE = "daily, weekly, slots such as 'mon-fri 08:00 13:00; sat 10:00', or five fields of cron"
MOST = 5000  # batches in a run; more are a slip of the pen
_TIME = re.compile(r"(\d{1,2}):(\d{2})")


@dataclass(frozen=True)
class Slots:
    """When batches are placed. text : as it was written. weekly : each weekday's minutes. cron : instead of it."""

    text: str
    weekly: tuple[tuple[int, ...], ...] = ()
    cron: str | None = None


def read_slots(text: str) -> Slots:
    """Read the slots. UsageError says what would be right."""
    words = text.strip()
    if len(words.split()) == 5 and not _TIME.search(words):
        _cron(words, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        return Slots(words, cron=words)
    try:
        hours = read_hours(_TIME.sub(_minute_of_work, NAMED.get(words, words)))
    except ValueError:
        hours = WeeklyHours(((),) * 7)
    if not hours.total:
        raise UsageError(f"--batches must be {EXAMPLE}. Got {text!r}.")
    return Slots(words, weekly=tuple(tuple(start for start, _ in day) for day in hours.days))


def _minute_of_work(time: re.Match[str]) -> str:
    """08:00 as the stretch 08:00-08:01: so days and times are read by the rule for working hours."""
    hour, minute = int(time[1]), int(time[2])
    after = hour * 60 + minute + 1
    return f"{hour:02d}:{minute:02d}-{after // 60:02d}:{after % 60:02d}"


def moments(slots: Slots, zone: ZoneInfo, *, since: pd.Timestamp, until: pd.Timestamp) -> tuple[pd.Timestamp, ...]:
    """The slots from `since` on, up to the first at or after `until`, in UTC: whoever arrives by then has a batch.

    UsageError for more than `MOST`.
    """
    found: list[pd.Timestamp] = []
    ahead = _weekly(slots, zone, since) if slots.cron is None else _by_cron(slots.cron, zone, since)
    for moment in ahead:
        found.append(moment)
        if moment >= until:
            break
        if len(found) > MOST:
            raise UsageError(f"A run may have {MOST} batches at most. Take fewer --batches, or a shorter time.")
    return tuple(found)


def _weekly(slots: Slots, zone: ZoneInfo, since: pd.Timestamp) -> Iterator[pd.Timestamp]:
    day = since.tz_convert(zone).date()
    while True:
        for minute in slots.weekly[day.weekday()]:
            moment = pd.Timestamp(local(day, minute, zone), unit="s", tz="UTC")
            if moment >= since:
                yield moment
        day += dt.timedelta(days=1)


def _by_cron(expression: str, zone: ZoneInfo, since: pd.Timestamp) -> Iterator[pd.Timestamp]:
    before = since.tz_convert(zone).to_pydatetime() - dt.timedelta(minutes=1)
    times = (pd.Timestamp(time).tz_convert("UTC") for time in _cron(expression, before))
    return (time for time in times if time >= since)


def _cron(expression: str, after: dt.datetime) -> Iterator[dt.datetime]:
    try:
        from cronsim import CronSim, CronSimError
    except ImportError:
        raise UsageError("Slots by cron need a further package: pip install apportion[service].") from None
    try:
        times: Iterator[dt.datetime] = CronSim(expression, after)
    except CronSimError as error:
        raise UsageError(f"--batches must be {EXAMPLE}. Got {expression!r} ({error}).") from None
    return times
