"""Outcomes by age: young leads wait, and dates that cannot be are told."""

from __future__ import annotations

import numpy as np
import pandas as pd

from apportion_models.experiment.outcomes import Outcomes, outcomes_of

DAY = pd.Timedelta(days=1)
AT = pd.Timestamp("2025-03-01", tz="UTC")


def history(*rows: tuple[str, str, object, object]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["lead_id", "outcome", "closed_at", "deal_value"])
    return table.assign(closed_at=pd.to_datetime(table["closed_at"], utc=True), rep_id="R1")


def found(*rows: tuple[str, str, object, object], as_of: pd.Timestamp = AT + 100 * DAY) -> Outcomes:
    ids = [f"L{i}" for i in range(6)]
    return outcomes_of(pd.Series(ids), pd.Series([AT] * 6), history(*rows), within_days=30, as_of=as_of)


def test_only_what_comes_in_time_counts() -> None:
    """A win on day 30 counts, one on day 31 does not, a loss does not, and an unlisted lead was not won."""
    got = found(
        ("L0", "won", AT + 30 * DAY, 500.0),
        ("L1", "won", AT + 31 * DAY, 500.0),
        ("L2", "lost", AT + 3 * DAY, np.nan),
        ("L3", "open", pd.NaT, np.nan),
    )
    assert got.converted.tolist() == [1, 0, 0, 0, 0, 0] and got.revenue.tolist() == [500, 0, 0, 0, 0, 0]
    assert got.listed.tolist() == [True] * 4 + [False] * 2 and got.usable.all() and not got.findings


def test_strange_dates_are_told() -> None:
    """Won before assigned: left out. Won without a date: in time. Won in the future: not known yet."""
    got = found(
        ("L0", "won", AT - DAY, 1.0),
        ("L1", "won", pd.NaT, np.nan),
        ("L2", "won", AT + 20 * DAY, 9.0),
        as_of=AT + 10 * DAY,
    )
    assert got.usable.tolist() == [False] + [True] * 5
    assert got.converted.tolist() == [0, 1, 0, 0, 0, 0]
    told = " ".join(str(finding) for finding in got.findings)
    assert "before it was assigned" in told and "without a date" in told and "without a value" in told


def test_a_lead_assigned_after_the_look_is_left_out() -> None:
    """Dates in the future of the log are no outcomes."""
    got = found(as_of=AT - DAY)
    assert not got.usable.any() and any("after the moment" in str(finding) for finding in got.findings)


def test_a_lead_listed_twice_is_won_if_it_ever_was() -> None:
    """The first win counts, whatever the order of rows."""
    rows = [("L0", "lost", AT + 2 * DAY, np.nan), ("L0", "won", AT + 9 * DAY, 7.0), ("L0", "won", AT + 5 * DAY, 3.0)]
    assert found(*rows).revenue[0] == found(*rows[::-1]).revenue[0] == 3.0


def test_an_empty_history_is_no_error() -> None:
    """Nobody is won."""
    empty = history(("x", "won", AT, 1.0)).iloc[:0]
    got = outcomes_of(pd.Series(["L0"]), pd.Series([AT]), empty, within_days=30, as_of=AT + DAY)
    assert got.converted.tolist() == [0] and got.listed.tolist() == [False]
