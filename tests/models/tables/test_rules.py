from __future__ import annotations

from pathlib import Path

import pandas as pd

from .helpers import only, read_text, refused

HEAD = "lead_id,created_at,rep_id,assigned_at,outcome,closed_at,deal_value\n"


def test_closed_before_assigned(tmp_path: Path) -> None:
    """A lead that closed before it was assigned is refused."""
    error = only(
        refused("history", HEAD + "L1,2024-01-01,R,2024-01-05,won,2024-01-04,5\n", tmp_path), column="closed_at"
    )
    assert (error.row, error.severity) == (1, "error")


def test_closed_on_the_same_day(tmp_path: Path) -> None:
    """A closing date on the day of an assignment with a time is no contradiction: it is that moment, and told."""
    text = (
        HEAD + "L1,2024-01-01,R,2024-01-05 10:00,won,2024-01-05,5\nL2,2024-01-01,R,2024-01-05 10:00,lost,2024-01-06,\n"
    )
    history, findings = read_text("history", text, tmp_path)
    assert history["closed_at"][0] == history["assigned_at"][0]
    assert only(findings, column="closed_at", severity="repair").row == 1
    assert refused("history", HEAD + "L1,2024-01-01,R,2024-01-05 10:00,won,2024-01-05 00:00,5\n", tmp_path)


def test_open_with_closing_date(tmp_path: Path) -> None:
    """An open lead's closing date is an expected one: left out and told."""
    history, findings = read_text("history", HEAD + "L1,2024-01-01,R,2024-01-05,Engaging,2025-01-05,5\n", tmp_path)
    assert history["outcome"][0] == "open" and history["closed_at"].isna().all()
    assert only(findings, column="closed_at", severity="repair").count == 1


def test_won_without_closing_date(tmp_path: Path) -> None:
    """A won lead without a closing date is kept, its date missing, with a notice."""
    history, findings = read_text("history", HEAD + "L1,2024-01-01,R,2024-01-05,won,,5\n", tmp_path)
    assert history["closed_at"].isna().all()
    assert "no `closed_at`" in only(findings, column="outcome", row=1).message


def test_worth(tmp_path: Path) -> None:
    """A negative deal value is refused; one on a lost lead is told as an estimate, none on a won lead as unknown."""
    only(refused("history", HEAD + "L1,2024-01-01,R,2024-01-05,won,2024-02-05,-5\n", tmp_path), column="deal_value")
    text = HEAD + "L1,2024-01-01,R,2024-01-05,lost,2024-02-05,7\nL2,2024-01-01,R,2024-01-05,won,2024-02-05,\n"
    _, findings = read_text("history", text, tmp_path)
    assert [finding.row for finding in findings if finding.column == "deal_value"] == [1, 2]


def test_history_without_arrival(tmp_path: Path) -> None:
    """Without arrival times, a lead arrived when it was assigned; told."""
    history, findings = read_text(
        "history", "lead_id,rep_id,assigned_at,outcome\nL1,R,2024-01-05,won\nL2,R,2024-01-06,lost\n", tmp_path
    )
    assert (history["created_at"] == history["assigned_at"]).all()
    assert only(findings, column="created_at").severity == "repair"


def test_only_one_side(tmp_path: Path) -> None:
    """History in which nobody lost is told: a mapping may have missed a word."""
    _, findings = read_text("history", HEAD + "L1,2024-01-01,R,2024-01-05,won,2024-02-05,5\n", tmp_path)
    assert "no lead is lost" in only(findings, column="outcome").message


def test_unknown_outcome(tmp_path: Path) -> None:
    """An outcome word that nobody declared is refused with the words that are, and the mapping settles it."""
    text = (
        HEAD + "L1,2024-01-01,R,2024-01-05,Gewonnen,2024-02-05,5\nL2,2024-01-01,R,2024-01-05,closed_lost,2024-02-05,\n"
    )
    error = only(refused("history", text, tmp_path), column="outcome")
    assert error.value == "Gewonnen" and "history.values.outcome" in error.remedy
    history, _ = read_text("history", text, tmp_path, mapping={"history": {"values": {"outcome": {"gewonnen": "won"}}}})
    assert history["outcome"].tolist() == ["won", "lost"]


