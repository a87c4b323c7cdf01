"""Slots: each time once, whatever the clock does."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apportion.policy import load_policy
from apportion.policy.cron import instants
from apportion.policy.schema.schedule import Schedule
from apportion.service.schedule import Slot, due, next_time

UTC = dt.UTC
ZONES = ("Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata", "UTC")
CRONS = ("0 8,13 * * mon-fri", "30 2 * * *", "*/15 * * * *", "5 0 * * *", "0 */6 * * *", "*/20 1-3 * * *", "0 3 1 * *")
MINUTE = dt.timedelta(minutes=1)


def _schedule(**content: Any) -> Schedule:
    return load_policy({"schedule": content}).schedule


def _cron(cron: str, zone: str = "Europe/Stockholm", **more: Any) -> Schedule:
    return _schedule(times=[{"name": "m", "cron": cron}], time_zone=zone, **more)


def _utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def _local(slots: tuple[Slot, ...], zone: str) -> list[str]:
    return [f"{slot.at.astimezone(ZoneInfo(zone)):%d %H:%M%z}" for slot in slots]


def _whole_night(cron: str, night: str, zone: str = "Europe/Stockholm") -> list[str]:
    now = _utc(f"{night}T12:00")
    schedule = _cron(cron, zone, missed="all", catch_up_hours=24)
    return _local(due(schedule, now=now, last={"m": now - dt.timedelta(hours=18)}), zone)


def test_a_time_that_does_not_exist_comes_right_after() -> None:
    """29 March 2026 has no 02:30 in Stockholm: the slot is at 03:00, once, also for two times in the gap."""
    assert _whole_night("30 2 * * *", "2026-03-29") == ["29 03:00+0200"]
    assert _whole_night("10,50 2 * * *", "2026-03-29") == ["29 03:00+0200"]
    assert _whole_night("0 8 * * *", "2026-03-29") == ["29 08:00+0200"]


def test_a_time_that_comes_twice_is_run_once() -> None:
    """25 October 2026 has 02:30 twice in Stockholm: the slot is the first of them."""
    assert _whole_night("30 2 * * *", "2026-10-25") == ["25 02:30+0200"]


def test_every_quarter_of_an_hour_is_real_time() -> None:
    """A star in minute or hour means that real time passes: four an hour, in the long night and in the short one."""
    quarters = {night: len(_whole_night("*/15 * * * *", night)) for night in ("2026-03-29", "2026-10-25", "2026-06-01")}
    assert quarters == {"2026-03-29": 72, "2026-10-25": 72, "2026-06-01": 72}
    assert _whole_night("*/30 2 * * *", "2026-10-25") == [
        "25 02:00+0200", "25 02:30+0200", "25 02:00+0100", "25 02:30+0100",
    ]  # fmt: skip


def test_slots_have_stable_names_in_utc() -> None:
    """The name tells rule and instant, and is the same in summer and winter, in every process."""
    winter = due(_cron("0 8 * * *"), now=_utc("2026-01-12T07:05"), last={})
    summer = due(_cron("0 8 * * *"), now=_utc("2026-07-13T06:05"), last={})
    assert [slot.name for slot in (*winter, *summer)] == ["m@2026-01-12T07:00:00Z", "m@2026-07-13T06:00:00Z"]


@pytest.mark.parametrize(
    ("missed", "wanted"),
    [("latest", ["02 13:00+0100"]), ("all", ["01 13:00+0100", "02 08:00+0100", "02 13:00+0100"]), ("skip", [])],
)
def test_missed_times_go_as_the_policy_says(missed: str, wanted: list[str]) -> None:
    """After a day and a half of outage; what is older than catch_up_hours is left out in any case."""
    schedule = _cron("0 8,13 * * *", missed=missed, catch_up_hours=30, late_minutes=10)
    slots = due(schedule, now=_utc("2026-12-02T14:00"), last={"m": _utc("2026-11-28T12:00")})
    assert _local(slots, "Europe/Stockholm") == wanted


def test_a_time_within_late_minutes_is_not_missed() -> None:
    """Nine minutes after, also `skip` runs it; eleven minutes after, it does not."""
    schedule = _cron("0 8 * * *", "UTC", missed="skip")
    assert due(schedule, now=_utc("2026-12-02T08:09"), last={})
    assert not due(schedule, now=_utc("2026-12-02T08:11"), last={})


def test_a_rule_that_never_ran_has_no_past() -> None:
    """A schedule that is new today does not make up for yesterday."""
    assert not due(_cron("0 8 * * *", "UTC", missed="all"), now=_utc("2026-12-02T09:00"), last={})


STEPS = st.lists(st.integers(1, 400), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CRONS), st.sampled_from(ZONES), st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 1)), STEPS)
@example("30 2 * * *", "Europe/Stockholm", dt.date(2026, 3, 28), [50] * 40)
@example("30 2 * * *", "Europe/Stockholm", dt.date(2026, 10, 24), [50] * 40)
@example("*/15 * * * *", "Australia/Lord_Howe", dt.date(2026, 4, 4), [7] * 40)
def test_every_time_is_run_once_however_often_one_looks(cron: str, zone: str, day: dt.date, steps: list[int]) -> None:
    """With `all`, the slots told at any moments of looking are exactly the times, each once, in order."""
    schedule = _cron(cron, zone, missed="all", catch_up_hours=744)
    begin = dt.datetime.combine(day, dt.time(5, 7), UTC)
    last, now, told = {"m": begin}, begin, []
    for step in steps:
        now += step * MINUTE
        slots = due(schedule, now=now, last=last)
        told += [slot.at for slot in slots]
        last = {"m": slots[-1].at} if slots else last
    assert told == list(instants(cron, zone, after=begin, until=now))
    assert len(set(told)) == len(told)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(CRONS), st.sampled_from(ZONES), st.sampled_from(["latest", "all", "skip"]),
    st.lists(st.integers(-3000, 3000), min_size=1, max_size=30),
)  # fmt: skip
def test_a_clock_that_jumps_runs_no_slot_twice(cron: str, zone: str, missed: str, jumps: list[int]) -> None:
    """Backwards and forwards, by seconds or days: who claims names first runs each once, and never one to come."""
    schedule = _cron(cron, zone, missed=missed)
    now, last, claimed = _utc("2026-03-27T10:00"), {}, set()
    for jump in jumps:
        now += jump * MINUTE
        for slot in due(schedule, now=now, last=last):
            assert slot.at <= now
            if slot.name not in claimed:
                claimed.add(slot.name)
                last["m"] = max(last.get("m", slot.at), slot.at)


def test_after_a_leap_into_the_future_the_rule_does_not_sleep() -> None:
    """A clock that showed 2030 for a minute left its mark in `last`; back in 2026 the next time is run."""
    last = {"m": _utc("2030-01-01T08:00")}
    assert due(_cron("0 8 * * *", "UTC"), now=_utc("2026-12-02T08:01"), last=last)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CRONS), st.sampled_from(ZONES), st.integers(0, 500_000), st.integers(0, 3000))
def test_all_who_look_see_the_same_slots(cron: str, zone: str, offset: int, later: int) -> None:
    """What was due at one moment is due later under the same name, so long as nobody took it on."""
    schedule = _cron(cron, zone, missed="all", catch_up_hours=744)
    now = _utc("2026-01-01T00:00") + offset * MINUTE
    last = {"m": now - dt.timedelta(hours=20)}
    first = due(schedule, now=now, last=last)
    assert set(first) <= set(due(schedule, now=now + later * MINUTE, last=last))


def test_many_that_wait() -> None:
    """As soon as the third lead is there; not before, and the slot is the moment at which it came."""
    schedule = _schedule(waiting={"leads": 3})
    came = [_utc("2026-03-02T08:00") + minute * MINUTE for minute in (7, 0, 2)]
    now = _utc("2026-03-02T08:30")
    assert not due(schedule, now=now, last={}, waiting=came[:2])
    assert [slot.name for slot in due(schedule, now=now, last={}, waiting=came)] == [
        "waiting leads@2026-03-02T08:07:00Z"
    ]


def test_one_that_has_waited() -> None:
    """As soon as the oldest has waited so long; not a second before."""
    schedule = _schedule(waiting={"minutes": 10, "leads": 50})
    came = [_utc("2026-03-02T08:00")]
    assert not due(schedule, now=_utc("2026-03-02T08:09:59"), last={}, waiting=came)
    assert due(schedule, now=_utc("2026-03-02T08:10"), last={}, waiting=came)[0].at == _utc("2026-03-02T08:10")
    assert not due(schedule, now=_utc("2026-03-02T08:10"), last={}, waiting=[])


@given(st.lists(st.integers(-5000, 5000), max_size=30), st.integers(0, 400), st.integers(0, 50))
def test_all_who_see_the_same_leads_tell_the_same_slot(seconds: list[int], later: int, leads: int) -> None:
    """Whenever they look: the slot follows from the leads, in any order. So two processes claim one name."""
    schedule = _schedule(waiting={"leads": leads + 1, "minutes": 10})
    start = _utc("2026-03-02T08:00")
    came = [start + dt.timedelta(seconds=second, microseconds=second) for second in seconds]
    first = due(schedule, now=start, last={}, waiting=came)
    second_look = due(schedule, now=start + later * MINUTE, last={}, waiting=sorted(came))
    assert not first or first == second_look


def test_the_pause_holds_between_two_runs_by_waiting() -> None:
    """Leads that wait still, or come in a storm, start no run before the pause is over."""
    schedule = _schedule(waiting={"leads": 1, "pause_minutes": 5})
    last = {"waiting leads": _utc("2026-03-02T08:00")}
    came = [_utc("2026-03-02T08:01")]
    assert not due(schedule, now=_utc("2026-03-02T08:04:59"), last=last, waiting=came)
    assert due(schedule, now=_utc("2026-03-02T08:05"), last=last, waiting=came)[0].at == _utc("2026-03-02T08:05")


def test_a_lead_from_the_future_starts_nothing_yet() -> None:
    """The CRM's clock runs ahead: no slot lies after now."""
    schedule = _schedule(waiting={"leads": 1})
    assert not due(schedule, now=_utc("2026-03-02T08:00"), last={}, waiting=[_utc("2026-03-02T08:05")])


