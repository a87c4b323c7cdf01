"""Availability: the share of a window's normal work in which a rep can act, by hand-computed truth."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.policy import load_policy, rep_availability
from apportion.policy.hours import read_hours
from apportion_models.errors import TableError

Frames = Callable[..., pd.DataFrame]
STOCKHOLM = "availability: {time_zone: Europe/Stockholm}\n"


def share(policy: str, reps: pd.DataFrame, at: str, calendar: pd.DataFrame | None = None) -> list[float]:
    found = rep_availability(load_policy(policy), reps, at=at, calendar=calendar)
    return [round(value, 6) for value in found["share"]]


def away(rep: list[str | None], start: list[str], last: list[str | None]) -> pd.DataFrame:
    """Absences; a date as `last` is the last whole day, as a calendar read from a file has it: up to the next
    midnight."""
    ends = [None if text is None else pd.Timestamp(text) + pd.Timedelta(days=0 if ":" in text else 1) for text in last]
    return pd.DataFrame({"rep_id": rep, "start": start, "end": ends})


@pytest.mark.parametrize(
    "at", ["2026-03-04 08:00", "2026-03-04 12:30", "2026-03-04 23:00", "2026-03-06 16:00", "2026-03-07 10:00"]
)
def test_a_window_of_one_day_is_a_whole_day_whenever_it_begins(reps: Frames, at: str) -> None:
    """A batch on a Wednesday morning, on a Friday afternoon or on a Saturday finds everybody fully there."""
    assert share("", reps(level=["a"]), at) == [1.0]


def test_a_friday_window_ends_on_monday(reps: Frames) -> None:
    """From Friday 16:00 the window runs to Monday 16:00: leave on Monday takes seven of its eight hours."""
    calendar = away(["r1"], ["2026-03-09"], ["2026-03-09"])
    assert share("", reps(level=["a"]), "2026-03-06 16:00", calendar) == [0.125]


def test_half_a_day_is_hours_of_work(reps: Frames) -> None:
    """A window of half a day from 10:00 runs to 14:00; a meeting of two hours takes half of it."""
    calendar = away(["r1"], ["2026-03-04 10:00"], ["2026-03-04 12:00"])
    assert share("window: {days: 0.5}", reps(level=["a"]), "2026-03-04 10:00", calendar) == [0.5]


def test_leave_counts_by_the_hour_and_whole_days_include_the_last(reps: Frames) -> None:
    """Over five days: two days of leave are 40 %, an afternoon is 10 %, a row without rep closes the office for all."""
    frame = reps(level=["a", "b", "c"])
    calendar = away(
        ["r1", "r2", None, "stranger"],
        ["2026-03-03", "2026-03-04 13:00", "2026-03-06", "2026-03-02"],
        ["2026-03-04", "2026-03-04 17:00", "2026-03-06", "2026-03-06"],
    )
    assert share("window: {days: 5}", frame, "2026-03-02 00:00", calendar) == [0.4, 0.7, 0.8]


def test_part_of_the_capacity_may_be_left(reps: Frames) -> None:
    """Two days at half are a fifth of the week; where two rows overlap, the least that is left counts."""
    frame = reps(level=["a", "b"])
    calendar = away(["r1", "r2", "r2"], ["2026-03-03"] * 3, ["2026-03-04", "2026-03-04", "2026-03-03"])
    calendar["capacity"] = [0.5, 0.75, None]
    assert share("window: {days: 5}", frame, "2026-03-02 00:00", calendar) == [0.8, 0.75]


def test_leave_without_end_lasts(reps: Frames) -> None:
    """An absence with no end is for good."""
    calendar = away(["r1"], ["2026-03-03"], [None])
    assert share("window: {days: 5}", reps(level=["a"]), "2026-03-02 00:00", calendar) == [0.2]


def test_overlapping_leave_is_counted_once(reps: Frames) -> None:
    """Two rows on the same day take that day once."""
    calendar = away(["r1", "r1"], ["2026-03-03", "2026-03-03"], ["2026-03-03", "2026-03-04"])
    assert share("window: {days: 5}", reps(level=["a"]), "2026-03-02 00:00", calendar) == [0.6]


def test_time_zones(reps: Frames) -> None:
    """Each rep works by the own clock: for a window of 24 hours all have their eight, wherever they are."""
    frame = reps(time_zone=["Europe/Stockholm", "America/New_York", "Asia/Tokyo", None])
    assert share("", frame, "2026-03-04 08:00") == [1.0, 1.0, 1.0, 1.0]
    found = rep_availability(load_policy(""), frame, at="2026-03-04 08:00")
    assert found["first_free"].tolist() == [0.0, 6.0, 16.0, 1.0]


@pytest.mark.parametrize(
    ("at", "hours"), [("2026-03-29 00:00", 3.0), ("2026-10-25 00:00", 5.0), ("2026-03-22 00:00", 4.0)]
)
def test_days_when_the_clock_changes(reps: Frames, at: str, hours: float) -> None:
    """A night shift 01:00-05:00 in Stockholm has three hours when the clock goes forward, five when it goes back."""
    policy = "availability: {time_zone: Europe/Stockholm, week: sun 01:00-05:00}\nwindow: {days: 0.01}\n"
    from zoneinfo import ZoneInfo

    from apportion.policy.worktime import stretches, total

    zone = ZoneInfo("Europe/Stockholm")
    start = pd.Timestamp(at, tz="Europe/Stockholm").timestamp()
    work = stretches(read_hours("sun 01:00-05:00"), zone, start, start + 86_400)
    assert total(work) == hours * 3600
    assert share(policy, reps(level=["a"]), at) == [1.0]


def test_an_office_day_keeps_its_eight_hours_over_a_change(reps: Frames) -> None:
    """The Monday after the change begins an hour earlier in UTC, and is a whole day; leave on it takes all of it."""
    frame = reps(level=["a", "b"])
    calendar = away(["r2"], ["2026-03-30"], ["2026-03-30"])
    assert share(STOCKHOLM, frame, "2026-03-29 22:00", calendar) == [1.0, 0.0]
    found = rep_availability(load_policy(STOCKHOLM), frame, at="2026-03-30 06:00")
    assert found["first_free"].tolist() == [1.0, 1.0]
    before = rep_availability(load_policy(STOCKHOLM), frame, at="2026-03-27 06:00")
    assert before["first_free"].tolist() == [2.0, 2.0]


def test_a_window_over_a_change_has_all_its_days(reps: Frames) -> None:
    """Five days over the change are five by the company's clock; the hour that the window lacks shows in UTC: 39
    of 40."""
    policy = STOCKHOLM + "window: {days: 5}\n"
    assert share(policy, reps(time_zone=["Europe/Stockholm", "UTC"]), "2026-03-26 10:00") == [1.0, 0.975]


def test_public_holidays_by_country(reps: Frames) -> None:
    """6 January is a holiday in Sweden and not in Denmark; the default is for reps without a country."""
    policy = "availability: {holidays: {default: SE}}\n"
    frame = reps(country=["SE", "DK", None, "Narnia"])
    assert share(policy, frame, "2026-01-06 00:00") == [0.0, 1.0, 0.0, 0.0]
    worked = "availability: {holidays: {default: SE, worked: [2026-01-06]}}\n"
    assert share(worked, frame, "2026-01-06 00:00") == [1.0, 1.0, 1.0, 1.0]
    extra = "availability: {holidays: {extra: [2026-01-07]}}\n"
    assert share(extra, frame, "2026-01-07 00:00") == [0.0, 0.0, 0.0, 0.0]


def test_a_part_of_a_country_has_its_own_holidays(reps: Frames) -> None:
    """15 August is a holiday in Saarland and not in Berlin."""
    frame = reps(country=["DE-SL", "DE-BE"])
    assert share("", frame, "2025-08-15 00:00") == [0.0, 1.0]


def test_hours_by_column_before_predicate_before_default(reps: Frames) -> None:
    """The rep's own hours go first, then the first rule that holds, then the policy's week; part time is on its
    days."""
    policy = "availability: {hours: [{name: juniors, reps: level == 'junior', week: mon-wed 09:00-17:00}]}\n"
    frame = reps(level=["junior", "junior", "senior"], working_hours=[None, "thu 09:00-17:00", None])
    assert share(policy, frame, "2026-03-05 00:00") == [0.0, 1.0, 1.0]
    week = share(policy + "window: {days: 5}\n", frame, "2026-03-02 00:00")
    assert week == [1.0, 1.0, 1.0]


def test_paused_and_not_yet_started(reps: Frames) -> None:
    """A paused rep, and one whose start lies ahead, cannot act; the note says why."""
    frame = reps(paused=[True, False, False], start_date=["2020-01-01", "2026-04-01", None])
    found = rep_availability(load_policy(""), frame, at="2026-03-04")
    assert found["share"].tolist() == [0.0, 0.0, 1.0]
    assert found["note"].tolist() == ["paused", "not started yet", ""]


RETURN = """
availability:
  gradual_return: {after_days: 5, points: [{day: 0, share: 0.25}, {day: 2, share: 0.5}, {day: 4, share: 1}]}
