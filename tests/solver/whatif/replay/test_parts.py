"""Slots, what was known, the book, and closing times."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from apportion.whatif.replay.arrivals import arrivals, joined, past_leads
from apportion.whatif.replay.book import after, seconds
from apportion.whatif.replay.closing import Delays, luck_of
from apportion.whatif.replay.known import check_dated, known_history
from apportion.whatif.replay.slots import moments, read_slots
from apportion_models.errors import TableError, UsageError
from apportion_models.fit.labels import Delay
from tests.solver.whatif.replay.hand import DAY, MONDAY

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def told(text: str, since: str, until: str) -> list[str]:
    found = moments(read_slots(text), STOCKHOLM, since=pd.Timestamp(since), until=pd.Timestamp(until))
    return [one.strftime("%m-%dT%H:%M") for one in found]


def test_slots_are_of_the_local_clock() -> None:
    """Weekly is Monday at eight where the company is, before and after the clock changes; the last is after the end."""
    assert told("weekly", "2026-03-17T00:00Z", "2026-03-31T00:00Z") == ["03-23T07:00", "03-30T06:00", "04-06T06:00"]
    assert told("daily", "2026-03-06T00:00Z", "2026-03-06T07:00Z") == ["03-06T07:00"]
    assert told("daily", "2026-03-06T07:01Z", "2026-03-07T00:00Z") == ["03-09T07:00"]


def test_slots_in_words_and_by_cron() -> None:
    """Several times a day and days of their own; five fields of cron say the same."""
    words = told("mon-tue 08:00 13:30; sat 10:00", "2026-03-02T00:00Z", "2026-03-07T00:00Z")
    assert words == ["03-02T07:00", "03-02T12:30", "03-03T07:00", "03-03T12:30", "03-07T09:00"]
    pytest.importorskip("cronsim")
    assert told("0 8 * * 1", "2026-03-17T00:00Z", "2026-03-31T00:00Z") == ["03-23T07:00", "03-30T06:00", "04-06T06:00"]
    assert told("0 8 * * 1", "2026-03-23T07:00Z", "2026-03-23T07:00Z") == ["03-23T07:00"]


@pytest.mark.parametrize("text", ["", "hourly", "mon 25:00", "someday 08:00", "mon-fri", "99 8 * * 1", "08:00"])
def test_wrong_slots_say_what_would_be_right(text: str) -> None:
    """UsageError that shows examples."""
    with pytest.raises(UsageError, match="daily, weekly, slots such as"):
        read_slots(text)


def test_too_many_batches_are_refused() -> None:
    """A slip of the pen is no run of years by the minute."""
    with pytest.raises(UsageError, match="batches at most"):
        told("daily", "1990-01-01T00:00Z", "2026-01-01T00:00Z")


HISTORY = pd.DataFrame(
    {
        "lead_id": ["a", "b", "c", "d", "e"],
        "rep_id": ["A", "A", "B", "B", None],
        "created_at": pd.to_datetime(["2026-01-01", None, "2026-01-03", "2026-01-08", "2026-01-02"], utc=True),
        "assigned_at": pd.to_datetime(["2026-01-02", "2026-01-02", None, "2026-01-09", "2026-01-03"], utc=True),
        "outcome": ["won", "lost", "open", "won", "lost"],
        "closed_at": pd.to_datetime(["2026-01-05", "2026-01-20", None, "2026-01-10", None], utc=True),
        "deal_value": [10.0, 5.0, 7.0, 9.0, None],
        "stage": ["closed"] * 5,
        "owner_rep_id": ["Z"] * 5,
        "source": ["web"] * 5,
    }
)


def test_the_history_as_it_stood() -> None:
    """On the 6th: a is won; b is open, for it was lost later, and without its value; c is there; d has not come."""
    known = known_history(HISTORY, pd.Timestamp("2026-01-06", tz="UTC"))
    assert known["lead_id"].tolist() == ["a", "b", "c", "e"]
    assert known["outcome"].tolist() == ["won", "open", "open", "lost"]
    assert known["closed_at"].notna().tolist() == [True, False, False, False]
    assert known["deal_value"].tolist()[0] == 10.0 and known["deal_value"].iloc[1:3].isna().all()


def test_a_history_without_dates_cannot_be_replayed() -> None:
    """The fault names the column and the remedy."""
    with pytest.raises(TableError, match="assigned_at"):
        check_dated(HISTORY.drop(columns=["created_at", "assigned_at"]))


def test_leads_are_as_they_arrived() -> None:
    """Outcome, value, stage, rep and owner are gone; a lead without created_at came when it was assigned."""
    leads, findings = past_leads(HISTORY)
    assert set(leads.columns) == {"lead_id", "created_at", "source", "deal_value"}
    assert leads["deal_value"].isna().all() and len(leads) == 4
    assert leads.set_index("lead_id")["created_at"]["b"] == pd.Timestamp("2026-01-02", tz="UTC")
    assert findings[0].count == 1


def test_a_lead_that_was_given_too_is_as_given() -> None:
    """The leads table knows more; nobody is there twice."""
    leads, _ = past_leads(HISTORY)
    own = pd.DataFrame({"lead_id": ["a", "z"], "created_at": [MONDAY, MONDAY], "deal_value": [3.0, 4.0]})
    both = joined(leads, own)
    assert sorted(both["lead_id"]) == ["a", "b", "c", "d", "z"]
    assert both.set_index("lead_id")["deal_value"]["a"] == 3.0


def test_each_lead_is_placed_at_the_next_moment() -> None:
    """At the very moment it is still in time; a second later it waits for the next."""
    at = (MONDAY, MONDAY + DAY)
    created = [MONDAY, MONDAY + pd.Timedelta(seconds=1), MONDAY - 9 * DAY]
    found = arrivals(pd.DataFrame({"lead_id": ["x", "y", "w"], "created_at": created}), at)
    assert dict(zip(found.leads["lead_id"], found.batch.tolist(), strict=True)) == {"w": 0, "x": 0, "y": 1}


def test_days_become_moments_and_never_stays_never() -> None:
    """A day and a half after; infinitely many days are no moment, which is infinitely late."""
    found = after(MONDAY, np.array([1.5, np.inf]))
    assert found.iloc[0] == MONDAY + 1.5 * DAY and pd.isna(found.iloc[1])
    assert seconds(found).tolist() == [(MONDAY + 1.5 * DAY).timestamp(), np.inf]


def test_closing_times_follow_the_delays() -> None:
    """Half the wins take 10 days, half 30; of losses 60 % close, after 5 days; the others never."""
    wins = Delay(days=np.array([10.0, 30.0]), share=np.array([0.5, 1.0]), total=1.0)
    losses = Delay(days=np.array([5.0]), share=np.array([0.6]), total=0.6)
    days = Delays(wins, losses).days(np.array([True, True, False, False]), np.array([0.4, 0.7, 0.5, 0.9]))
    assert days.tolist() == [10.0, 30.0, 5.0, np.inf]


def test_luck_is_the_leads_own() -> None:
    """It depends on seed, purpose and lead, not on the order or on who else is there; and it is even."""
    one, other = luck_of(["a", "b"], seed=1, of="won"), luck_of(["b", "c", "a"], seed=1, of="won")
    assert one[0] == other[2] and one[1] == other[0]
    assert one[0] != luck_of(["a"], seed=2, of="won")[0] != luck_of(["a"], seed=2, of="days")[0]
    many = luck_of(map(str, range(4000)), seed=0, of="won")
    assert many.min() > 0 and many.max() < 1 and abs(many.mean() - 0.5) < 0.02
