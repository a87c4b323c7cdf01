"""When each rep can act in the window: working hours, time zones, public holidays, leave, pause, gradual return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from apportion.policy.asked import Asked, days_in_role, flags, texts
from apportion.policy.daysoff import known_country, public_holidays
from apportion.policy.hours import WeeklyHours, read_hours
from apportion.policy.schema import Policy
from apportion.policy.schema.work import Return
from apportion.policy.worktime import Stretch, local, stretches, total, window_end, without
from apportion_models.errors import Finding, TableError

CALENDAR_SPANS = (("start", "end"), ("starts_at", "ends_at"), ("start_date", "end_date"), ("starts_on", "ends_on"))
FOREVER = 253_000_000_000.0  # the year 9987
LOOK_BACK_DAYS = 400


@dataclass(frozen=True)
class Week:
    """A rep's own calendar: hours, zone, country of the holidays."""

    hours: WeeklyHours
    zone: ZoneInfo
    country: str | None


def rep_availability(
    policy: Policy, reps: pd.DataFrame, *, at: object, calendar: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One row a rep, in rep order, on the window that begins at `at`.

    Columns: `rep_id`; `share` of the normal working time of such a window in which the rep can act, 0 to 1;
    `first_free`, hours until the rep next works, NaN if not in the window; `note`, why the share is less than 1.

    `calendar` has `rep_id` (empty: everybody), `start`, `end`, and optionally `kind`; whole days are given as
    dates, the last one included. Raises TableError for hours, zones or absences that cannot be read, PolicyError
    for predicates.
    """
    asked = Asked(policy, at=at, reps=reps)
    asked.check("availability")
    rules, start = policy.availability, asked.at.timestamp()
    company = read_hours(rules.week)
    end = window_end(company, ZoneInfo(rules.time_zone), asked.at, policy.window.days)
    weeks = rep_weeks(asked)
    away = absences(calendar, reps, weeks)
    rows = []
    for rep, week in enumerate(weeks):
        off = days_off(policy, week, start - LOOK_BACK_DAYS * 86_400, end)
        normal = 60.0 * policy.window.days * week.hours.total / company.working_days
        rows.append(_availability(week, off, away[rep], start, end, normal, rules.gradual_return))
    frame = pd.DataFrame(rows, columns=["share", "first_free", "note"])
    frame.insert(0, "rep_id", reps["rep_id"].to_numpy())
    for reason, gone in (("paused", flags(reps, "paused")), ("not started yet", days_in_role(reps, asked.at) < 0)):
        frame.loc[gone, ["share", "first_free"]] = [0.0, np.nan]
        frame.loc[gone, "note"] = reason
    return frame


def rep_weeks(asked: Asked) -> list[Week]:
    """Each rep's own calendar. Raises TableError with every zone and working week that cannot be read."""
    assert asked.reps is not None
    rules, reps = asked.policy.availability, asked.reps
    chosen = asked.first(
        ((f"availability.hours[{k}].reps", rule.reps) for k, rule in enumerate(rules.hours)), len(reps)
    )
    own, zones = texts(reps, rules.column), texts(reps, "time_zone")
    countries = texts(reps, rules.holidays.column)
    weeks, findings = [], []
    for rep in range(len(reps)):
        text = own[rep] or (rules.hours[chosen[rep]].week if chosen[rep] >= 0 else rules.week)
        zone, hours = ZoneInfo(rules.time_zone), read_hours(rules.week)
        try:
            hours = read_hours(text)
        except ValueError as error:
            findings.append(_bad_rep(rep, rules.column, text, str(error)))
        try:
            zone = ZoneInfo(zones[rep] or rules.time_zone)
        except (ValueError, OSError, KeyError):
            findings.append(_bad_rep(rep, "time_zone", zones[rep], "must be an IANA zone, such as Europe/Stockholm"))
        country = countries[rep]
        known = country is not None and known_country(country)
        weeks.append(Week(hours, zone, country if known else rules.holidays.default))
    if findings:
        raise TableError(findings)
    return weeks


def _bad_rep(row: int, column: str, value: object, message: str) -> Finding:
    return Finding(severity="error", table="reps", row=row + 1, column=column, value=value, message=f"{message}.")


def days_off(policy: Policy, week: Week, start: float, end: float) -> frozenset[dt.date]:
    """Public holidays of a rep's country between two moments, with the policy's own."""
    rules = policy.availability.holidays
    years = range(dt.datetime.fromtimestamp(start, dt.UTC).year, dt.datetime.fromtimestamp(end, dt.UTC).year + 2)
    public = [public_holidays(week.country, year) for year in years] if week.country else []
    return (frozenset().union(*public) - frozenset(rules.worked)) | frozenset(rules.extra)


def absences(calendar: pd.DataFrame | None, reps: pd.DataFrame, weeks: Sequence[Week]) -> list[list[Stretch]]:
    """Each rep's absences by the calendar table, in order of time. Raises TableError."""
    found: list[list[Stretch]] = [[] for _ in weeks]
    if calendar is None or not len(calendar):
        return found
    first, last = _span_columns(calendar)
    place = {str(rep): index for index, rep in enumerate(reps["rep_id"])}
    findings = []
    for row, (rep, start, end) in enumerate(
        zip(texts(calendar, "rep_id"), calendar[first], calendar[last], strict=True)
    ):
        if pd.isna(start) or (not pd.isna(end) and pd.Timestamp(end) < pd.Timestamp(start)):
            bad = {"severity": "error", "table": "calendar", "row": row + 1, "column": first, "value": str(start)}
            findings.append(Finding(**bad, message="An absence must have a start, not after its end."))  # type: ignore[arg-type]
            continue
        for index in range(len(weeks)) if rep is None else [place[rep]] if rep in place else []:
            found[index].append(_span(start, end, weeks[index].zone))
    if findings:
        raise TableError(findings)
    return [sorted(spans) for spans in found]


def _span_columns(calendar: pd.DataFrame) -> tuple[str, str]:
    for pair in CALENDAR_SPANS:
        if set(pair) <= set(calendar.columns):
            return pair
    message = "The calendar must have the columns start and end."
    raise TableError(Finding(severity="error", table="calendar", message=message, value=list(calendar.columns)))


def _span(start: object, end: object, zone: ZoneInfo) -> Stretch:
    """Moments as they are; dates (midnight, UTC or no zone) as whole days where the rep is, the last included."""
    first = pd.Timestamp(start)  # type: ignore[arg-type]
    last = None if pd.isna(end) else pd.Timestamp(end)  # type: ignore[arg-type, call-overload]
    whole = first == first.normalize() and (last is None or last == last.normalize())
    if whole:
        begin = local(first.date(), 0, zone)
        return begin, FOREVER if last is None else local(last.date(), 1440, zone)
    return _utc(first), FOREVER if last is None else _utc(last)


def _utc(stamp: pd.Timestamp) -> float:
    return float((stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp).timestamp())


def _availability(
    week: Week,
    off: frozenset[dt.date],
    away: list[Stretch],
    start: float,
    end: float,
    normal: float,
    back: Return | None,
) -> tuple[float, float, str]:
    planned = stretches(week.hours, week.zone, start, end)
    open_days = [piece for piece in planned if piece[0] not in off]
    work = without(open_days, away)
    shares = _return_shares(week, off, away, work, back) if back is not None else [1.0] * len(work)
    acting = sum(share * (finish - begin) for share, (_, begin, finish) in zip(shares, work, strict=True))
    share = min(1.0, acting / normal) if normal > 0 else 0.0
    free = (work[0][1] - start) / 3600.0 if work else float("nan")
    reasons = [
        name
        for name, is_so in (
            ("outside working hours", total(planned) < normal * (1 - 1e-9)),
            ("public holiday", total(open_days) < total(planned)),
            ("on leave", total(work) < total(open_days)),
            ("back from leave", acting < total(work) * (1 - 1e-9)),
        )
        if is_so
    ]
    return share, free, ", ".join(reasons) if share < 1 else ""


def _return_shares(
    week: Week,
    off: frozenset[dt.date],
    away: Sequence[Stretch],
    work: Sequence[tuple[dt.date, float, float]],
    back: Return,
) -> list[float]:
    """For each stretch of work, the share of capacity by the working days since the last long absence before it."""
    day_length = 60.0 * week.hours.total / max(week.hours.working_days, 1)
    long = [
        finish
        for begin, finish in _joined(week, off, away)
        if total(stretches(week.hours, week.zone, max(begin, finish - LOOK_BACK_DAYS * 86_400), finish))
        >= back.after_days * day_length * (1 - 1e-9)
    ] if day_length else []  # fmt: skip
    shares = []
    for day, begin, _ in work:
        returns = [moment for moment in long if moment <= begin]
        if not returns or begin - returns[-1] > LOOK_BACK_DAYS * 86_400:
            shares.append(1.0)
            continue
        worked = {date for date, _, _ in without(stretches(week.hours, week.zone, returns[-1], begin, off=off), away)}
        since = len(worked - {day})
        reached = [point.share for point in back.points if point.day <= since]
        shares.append(reached[-1] if reached else back.points[0].share)
    return shares


def _joined(week: Week, off: frozenset[dt.date], away: Sequence[Stretch]) -> Iterator[Stretch]:
    """Absences with no working time between them are one: two weeks of leave are not broken by a weekend."""
    current: Stretch | None = None
    for begin, finish in away:
        if finish >= FOREVER:
            continue
        if current is None:
            current = (begin, finish)
        elif begin <= current[1] or not stretches(week.hours, week.zone, current[1], begin, off=off):
            current = (current[0], max(current[1], finish))
        else:
            yield current
            current = (begin, finish)
    if current is not None:
        yield current