"""


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-13 00:00", 0.0),  # the last day of leave
        ("2026-03-16 00:00", 0.25),  # Monday, first day back
        ("2026-03-17 00:00", 0.25),
        ("2026-03-18 00:00", 0.5),
        ("2026-03-19 00:00", 0.5),
        ("2026-03-20 00:00", 1.0),
        ("2026-03-23 00:00", 1.0),
    ],
)
def test_gradual_return_counts_working_days(reps: Frames, at: str, expected: float) -> None:
    """After a week's leave to Friday, a quarter on Monday and Tuesday, half on Wednesday and Thursday, then all."""
    calendar = away(["r1"], ["2026-03-09"], ["2026-03-13"])
    assert share(RETURN, reps(level=["a"]), at, calendar) == [expected]


def test_gradual_return_within_a_window_is_weighed_by_day(reps: Frames) -> None:
    """Over the five days back: (0.25 + 0.25 + 0.5 + 0.5 + 1) / 5."""
    calendar = away(["r1"], ["2026-03-09"], ["2026-03-13"])
    assert share(RETURN + "window: {days: 5}\n", reps(level=["a"]), "2026-03-16 00:00", calendar) == [0.5]


def test_short_absences_need_no_return_and_split_ones_are_joined(reps: Frames) -> None:
    """Four days away are too few; Thursday-Friday and Monday-Wednesday are one absence of five working days."""
    frame = reps(level=["a", "b"])
    calendar = away(
        ["r1", "r2", "r2"], ["2026-03-10", "2026-03-05", "2026-03-09"], ["2026-03-13", "2026-03-06", "2026-03-11"]
    )
    assert share(RETURN, frame, "2026-03-16 00:00", calendar)[0] == 1.0
    assert share(RETURN, frame, "2026-03-12 00:00", calendar)[1] == 0.25


