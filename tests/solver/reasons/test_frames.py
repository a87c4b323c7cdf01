"""The leads' source beside what was decided: whose names and cells stand where."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from apportion.reasons import PLAN_COLUMNS, beside_source


def told(*leads: str) -> pd.DataFrame:
    return pd.DataFrame({"lead_id": leads, "country": "ours", **dict.fromkeys(PLAN_COLUMNS, "new")})


@pytest.mark.parametrize("ids", [[" 7", "8 "], [7, 8], [7.0, 8.0]])
def test_the_id_stays_in_its_place(ids: list[Any]) -> None:
    """A column lead_id that is the id, as text with spaces or as a number, is given once, and clean."""
    found = beside_source(pd.DataFrame({"memo": ["a", "b"], "lead_id": ids, "country": "theirs"}), told("7", "8"))
    assert list(found.columns) == ["memo", "lead_id", "country", *PLAN_COLUMNS]
    assert found["lead_id"].tolist() == ["7", "8"]
    assert set(found["country"]) == {"theirs"}


def test_names_of_ours_are_kept_under_another() -> None:
    """A column that is called as one of the plan's, even where the other name is taken too, and an id under another."""
    source = pd.DataFrame({"reason": ["r"], "lead_reason": ["s"], "lead_id": ["old"], "Record ID": ["7"]})
    found = beside_source(source, told("7"))
    assert list(found.columns) == [
        "lead_reason_", "lead_reason", "lead_lead_id", "Record ID", "lead_id", *PLAN_COLUMNS
    ]  # fmt: skip
    assert found.iloc[0, :5].tolist() == ["r", "s", "old", "7", "7"]
