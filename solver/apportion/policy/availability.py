"""When each rep can act in the window: working hours, time zones, public holidays, leave, pause, gradual return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from apportion.policy.absences import joined, read_absences
from apportion.policy.asked import Asked, days_in_role, flags, texts
from apportion.policy.daysoff import known_country, public_holidays
from apportion.policy.hours import WeeklyHours, read_hours
from apportion.policy.schema import Policy
from apportion.policy.schema.work import Return
from apportion.policy.worktime import Absence, Piece, stretches, total, weighed, window_end, without
from apportion_models.errors import Finding, TableError

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

    `calendar` is as `read_absences` wants it. Raises TableError for hours, zones or absences that cannot be read,
    PolicyError for predicates.
    """
    asked = Asked(policy, at=at, reps=reps)
    asked.check("availability")
    rules, start = policy.availability, asked.at.timestamp()
    company = read_hours(rules.week)
    end = window_end(company, ZoneInfo(rules.time_zone), asked.at, policy.window.days)
    weeks = rep_weeks(asked)
    away = read_absences(calendar, reps, [week.zone for week in weeks])
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
    return Finding(severity="error", table="reps", row=row + 1, column=column, value=value, message=message)


def days_off(policy: Policy, week: Week, start: float, end: float) -> frozenset[dt.date]:
    """Public holidays of a rep's country between two moments, with the policy's own."""
    rules = policy.availability.holidays
    years = range(dt.datetime.fromtimestamp(start, dt.UTC).year, dt.datetime.fromtimestamp(end, dt.UTC).year + 2)
    public = [public_holidays(week.country, year) for year in years] if week.country else []
    return (frozenset().union(*public) - frozenset(rules.worked)) | frozenset(rules.extra)


def _availability(
    week: Week,
    off: frozenset[dt.date],
    away: list[Absence],
    start: float,
    end: float,
    normal: float,
    back: Return | None,
) -> tuple[float, float, str]:
    planned = stretches(week.hours, week.zone, start, end)
    open_days = [piece for piece in planned if piece[0] not in off]
    pieces = [(piece, left) for piece, left in weighed(open_days, away) if left > 0]
    work = [piece for piece, _ in pieces]
    there = sum(left * (finish - begin) for (_, begin, finish), left in pieces)
    shares = _return_shares(week, off, away, work, back) if back is not None else [1.0] * len(work)
    acting = sum(
        share * left * (finish - begin) for share, ((_, begin, finish), left) in zip(shares, pieces, strict=True)
    )
    share = min(1.0, acting / normal) if normal > 0 else 0.0
    free = (work[0][1] - start) / 3600.0 if work else float("nan")
    reasons = [
        name
        for name, is_so in (
            ("few working hours in this window", total(planned) < normal * (1 - 1e-9)),
            ("public holiday", total(open_days) < total(planned)),
            ("on leave", there < total(open_days) * (1 - 1e-9)),
            ("back from leave", acting < there * (1 - 1e-9)),
        )
        if is_so
    ]
    return share, free, ", ".join(reasons) if share < 1 else ""


def _return_shares(
    week: Week,
    off: frozenset[dt.date],
    away: Sequence[Absence],
    work: Sequence[Piece],
    back: Return,
) -> list[float]:
    """For each stretch of work, the share of capacity by the working days since the last long absence before it."""
    day_length = 60.0 * week.hours.total / max(week.hours.working_days, 1)
    enough = back.after_days * day_length * (1 - 1e-9)
    long = []
    for absence in joined(week.hours, week.zone, off, away) if day_length else ():
        begin = max(absence.start, absence.end - LOOK_BACK_DAYS * 86_400)
        if total(stretches(week.hours, week.zone, begin, absence.end)) >= enough:
            long.append(absence.end)
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
