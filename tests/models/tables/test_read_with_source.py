"""The source beside the table: row by row, by its own names, in its own order, with its own cells."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from apportion_models.tables import read_table, read_with_source


def test_the_source_is_as_it_was(tmp_path: Path) -> None:
    """Every named column, also those that the mapping does not read; cells keep spaces, decimal commas and words."""
    path = tmp_path / "leads.csv"
    path.write_text(
        "Amount;country;Lead ID;Memo;Betrag;created_at\n1,5;SE;L1; a ;7,5;2026-01-02\n2,5;NO;L2;N/A;;2026-01-02\n",
        encoding="utf-8",
    )
    mapping = {"leads": {"columns": {"deal_value": "Betrag"}, "values": {"country": {"SE": "XX"}}}}
    table, source = read_with_source("leads", path, mapping=mapping)
    assert list(source.columns) == ["Amount", "country", "Lead ID", "Memo", "Betrag", "created_at"]
    assert source.iloc[0].tolist() == ["1,5", "SE", "L1", " a ", "7,5", "2026-01-02"]
    assert source.loc[1, "Memo"] == "N/A" and source.loc[1, "Betrag"] == ""
    assert table["lead_id"].tolist() == ["L1", "L2"] and table["country"].tolist() == ["XX", "NO"]
    pd.testing.assert_frame_equal(table, read_table("leads", path, mapping=mapping))


def test_rows_that_are_left_out_are_left_out_of_both(tmp_path: Path) -> None:
    """By the mapping's `where`, or because they stand twice: both frames have the same rows under the same index."""
    ids, stages = ["L1", "L2", "L2", "L3", "L4"], ["a", "b", "b", "a", "b"]
    frame = pd.DataFrame({"id": ids, "stage": stages, "n": [1, 2, 2, 3, 4], "created_at": "2026-01-02"})
    mapping = {"leads": {"columns": {"lead_id": "id"}, "where": {"stage": "b"}}}
    table, source = read_with_source("leads", frame, mapping=mapping)
    assert table["lead_id"].tolist() == source["id"].tolist() == ["L2", "L4"]
    assert source["n"].tolist() == [2, 4] and source["n"].dtype == "int64"
    assert source.index.equals(table.index)


def test_joined_columns_come_behind(tmp_path: Path) -> None:
    """A second file's columns, by their own or the mapping's names, after the source's."""
    (tmp_path / "leads.csv").write_text("lead_id,account,created_at\nL1,b,2026-01-02\nL2,c,2026-01-02\n")
    (tmp_path / "accounts.csv").write_text("name,size\na,1\nb,2\n")
    mapping = {
        "leads": {"join": {"file": "accounts.csv", "on": {"account": "name"}, "columns": {"company_size": "size"}}}
    }
    _, source = read_with_source("leads", tmp_path / "leads.csv", mapping=mapping)
    assert list(source.columns) == ["lead_id", "account", "created_at", "company_size"]
    assert source["company_size"].fillna("").tolist() == ["2", ""]