def test_outcome_of_two_flags(tmp_path: Path) -> None:
    """Salesforce's IsWon and IsClosed give the outcome, whatever the stages are called."""
    text = (
        "Id,CreatedDate,OwnerId,Assigned Date,StageName,IsWon,IsClosed\n"
        "1,2024-01-01,R,2024-01-05,Signed,TRUE,TRUE\n"
        "2,2024-01-01,R,2024-01-05,Gone,FALSE,TRUE\n3,2024-01-01,R,2024-01-05,Talks,FALSE,FALSE\n"
        "4,2024-01-01,R,2024-01-05,Odd,,\n"
    )
    error = only(refused("history", text, tmp_path), column="outcome")
    assert error.row == 4
    history, _ = read_text("history", text.replace("4,2024-01-01,R,2024-01-05,Odd,,\n", ""), tmp_path)
    assert history["outcome"].tolist() == ["won", "lost", "open"]
    assert history["StageName"].tolist() == ["Signed", "Gone", "Talks"]


def test_time_zones_of_reps(tmp_path: Path) -> None:
    """A rep's time zone is an IANA name."""
    error = only(
        refused("reps", "rep_id,time_zone\nR1,Europe/Berlin\nR2,Berlin\nR3,../etc/passwd\n", tmp_path),
        column="time_zone",
    )
    assert (error.row, error.value, error.count) == (2, "Berlin", 2)


def test_start_date_ahead(tmp_path: Path) -> None:
    """A rep may start in the future."""
    reps, findings = read_text("reps", "rep_id,start_date\nR1,2150-01-01\n", tmp_path)
    assert reps["start_date"].notna().all() and not findings


def test_calendar(tmp_path: Path) -> None:
    """A date alone ends with its day, in local time; a time ends there; nothing ends before it starts."""
    text = (
        "rep_id,start,end,kind,capacity\nR1,2024-03-29,2024-03-31,Vacation,\n"
        "R1,2024-07-01 09:00,2024-07-01 12:00,training,0.5\n"
    )
    calendar, _ = read_text("calendar", text, tmp_path, mapping={"time_zone": "Europe/Berlin"})
    assert calendar["end"][0] == pd.Timestamp("2024-04-01", tz="Europe/Berlin")
    assert calendar["end"][1] == pd.Timestamp("2024-07-01 12:00", tz="Europe/Berlin")
    assert calendar["kind"].tolist() == ["leave", "training"]
    assert only(refused("calendar", "rep_id,start,end\nR1,2024-07-02,2024-07-01\n", tmp_path), column="end")
    assert only(
        refused("calendar", "rep_id,start,end,capacity\nR1,2024-07-01,2024-07-01,1.5\n", tmp_path), column="capacity"
    )


def test_overrides(tmp_path: Path) -> None:
    """A lead is locked to one rep; a pair is not both locked and banned."""
    head = "lead_id,rep_id,kind\n"
    overrides, _ = read_text("overrides", head + "L1,R1,lock\nL1,R2,ban\nL1,R3,BAN\n", tmp_path)
    assert len(overrides) == 3
    assert "locked" in only(refused("overrides", head + "L1,R1,lock\nL1,R2,lock\n", tmp_path), column="lead_id").message
    assert "kind" in only(refused("overrides", head + "L1,R1,lock\nL1,R1,ban\n", tmp_path), column="lead_id").message


def test_account_parents(tmp_path: Path) -> None:
    """An account that is its own parent has none; a circle is refused for each account in it or under it."""
    accounts, findings = read_text("accounts", "account_id,parent_account_id\nA,A\nB,A\nC,B\nD,Z\n", tmp_path)
    assert accounts["parent_account_id"].fillna("").tolist() == ["", "A", "B", "Z"]
    assert only(findings, column="parent_account_id").severity == "repair"
    error = only(
        refused("accounts", "account_id,parent_account_id\nX,\nA,C\nB,A\nC,B\nD,C\n", tmp_path),
        column="parent_account_id",
    )
    assert (error.row, error.count) == (2, 4)
