"""Times of the schedule that are likely not meant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from apportion.policy.availability import rep_weeks
from apportion.policy.cron import can_count, instants
from apportion.policy.lint.batch import CheckedBatch
from apportion.policy.worktime import stretches
from apportion_models.errors import Finding

AHEAD = dt.timedelta(days=7)
MOST = 50  # times of one rule that are looked at
SOON = 12 * 3600.0  # seconds in which somebody should begin


def too_often(batch: CheckedBatch) -> Iterator[Finding]:
    """Times that come before the batch before them must be done."""
    limit = batch.policy.solve.time_limit
    for index, times in _coming(batch):
        least = min(((later - earlier).total_seconds() for earlier, later in pairwise(times)), default=limit)
        if least < limit:
            message = f"comes again after {least:g} seconds, and a batch may solve for {limit:g}"
            remedy = "Run less often, or lower solve.time_limit."
            yield batch.told("notice", f"schedule.times[{index}].cron", message, remedy=remedy)


def nobody_at_work(batch: CheckedBatch) -> Iterator[Finding]:
    """Times after which nobody works for long: the leads that are given then lie until somebody does."""
    weeks = list(dict.fromkeys(rep_weeks(batch.asked)))
    for index, times in _coming(batch):
        for time in times if weeks else ():
            start = time.timestamp()
            if not any(stretches(week.hours, week.zone, start, start + SOON) for week in weeks):
                zone = batch.policy.schedule.zone(batch.policy.schedule.times[index])
                message = f"comes on {_shown(time, zone)}, and no rep works in the {SOON / 3600:g} hours after"
                remedy = "Leave that day or hour out."
                yield batch.told("notice", f"schedule.times[{index}].cron", message, remedy=remedy)
                break


def _coming(batch: CheckedBatch) -> Iterator[tuple[int, list[dt.datetime]]]:
    """Place and next times of each rule by the clock."""
    schedule, at = batch.policy.schedule, batch.asked.at.to_pydatetime()
    for index, rule in enumerate(schedule.times if can_count() else ()):
        yield index, list(islice(instants(rule.cron, schedule.zone(rule), after=at, until=at + AHEAD), MOST))


def _shown(time: dt.datetime, zone: str) -> str:
    return f"{time.astimezone(ZoneInfo(zone)):%a %H:%M}"
