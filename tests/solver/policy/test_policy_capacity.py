"""Capacity: base × ramp × availability × adjustment × throttle − backlog, under caps, by hand-computed truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from apportion.policy import lead_effort, load_policy, overtime, rep_capacity
from apportion_models.errors import PolicyError, TableError

Frames = Callable[..., pd.DataFrame]
AT = "2026-03-04 00:00"


def capacity(policy: str, reps: pd.DataFrame, at: str = AT, **tables: pd.DataFrame) -> pd.DataFrame:
    return rep_capacity(load_policy(policy), reps, at=at, **tables)


def test_base_by_table_then_level_then_default(reps: Frames) -> None:
    """The rep's own capacity goes first, then the level's, then the default; 0 is a capacity."""
    frame = reps(capacity=[7, np.nan, np.nan, 0], level=["junior", "junior", "senior", None])
    found = capacity("capacity: {default: 10, by_level: {junior: 5}}", frame)
    assert found["base"].tolist() == [7, 5, 10, 0]
    assert found["capacity"].tolist() == [7, 5, 10, 0]
    assert found["max_leads"].tolist() == [np.inf] * 4
    assert list(found.columns) == [
        "rep_id", "base", "ramp", "availability", "adjustment", "throttle", "backlog", "capacity", "max_leads",
        "cap", "binding", "why",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "start", "expected"),
    [
        ("steps", "2026-03-04", 0.2),
        ("steps", "2026-02-02", 0.6),
        ("steps", "2026-02-03", 0.2),
        ("steps", "2025-01-01", 1.0),
        ("linear", "2026-02-17", 0.4),
        ("linear", "2026-01-18", 0.8),
        ("linear", None, 1.0),
    ],
)
def test_ramp(reps: Frames, shape: str, start: str | None, expected: float) -> None:
    """Steps hold the last point reached; linear rises in between; without a start date there is no ramp."""
    points = "[{day: 0, share: 0.2}, {day: 30, share: 0.6}, {day: 60, share: 1}]"
    policy = f"ramp: [{{name: new, shape: {shape}, points: {points}}}]"
    assert capacity(policy, reps(start_date=[start]))["ramp"].tolist() == pytest.approx([expected])


def test_the_first_ramp_profile_that_holds_counts(reps: Frames) -> None:
    """A profile of seniors goes before that of all."""
    policy = (
        "ramp:\n"
        "  - {name: seniors, reps: level == 'senior', points: [{day: 0, share: 0.5}]}\n"
        "  - {name: all, points: [{day: 0, share: 0.1}]}\n"
    )
    found = capacity(policy, reps(level=["senior", "junior"], start_date=["2026-03-01", "2026-03-01"]))
    assert found["ramp"].tolist() == [0.5, 0.1]
    assert "seniors, day 3" in found["why"][0]


def test_adjustments_multiply(reps: Frames) -> None:
    """All adjustments that hold are multiplied; workload is open leads per unit of capacity."""
    policy = (
        "capacity:\n"
        "  adjust:\n"
        "    - {name: slow, reps: response_rate < 0.5, factor: 0.8}\n"
        "    - {name: busy, reps: workload > 1, factor: 0.5}\n"
    )
    frame = reps(response_rate=[0.4, 0.4, np.nan], open_leads=[5, 11, 11])
    found = capacity(policy, frame)
    assert found["adjustment"].tolist() == pytest.approx([0.8, 0.4, 0.5])
    assert found["capacity"].tolist() == pytest.approx([8, 4, 5])


def test_throttle_takes_the_highest_step_exceeded(reps: Frames) -> None:
    """Exactly the amount is not above it; missing pipelines are not throttled."""
    policy = "throttle: [{name: full, steps: [{above: 100, factor: 0.5}, {above: 200, factor: 0}]}]"
    found = capacity(policy, reps(open_pipeline=[100, 101, 201, np.nan]))
    assert found["throttle"].tolist() == [1.0, 0.5, 0.0, 1.0]
    assert found["binding"].tolist() == ["capacity", "throttle", "throttle", "capacity"]


def test_backlog_takes_effort_up_to_its_share(reps: Frames) -> None:
    """Each open lead takes a tenth of a unit, together at most 40 % of what is left after the factors."""
    policy = "capacity: {backlog: {effort_each: 0.1, at_most: 0.4}}"
    found = capacity(policy, reps(open_leads=[10, 100, np.nan]))
    assert found["backlog"].tolist() == pytest.approx([1.0, 4.0, 0.0])
    assert found["capacity"].tolist() == pytest.approx([9.0, 6.0, 10.0])
    over = capacity("capacity: {backlog: {effort_each: 1}}", reps(open_leads=[100]))
    assert over["capacity"].tolist() == [0.0]
    assert over["binding"].tolist() == ["backlog"]


def test_the_sentence_shows_every_factor(reps: Frames) -> None:
    """`why` reads base × ramp × availability × adjustment × throttle − backlog = capacity."""
    policy = (
        "capacity:\n"
        "  backlog: {effort_each: 0.1}\n"
        "  adjust: [{name: slow, reps: response_rate < 0.5, factor: 0.5}]\n"
        "  caps: [{name: daily, per: day, at_most: 3}]\n"
        "ramp: [{name: new, points: [{day: 0, share: 0.5}]}]\n"
        "throttle: [{name: full, steps: [{above: 100, factor: 0.5}]}]\n"
    )
    frame = reps(capacity=[80], start_date=["2026-03-02"], response_rate=[0.1], open_pipeline=[500], open_leads=[10])
    calendar = pd.DataFrame({"rep_id": ["r1"], "start": ["2026-03-04 09:00"], "end": ["2026-03-04 13:00"]})
    found = capacity(policy, frame, calendar=calendar)
    assert found["capacity"].tolist() == [80 * 0.5**4 - 1]
    assert found["why"][0] == (
        "80 × ramp 0.5 (new, day 2) × availability 0.5 (on leave) × adjustment 0.5 (slow) × throttle 0.5 (full: "
        "open_pipeline 500) − backlog 1 = 4 effort units; at most 3 leads (daily: 0 of 3 taken)."
    )
    assert found["binding"][0] == "daily"
    assert capacity("", reps(capacity=[80]))["why"][0] == "80 effort units."


CALENDAR_CAPS = [
    ("hour", "2026-03-04 10:00", ["2026-03-04 09:00", "2026-03-04 09:00:01", "2026-03-04 10:00"], 2),
    ("day", "2026-03-04 10:00", ["2026-03-03 23:30", "2026-03-03 22:59", "2026-03-04 09:00"], 2),
    ("week", "2026-03-04 10:00", ["2026-03-01 22:59", "2026-03-01 23:00", "2026-03-04 09:00"], 2),
    ("month", "2026-03-04 10:00", ["2026-02-28 22:59", "2026-02-28 23:00", "2026-03-04 09:00"], 2),
    ("day", "2026-03-04 10:00", ["2026-03-04 11:00"], 0),
]


@pytest.mark.parametrize(("per", "at", "times", "used"), CALENDAR_CAPS)
def test_caps_count_what_the_period_gave(reps: Frames, per: str, at: str, times: list[str], used: int) -> None:
    """In Stockholm the day begins at 23:00 UTC; the hour is the last 60 minutes; later rows and other reps do not
    count."""
    policy = (
        f"capacity: {{caps: [{{name: cap, per: {per}, at_most: 5}}]}}\navailability: {{time_zone: Europe/Stockholm}}"
    )
    assigned = pd.DataFrame(
        {
            "rep_id": ["r1"] * len(times) + ["r9"],
            "assigned_at": pd.to_datetime([*times, at], utc=True, format="ISO8601"),
        }
    )
    assert capacity(policy, reps(level=["a"]), at=at, assigned=assigned)["max_leads"].tolist() == [5 - used]


def test_the_tightest_cap_holds_and_never_below_zero(reps: Frames) -> None:
    """Caps on open leads, for some reps, hard and soft: hard ones bound max_leads, soft ones do not."""
    policy = (
        "capacity:\n"
        "  caps:\n"
        "    - {name: open, per: open, at_most: 20}\n"
        "    - {name: juniors, per: day, at_most: 4, reps: level == 'junior'}\n"
        "    - {name: wish, per: day, at_most: 1, price: 5}\n"
    )
    frame = reps(level=["junior", "senior", "senior"], open_leads=[3, 18, 25])
    found = capacity(policy, frame)
    assert found["max_leads"].tolist() == [4, 2, 0]
    assert found["binding"].tolist() == ["juniors", "open", "open"]
    assert found["cap"].tolist() == ["juniors", "open", "open"]


def test_overtime(reps: Frames) -> None:
    """A share of the effective capacity at a price; none where capacity is hard."""
    found = capacity("", reps(capacity=[10, 5]))
    assert overtime(load_policy(""), found) is None
    extra = overtime(load_policy("capacity: {overtime: {share: 0.2, price: 30}}"), found)
    assert extra is not None
    assert extra[0].tolist() == [2.0, 1.0]
    assert extra[1] == 30


def test_effort_by_rule_then_column_then_default(leads: Frames) -> None:
    """The first rule that holds goes before the column, which goes before the default."""
    policy = load_policy(
        "capacity:\n"
        "  effort:\n"
        "    default: 2\n"
        "    rules:\n"
        "      - {name: big, when: company_size >= 100, effort: 5}\n"
        "      - {name: bigger, when: company_size >= 50, effort: 4}\n"
    )
    frame = leads(effort=[1.5, np.nan, 1.0, np.nan], company_size=[10, 10, 500, 60])
    assert lead_effort(policy, frame, at=AT).tolist() == [1.5, 2.0, 5.0, 4.0]
    assert lead_effort(policy, frame.drop(columns="effort"), at=AT).tolist() == [2.0, 2.0, 5.0, 4.0]


def test_row_order_changes_nothing(reps: Frames) -> None:
    """Each rep's row is the same whatever stands around it."""
    policy = "capacity: {adjust: [{name: slow, reps: response_rate < 0.5, factor: 0.5}]}"
    frame = reps(capacity=[1, 2, 3], response_rate=[0.1, 0.9, 0.2])
    forward = capacity(policy, frame).set_index("rep_id")
    backward = capacity(policy, frame.iloc[::-1].reset_index(drop=True)).set_index("rep_id")
    pd.testing.assert_frame_equal(forward, backward.loc[forward.index])


def test_all_misfits_at_once(reps: Frames) -> None:
    """Two wrong predicates are told in one error, with their key paths and lines."""
    policy = (
        "capacity:\n"
        "  adjust: [{name: a, reps: respose_rate < 0.5, factor: 0.5}]\n"
        "throttle:\n"
        "  - {name: b, reps: level > 3, steps: [{above: 1, factor: 1}]}\n"
    )
    with pytest.raises(PolicyError) as caught:
        capacity(policy, reps(response_rate=[0.1], level=["a"]))
    assert [(f.column, f.row) for f in caught.value.findings] == [
        ("capacity.adjust[0].reps", 2),
        ("throttle[0].reps", 4),
    ]
    assert "Did you mean response_rate?" in caught.value.findings[0].remedy


def test_assigned_needs_its_columns(reps: Frames) -> None:
    """A cap by day cannot do without the times."""
    with pytest.raises(TableError, match="assigned_at"):
        capacity(
            "capacity: {caps: [{name: c, per: day, at_most: 1}]}",
            reps(level=["a"]),
            assigned=pd.DataFrame({"rep_id": ["r1"]}),
        )
