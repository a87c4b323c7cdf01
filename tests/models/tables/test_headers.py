from __future__ import annotations

from pathlib import Path

import pytest

from apportion_models.tables import TABLES
from apportion_models.tables.headers import match_headers, outcome_flags, squash
from apportion_models.tables.notes import Notes

from .helpers import only, read_text, refused


@pytest.mark.parametrize("name", sorted(TABLES))
def test_no_name_has_two_meanings(name: str) -> None:
    """Within a table, no alias is another column's name or alias."""
    seen: dict[str, str] = {}
    for column in TABLES[name].columns:
        for word in {squash(word) for word in (column.name, *column.aliases)}:
            assert seen.setdefault(word, column.name) == column.name, word


def test_hubspot_contacts(tmp_path: Path) -> None:
    """A HubSpot export of contacts reads as leads without a mapping."""
    text = (
        "Record ID,First Name,Create Date,HubSpot Owner ID,Associated Company,"
        "Number of Employees,Annual Revenue,Country/Region,Lifecycle stage\n"
        "101,Ann,2024-01-31 10:05,77,Acme,250,$1000000,Germany,Lead\n"
    )
    leads, _ = read_text("leads", text, tmp_path)
    row = leads.iloc[0]
    assert (row["lead_id"], row["owner_rep_id"], row["account_id"], row["country"]) == ("101", "77", "Acme", "Germany")
    assert (row["company_size"], row["company_revenue"]) == (250.0, 1e6)
    assert row["Lifecycle stage"] == "Lead" and row["First Name"] == "Ann"


def test_salesforce_leads_and_opportunities(tmp_path: Path) -> None:
    """Salesforce exports read as leads and as history without a mapping."""
    text = (
        "Lead ID,CreatedDate,OwnerId,Company,NumberOfEmployees,AnnualRevenue,LeadSource\n"
        "00Q1,2024-01-31T10:00:00.000+0000,005A,Acme,5,1000,Web\n"
    )
    leads, _ = read_text("leads", text, tmp_path)
    assert leads.columns.tolist() == [
        "lead_id",
        "created_at",
        "account_id",
        "company_size",
        "company_revenue",
        "source",
        "owner_rep_id",
    ]
    text = (
        "Id,CreatedDate,OwnerId,Owner Assigned Date,AccountId,Amount,Opportunity: StageName,CloseDate\n"
        "006A,2024-01-31T10:00:00.000+0000,005A,2024-02-01,001A,500,Closed Won,2024-03-01\n"
        "006B,2024-01-31T10:00:00.000+0000,005A,2024-02-01,001A,,closedlost,2024-03-01\n"
        "006C,2024-01-31T10:00:00.000+0000,005A,2024-02-01,,9,Negotiation/Review,2024-09-01\n"
    )
    history, _ = read_text("history", text, tmp_path)
    assert history["outcome"].tolist() == ["won", "lost", "open"]
    assert history["rep_id"].tolist() == ["005A"] * 3 and "owner_rep_id" not in history.columns
    assert history["closed_at"].isna().tolist() == [False, False, True]


def test_two_columns_for_one(tmp_path: Path) -> None:
    """Two of the source's columns that could be one of ours are refused, naming both and the key that settles it."""
    text = "lead_id,created_at,Lead Source,Original Source\nL1,2024-01-31,a,b\n"
    error = only(refused("leads", text, tmp_path), column="source")
    assert "'Lead Source'" in error.message and "'Original Source'" in error.message
    assert "leads.columns.source" in error.remedy
    leads, _ = read_text("leads", text, tmp_path, mapping={"leads": {"columns": {"source": "Original Source"}}})
    assert leads["source"].tolist() == ["b"]


def test_our_own_name_wins(tmp_path: Path) -> None:
    """Our own name stands before any alias, and is known in any writing."""
    leads, _ = read_text("leads", "LEAD ID,Created_At,Id\nL1,2024-01-31,7\n", tmp_path)
    assert leads["lead_id"].tolist() == ["L1"] and leads["Id"].tolist() == [7.0]


def test_one_column_is_not_taken_twice() -> None:
    """A column that the mapping takes for one of ours serves no other by its alias."""
    notes = Notes("leads")
    assert match_headers(TABLES["leads"], ["Amount", "x"], {"score": "amount"}, notes) == {"score": "Amount"}
    assert not notes.findings


def test_flags() -> None:
    """A pair of flags is seen in any writing; one alone is no pair."""
    assert outcome_flags(["is_won", "IsClosed"]) == ("is_won", "IsClosed")
    assert outcome_flags(["IsWon"]) is None
