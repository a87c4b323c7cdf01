from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion_models.errors import TableError
from apportion_models.fit.history import check_ids, read_cases
from tests.models.worlds import FIRST, World


def rows(*items: tuple[str, str, float, str, float | None, float | None]) -> pd.DataFrame:
    """(lead, rep, day assigned, outcome, day closed, value)"""
    return pd.DataFrame(
        {
            "lead_id": [i[0] for i in items],
            "rep_id": [i[1] for i in items],
            "assigned_at": [FIRST + pd.Timedelta(days=i[2]) for i in items],
            "outcome": [i[3] for i in items],
            "closed_at": [pd.NaT if i[4] is None else FIRST + pd.Timedelta(days=i[4]) for i in items],
            "deal_value": [np.nan if i[5] is None else i[5] for i in items],
        }
    )


def test_row_order_changes_nothing() -> None:
    """Cases come in an order of their own."""
    history = World().history(200)
    one, _ = read_cases(history)
    two, _ = read_cases(history.sample(frac=1.0, random_state=3))
    assert one.frame["lead_id"].tolist() == two.frame["lead_id"].tolist()
    assert (one.rep_id == two.rep_id).all() and one.assigned.tobytes() == two.assigned.tobytes()


def test_the_first_owner_counts_with_the_final_outcome() -> None:
    """A transferred lead counts for the rep who had it first, with what became of it."""
    cases, findings = read_cases(
        rows(("a", "R1", 0, "lost", 5, None), ("a", "R2", 9, "won", 20, 100.0), ("b", "R2", 3, "lost", 4, None))
    )
    assert cases.frame["lead_id"].tolist() == ["a", "b"] and cases.rep_id.tolist() == ["R1", "R2"]
    assert cases.outcome.tolist() == [1, 0] and cases.value[0] == 100.0
    assert cases.closed[0] - cases.assigned[0] == 20.0
    assert "first owner" in findings[0].message


def test_a_lead_reopened_is_open() -> None:
    """Lost and then opened again is open, until it is won."""
    cases, _ = read_cases(
        rows(("a", "R1", 0, "lost", 5, None), ("a", "R1", 9, "open", None, None), ("b", "R1", 1, "won", 2, 1.0))
    )
    assert cases.outcome.tolist() == [-1, 1]


def test_exact_duplicates_count_once() -> None:
    """The same row twice is one lead."""
    history = World().history(50)
    once, _ = read_cases(history)
    twice, _ = read_cases(pd.concat([history, history]))
    assert len(twice) == len(once) == 50 and (twice.outcome == once.outcome).all()


def test_known_at_knows_nothing_of_later() -> None:
    """As of a date: later leads are gone; what closed later is open, without its value."""
    cases, _ = read_cases(
        rows(("a", "R1", 0, "won", 5, 10.0), ("b", "R1", 1, "won", 50, 20.0), ("c", "R1", 40, "lost", 41, None))
    )
    then = cases.known_at(float(cases.assigned[0]) + 10.0)
    assert then.frame["lead_id"].tolist() == ["a", "b"]
    assert then.outcome.tolist() == [1, -1] and np.isnan(then.value[1]) and np.isnan(then.closed[1])


def test_a_closing_date_that_lacks_is_taken_as_typical() -> None:
    """A closed lead without a date is taken to have closed after the usual time."""
    cases, _ = read_cases(
        rows(("a", "R1", 0, "won", 30, 1.0), ("b", "R1", 1, "won", None, 1.0), ("c", "R1", 60, "lost", 61, None))
    )
    assert cases.known_at(float(cases.assigned[0]) + 20.0).outcome.tolist() == [-1, -1]
    assert cases.known_at(float(cases.assigned[0]) + 40.0).outcome.tolist() == [1, 1]


def test_until_is_the_same_as_known_at() -> None:
    """`until` replays what was known then."""
    history = World(win_days=40.0).history(300)
    moment = FIRST + pd.Timedelta(days=200)
    cases, _ = read_cases(history, until=moment)
    assert (cases.assigned <= moment.timestamp() / 86400).all() and not cases.resolved.all()


def test_missing_dates_are_left_out_and_told() -> None:
    """Rows without any date are left out when others have one; created_at serves in place of assigned_at."""
    history = World().history(100)
    history.loc[:9, "assigned_at"] = pd.NaT
    cases, _ = read_cases(history)
    assert len(cases) == 100
    cases, findings = read_cases(history.drop(columns="created_at"))
    assert len(cases) == 90 and findings[0].count == 10


def test_undated_history_keeps_its_rows() -> None:
    """Without any date the rows stay, and the finding says what cannot be done."""
    history = World().history(100).drop(columns=["created_at", "assigned_at", "closed_at"])
    cases, findings = read_cases(history)
    assert len(cases) == 100 and not cases.dated and "out of time" in findings[0].message


def test_dates_that_cannot_be_right_are_told() -> None:
    """Closed before assigned, and a date years after all others, are reported with their number and value."""
    history = World().history(300)
    history.loc[:2, "closed_at"] = history.loc[:2, "assigned_at"] - pd.Timedelta(days=3)
    history.loc[299, "closed_at"] = pd.Timestamp("2099-01-01", tz="UTC")
    _, findings = read_cases(history)
    assert [(f.column, f.count, f.value) for f in findings] == [("closed_at", 3, None), ("closed_at", 1, "2099-01-01")]
    assert read_cases(World().history(300))[1] == []


def test_leads_without_a_rep_are_left_out() -> None:
    """A lead that nobody owned says nothing of reps."""
    history = World().history(100)
    history.loc[:4, "rep_id"] = None
    cases, findings = read_cases(history)
    assert len(cases) == 95 and findings[0].column == "rep_id" and findings[0].count == 5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda h: h.drop(columns=["outcome", "rep_id"]), ["column 'outcome'", "column 'rep_id'"]),
        (lambda h: h.iloc[:0], ["no rows"]),
        (lambda h: h.assign(outcome="Closed Won"), ["row 1, column 'outcome'", "'Closed Won'", "(60 rows.)"]),
        (lambda h: h.assign(outcome=None, lead_id=None), ["column 'outcome'", "column 'lead_id'"]),
        (lambda h: h.assign(outcome="open"), ["no lead is won or lost"]),
        (lambda h: h.assign(rep_id=None), ["no row has a rep"]),
        (lambda h: pd.concat([h, h[["score"]]], axis=1), ["column 'score'", "two columns"]),
        (lambda h: h.to_dict(), ["must be a pandas DataFrame", "'dict'"]),
    ],
)
def test_broken_histories_are_refused_in_words(change: object, told: list[str]) -> None:
    """Each break of the contract is named with its place, all of them at once."""
    history = World().history(60)
    with pytest.raises(TableError) as caught:
        read_cases(change(history))  # type: ignore[operator]
    assert all(part in str(caught.value) for part in told), str(caught.value)


def test_check_ids_names_missing_and_doubled() -> None:
    """Ids must be there and be unique; the first row at fault is named, and how many there are."""
    findings = check_ids(pd.DataFrame({"rep_id": ["a", None, "a", "a"]}), "reps", "rep_id")
    assert [(f.row, f.count) for f in findings] == [(2, 1), (3, 2)]