def test_what_cannot_be_read_is_told_by_row() -> None:
    """Zones, hours and absences that make no sense: table, row, column, value; all zones and hours at once."""
    frame = pd.DataFrame({"rep_id": ["a", "b"], "time_zone": ["UTC", "Mars"], "working_hours": ["9 to 5", None]})
    with pytest.raises(TableError) as caught:
        rep_availability(load_policy(""), frame, at="2026-03-04")
    assert {(f.row, f.column) for f in caught.value.findings} == {(1, "working_hours"), (2, "time_zone")}
    calendar = away(["a", "a"], ["2026-03-05", "2026-03-05"], ["2026-03-01", "2026-03-06"])
    with pytest.raises(TableError, match="row 1"):
        rep_availability(load_policy(""), frame[["rep_id"]], at="2026-03-04", calendar=calendar)
    with pytest.raises(TableError, match="'start'"):
        rep_availability(load_policy(""), frame[["rep_id"]], at="2026-03-04", calendar=calendar[["rep_id"]])


@settings(max_examples=40, deadline=None)
@given(
    st.datetimes(pd.Timestamp("2026-01-01").to_pydatetime(), pd.Timestamp("2026-12-31").to_pydatetime()),
    st.sampled_from(["UTC", "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    st.integers(1, 6),
)
def test_without_absences_everybody_is_there(at: object, zone: str, days: int) -> None:
    """In the company's own zone, without leave and holidays, the share is 1 at every moment of the year."""
    policy = f"availability: {{time_zone: {zone}}}\nwindow: {{days: {days}}}\n"
    assert share(policy, pd.DataFrame({"rep_id": ["a"]}), str(at)) == [1.0]
