from __future__ import annotations

from typing import Any

import pandas as pd

from apportion_models.tables import (
    check_references,
    read_accounts,
    read_calendar,
    read_history,
    read_leads,
    read_overrides,
    read_reps,
    read_teams,
    read_territories,
)

from .helpers import only

DAY = "2024-01-31"


def leads(**columns: Any) -> pd.DataFrame:
    size = len(next(iter(columns.values()))) if columns else 1
    return read_leads(pd.DataFrame({"lead_id": [f"L{at}" for at in range(size)], "created_at": DAY, **columns}))


REPS = read_reps(
    pd.DataFrame(
        {"rep_id": ["R1", "R2"], "team_id": ["T1", "T9"], "manager_id": ["R1", "boss"], "territories": ["N;S", "N"]}
    )
)


def test_all_in_order() -> None:
    """Tables that agree give no finding, and a table that is absent is not checked."""
    reps = REPS.drop(columns="manager_id")
    assert check_references(leads(owner_rep_id=["R1", None], account_id=["A", "B"]), reps) == []


def test_owner_of_a_lead() -> None:
    """An unknown owner of a lead is told once, with the count and the first by name."""
    found = only(
        check_references(leads(owner_rep_id=["Z", "X", "X", "R1"]), REPS), table="leads", column="owner_rep_id"
    )
    assert (found.severity, found.value, found.count) == ("notice", "X", 3)


def test_former_reps() -> None:
    """History's reps who are gone are former reps."""
    history = read_history(
        pd.DataFrame({"lead_id": ["a", "b"], "rep_id": ["old", "R1"], "assigned_at": DAY, "outcome": ["won", "lost"]})
    )
    found = only(check_references(leads(), REPS, history), table="history")
    assert (found.severity, found.value, found.count) == ("notice", "old", 1)


def test_severity_by_table() -> None:
    """A team, a territory's cover and a lock that point nowhere are errors; leave, bans and accounts are told."""
    accounts = read_accounts(pd.DataFrame({"account_id": ["A"], "parent_account_id": ["P"], "owner_rep_id": ["gone"]}))
    teams = read_teams(pd.DataFrame({"team_id": ["T1"], "manager_id": ["R1"]}))
    territories = read_territories(pd.DataFrame({"territory": ["N"], "rep_id": ["r1"]}))
    calendar = read_calendar(pd.DataFrame({"rep_id": ["gone"], "start": [DAY], "end": [DAY]}))
    overrides = read_overrides(
        pd.DataFrame({"lead_id": ["L0", "L0", "L9"], "rep_id": ["gone", "also", "R1"], "kind": ["lock", "ban", "ban"]})
    )
    found = check_references(
        leads(account_id=["Z"]),
        REPS,
        accounts=accounts,
        teams=teams,
        territories=territories,
        calendar=calendar,
        overrides=overrides,
    )
    assert {(one.table, one.column, one.severity, one.value) for one in found} == {
        ("leads", "account_id", "notice", "Z"),
        ("reps", "team_id", "error", "T9"),
        ("reps", "manager_id", "notice", "boss"),
        ("reps", "territories", "notice", "S"),
        ("accounts", "owner_rep_id", "notice", "gone"),
        ("accounts", "parent_account_id", "notice", "P"),
        ("territories", "rep_id", "error", "r1"),
        ("calendar", "rep_id", "notice", "gone"),
        ("overrides", "lead_id", "notice", "L9"),
        ("overrides", "rep_id", "error", "gone"),
        ("overrides", "rep_id", "notice", "also"),
    }
    assert "'r1' and 'R1'" in only(found, table="territories").remedy
    assert all(one.remedy for one in found if one.severity == "error")


def test_one_language_in_leads_and_history() -> None:
    """A column that is a number in one table and text in the other is told; different currencies are refused."""
    history = read_history(
        pd.DataFrame(
            {
                "lead_id": ["a", "b"],
                "rep_id": "R1",
                "assigned_at": DAY,
                "outcome": ["won", "lost"],
                "size_class": ["1", "big"],
                "currency": "EUR",
            }
        )
    )
    found = check_references(
        leads(size_class=["1", "2"], currency=["USD", "USD"]), REPS.drop(columns="manager_id"), history
    )
    assert [(one.column, one.severity) for one in found] == [("size_class", "notice"), ("currency", "error")]


def test_row_order_changes_nothing() -> None:
    """The same rows in another order give the same findings."""
    one = leads(owner_rep_id=["Z", "X", "Y"])
    assert check_references(one, REPS) == check_references(
        one.iloc[::-1].reset_index(drop=True), REPS.iloc[::-1].reset_index(drop=True)
    )
