"""What was given already comes off the capacity of the window that it was given in, and of no other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion.build import Estimates, Tables, build_batch
from apportion.policy import load_policy
from apportion.policy.window import window_start, without_used


def start(at: str, days: float, zone: str = "Europe/Stockholm") -> str:
    """Of the window of a batch at `at`, where the company is."""
    policy = load_policy({"window": {"days": days}, "availability": {"time_zone": zone}})
    return window_start(policy, pd.Timestamp(at)).tz_convert(zone).isoformat()


@pytest.mark.parametrize(
    ("at", "days", "first"),
    [
        ("2026-03-04T08:00+01:00", 1, "2026-03-04T00:00:00+01:00"),  # a Wednesday: its own midnight
        ("2026-03-04T23:30+00:00", 1, "2026-03-05T00:00:00+01:00"),  # which is Thursday there
        ("2026-03-04T08:00+01:00", 3, "2026-03-02T00:00:00+01:00"),
        ("2026-03-04T08:00+01:00", 5, "2026-02-26T00:00:00+01:00"),  # over a weekend
        ("2026-03-08T12:00+01:00", 1, "2026-03-08T00:00:00+01:00"),  # a Sunday is the last day all the same
        ("2026-03-08T12:00+01:00", 2, "2026-03-06T00:00:00+01:00"),
        ("2026-03-30T08:00+02:00", 2, "2026-03-27T00:00:00+01:00"),  # over the change to summer time
        ("2026-10-26T08:00+01:00", 2, "2026-10-23T00:00:00+02:00"),  # and back
        ("2026-03-04T13:00+01:00", 0.5, "2026-03-04T09:00:00+01:00"),  # four hours of work
        ("2026-03-04T10:00+01:00", 0.5, "2026-03-03T14:00:00+01:00"),
        ("2026-03-02T09:00+01:00", 0.25, "2026-02-27T15:00:00+01:00"),
    ],
)
def test_where_a_window_begins(at: str, days: float, first: str) -> None:
    """Whole days begin at the midnight of the first working day; parts of a day are counted back in hours of work."""
    assert start(at, days) == first


def test_used_effort_comes_off_and_never_below_zero() -> None:
    """Effort is what was given of it, 1 where nothing is said; what lies outside the window or ahead does not count."""
    policy = load_policy({"availability": {"time_zone": "UTC"}})
    at = pd.Timestamp("2026-03-04T12:00Z")
    capacity = pd.DataFrame({"rep_id": ["a", "b", "c"], "capacity": [5.0, 2.0, 3.0], "why": ["5.", "2.", "3."]})
    capacity["backlog"] = 0.0
    reps = pd.DataFrame({"rep_id": ["a", "b", "c"]})
    given = pd.DataFrame(
        {
            "rep_id": ["a", "a", "a", "b", "a", "gone", "a"],
            "assigned_at": pd.to_datetime(
                [
                    "2026-03-04T00:00Z",
                    "2026-03-04T12:00Z",
                    "2026-03-03T23:59Z",
                    "2026-03-04T01:00Z",
                    "2026-03-04T12:01Z",
                ]
                + ["2026-03-04T02:00Z"] * 2
            ),
            "effort": [1.5, None, 9.0, 7.0, 9.0, 1.0, 0.25],
        }
    )
    left = without_used(capacity, policy, reps, given, at=at)
    assert left["capacity"].tolist() == [2.25, 0.0, 3.0]
    assert left["why"].tolist() == [
        "5; 2.75 of this window are given already, which leaves 2.25.",
        "2; 7 of this window are given already, which leaves 0.",
        "3.",
    ]
    assert without_used(capacity, policy, reps, None, at=at) is capacity
    shuffled = without_used(capacity, policy, reps, given.sample(frac=1, random_state=1), at=at)
    pd.testing.assert_frame_equal(shuffled, left)


def test_a_lead_takes_room_once() -> None:
    """Of four open leads three were given in this window: what the backlog takes for them is not taken again."""
    policy = load_policy({"availability": {"time_zone": "UTC"}})
    at = pd.Timestamp("2026-03-04T12:00Z")
    capacity = pd.DataFrame({"rep_id": ["a"], "capacity": [8.0], "why": ["8."], "backlog": [2.0]})
    given = pd.DataFrame({"rep_id": ["a"] * 3, "assigned_at": [at] * 3, "effort": [1.0, 1.0, 1.0]})
    reps = pd.DataFrame({"rep_id": ["a"], "open_leads": [4.0]})
    assert without_used(capacity, policy, reps, given, at=at)["capacity"].tolist() == [8.0 - (3.0 - 2.0 * 3 / 4)]


def test_a_batch_has_what_its_window_has_left() -> None:
    """One rule for whoever poses a batch: what `--earlier` says was given today is off; yesterday's is not."""
    at = pd.Timestamp("2026-03-04T12:00Z")
    policy = load_policy({"capacity": {"default": 5}, "equity": []})
    leads = pd.DataFrame({"lead_id": [f"L{k}" for k in range(6)], "created_at": [at] * 6})
    given = pd.DataFrame({"rep_id": ["a", "a", "b"], "assigned_at": [at, at, at - pd.Timedelta(days=1)]})
    tables = Tables(leads=leads, reps=pd.DataFrame({"rep_id": ["a", "b"]}), assigned=given)
    believed = Estimates(np.full((6, 2), 0.5, dtype=np.float32), np.full(6, 10.0))
    assert build_batch(policy, tables, believed, at=at).problem.capacity.tolist() == [3.0, 5.0]
    whole = build_batch(policy, tables, believed, at=at, whole_capacity=True)
    assert whole.problem.capacity.tolist() == [5.0, 5.0]
    halved = build_batch(policy, tables, believed, at=at, share_out=lambda c: c.assign(capacity=c["capacity"] / 2))
    assert halved.problem.capacity.tolist() == [1.5, 2.5]
