"""Which slots of a schedule are due: a pure function of the schedule, the clock, what ran, and what waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from apportion.policy.cron import instants, next_instant
from apportion.policy.schema.schedule import Retrain, Schedule, Times, Waiting

Instant = dt.datetime


@dataclass(frozen=True, order=True)
class Slot:
    """One moment at which something is to be run once. at : in UTC, whole seconds. rule : the name in the policy."""

    at: Instant
    rule: str
    kind: Literal["batch", "retrain"] = "batch"

    @property
    def name(self) -> str:
        """The same for the same slot in every process, and for no other: `mornings@2026-03-30T06:00:00Z`."""
        return f"{self.rule}@{self.at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def due(
    schedule: Schedule, *, now: Instant, last: Mapping[str, Instant], waiting: Sequence[Instant] = ()
) -> tuple[Slot, ...]:
    """The slots to run now, by time and then by rule.

    now : with a time zone. last : for each rule, the latest slot that was taken on. waiting : when each lead that waits
    came in. Who runs a slot must claim its name first, and leave it where the name was claimed before: after a clock
    has gone backwards a slot may be told again.

    A rule that never ran has no past to catch up. A `last` that lies after `now` is the work of a clock that was wrong
    then or is now: it is passed over, lest the rule sleep until that day.
    """
    found: list[Slot] = []
    for rule in schedule.rules():
        before = last.get(rule.name)
        known = before if before is not None and before <= now else None
        if isinstance(rule, Waiting):
            found += _by_waiting(rule, now=now, last=known, waiting=waiting)
        else:
            found += _by_clock(schedule, rule, now=now, last=known)
    return tuple(sorted(found))


def next_time(schedule: Schedule, *, after: Instant) -> Instant | None:
    """When the clock next starts something; None where no rule goes by the clock."""
    rules = (rule for rule in schedule.rules() if not isinstance(rule, Waiting))
    return min((next_instant(rule.cron, schedule.zone(rule), after=after) for rule in rules), default=None)


def _by_clock(schedule: Schedule, rule: Times | Retrain, *, now: Instant, last: Instant | None) -> Iterator[Slot]:
    """Of the times since `last`: those that are not late, and of the late ones what `missed` says."""
    late = now - dt.timedelta(minutes=schedule.late_minutes)
    oldest = now - dt.timedelta(hours=schedule.catch_up_hours)
    begin = late if last is None else max(last, min(oldest, late))
    times = list(instants(rule.cron, schedule.zone(rule), after=begin, until=now))
    if schedule.missed == "skip":
        times = [time for time in times if time > late]
    kind: Literal["batch", "retrain"] = "retrain" if isinstance(rule, Retrain) else "batch"
    if schedule.missed != "all" or kind == "retrain":  # what is learnt is of now: twice in a row is once
        times = times[-1:]
    for time in times:
        yield Slot(time, rule.name, kind)


def _by_waiting(rule: Waiting, *, now: Instant, last: Instant | None, waiting: Sequence[Instant]) -> Iterator[Slot]:
    """At most one slot: the moment at which enough leads waited, or one long enough, but not in the rule's pause.

    That moment follows from the leads alone, so that all who see the same leads tell the same slot.
    """
    came = sorted(waiting)
    moments: list[Instant] = []
    if rule.leads is not None and len(came) >= rule.leads:
        moments.append(came[rule.leads - 1])
    if rule.minutes is not None and came:
        moments.append(came[0] + dt.timedelta(minutes=rule.minutes))
    if not moments:
        return
    at = min(moments)
    if last is not None:
        at = max(at, last + dt.timedelta(minutes=rule.pause_minutes))
    whole = at.astimezone(dt.UTC).replace(microsecond=0)
    slot = Slot(whole if whole >= at else whole + dt.timedelta(seconds=1), rule.name)
    if slot.at <= now:
        yield slot