def test_learning_anew_is_a_slot_of_its_own_kind() -> None:
    """Told beside the batches, in the order of time."""
    schedule = _schedule(times=[{"name": "m", "cron": "5 3 * * *"}], retrain={"cron": "0 3 * * sun"})
    slots = due(schedule, now=_utc("2026-03-01T03:08"), last={})
    assert [(slot.rule, slot.kind) for slot in slots] == [("retrain", "retrain"), ("m", "batch")]


def test_what_is_learnt_is_of_now() -> None:
    """Of three nights that were missed, one is made up for, also where the policy says `all`."""
    schedule = _schedule(times=[{"name": "m", "cron": "0 3 * * *"}], retrain={"cron": "0 3 * * *"}, missed="all",
                         catch_up_hours=96)  # fmt: skip
    last = {"retrain": _utc("2026-03-01T12:00"), "m": _utc("2026-03-01T12:00")}
    slots = due(schedule, now=_utc("2026-03-04T12:00"), last=last)
    assert [slot.at.day for slot in slots if slot.kind == "batch"] == [2, 3, 4]
    assert [slot.at.day for slot in slots if slot.kind == "retrain"] == [4]


def test_the_next_time_is_told() -> None:
    """Of all rules by the clock; none where there is none."""
    schedule = _schedule(times=[{"name": "a", "cron": "0 9 * * *"}, {"name": "b", "cron": "0 8 * * *"}])
    assert next_time(schedule, after=_utc("2026-03-01T08:00")) == _utc("2026-03-01T09:00")
    assert next_time(_schedule(waiting={"leads": 1}), after=_utc("2026-03-01T08:00")) is None
