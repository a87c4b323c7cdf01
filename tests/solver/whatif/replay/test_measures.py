"""What a run comes to: shares, cohorts, intervals, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion.policy import load_policy
from apportion.whatif.replay.differences import against, weeks
from apportion.whatif.replay.measures import cohorts, equity_days, measure
from tests.solver.whatif.replay.hand import DAY, MONDAY, leads_of, played, stage_of


def test_shares_are_of_what_each_was_due_while_there() -> None:
    """Two to A on day 1, when B had not started and is owed nothing; on day 2 each is due one, and gets it."""
    reps = pd.DataFrame({"rep_id": ["A", "B"], "start_date": [MONDAY - 400 * DAY, MONDAY.normalize() + DAY]})
    on = stage_of(
        {"capacity": {"default": 5, "caps": [{"name": "c", "per": "day", "at_most": 1, "reps": "rep_id == 'B'"}]}},
        leads_of([2, 2]),
        2,
        reps,
    )
    chance = {"A": 0.5, "B": 0.6}
    table = measure(played(on, chance=lambda _, rep: chance[rep], ends=0.1), reps, days=28)
    assert table.reps.set_index("rep_id")["leads"].to_dict() == {"A": 3, "B": 1}
    second = table.batches.iloc[1]
    assert table.batches.iloc[0]["worst_off_share"] == pytest.approx(1.0)
    assert second["worst_off_share"] == pytest.approx(1.0)
    assert second["gini_opportunity"] == pytest.approx(0.0, abs=1e-9)


def test_who_is_due_less_than_a_lead_is_not_judged() -> None:
    """Ten reps and one lead: nobody is due a whole one, so that there is no worst off."""
    on = stage_of({}, leads_of([1]), 1, "ABCDEFGHIJ")
    row = measure(played(on), on.reps, days=28).batches.iloc[0]
    assert np.isnan(row["worst_off_share"]) and np.isnan(row["share_median"])


def test_a_batch_without_leads_is_a_row() -> None:
    """A quiet day counts nothing, and still tells what is open."""
    table = measure(played(stage_of({}, leads_of([2, 0]), 2)), pd.DataFrame({"rep_id": ["A"]}), days=28).batches
    assert table["placed"].tolist() == [2, 0] and table["open_leads"].tolist() == [2.0, 2.0]
    assert table["status"].tolist() == ["OPTIMAL", "NO LEADS"]


def test_new_is_who_started_lately_or_will() -> None:
    """Within 90 days before the run, or after it began; who has no date is tenured."""
    start = [MONDAY - 91 * DAY, MONDAY - 89 * DAY, MONDAY + 3 * DAY, pd.NaT]
    reps = pd.DataFrame({"rep_id": list("ABCD"), "start_date": pd.to_datetime(start, utc=True)})
    assert cohorts(reps, MONDAY).tolist() == ["tenured", "new", "new", "tenured"]
    assert cohorts(reps[["rep_id"]], MONDAY).tolist() == ["tenured"] * 4


def test_the_interval_is_by_the_spread_of_weeks() -> None:
    """Weekly differences 1, 2, 3, 4: sum 10, ± t(0.95, 3) × 1.291 × √4; below four weeks there is none."""
    at = [MONDAY + 7 * k * DAY for k in range(4)]
    rows = [{"track": "plan", "at": one, "worth": 10.0 + k} for k, one in enumerate(at, start=1)]
    rows += [{"track": "other", "at": one, "worth": 10.0} for one in at]
    row = against(pd.DataFrame(rows), "plan").iloc[0]
    assert row["difference"] == 10.0 and row["of_other"] == 0.25
    assert row["high"] - 10.0 == pytest.approx(2.353363 * 1.2909944 * 2, rel=1e-5)
    assert np.isnan(against(pd.DataFrame(rows)[lambda t: t["at"] < at[3]], "plan").iloc[0]["low"])


def test_a_change_of_the_clock_moves_no_batch_into_another_week() -> None:
    """Mondays at eight in Stockholm, over the last Sunday of March."""
    at = pd.to_datetime(["2026-03-16T07:00Z", "2026-03-23T07:00Z", "2026-03-30T06:00Z", "2026-04-06T06:00Z"])
    assert weeks(pd.DataFrame({"at": at})).tolist() == [0, 1, 2, 3]


def test_equity_is_told_over_the_policys_own_window() -> None:
    """The longest rolling window; four weeks where there is none."""
    rule = {"name": "even", "measure": "leads", "low": 0.5, "price": 1}
    assert equity_days(load_policy({"equity": [rule | {"window": 14}]})) == 14.0
    assert equity_days(load_policy({"equity": [rule]})) == 28.0
