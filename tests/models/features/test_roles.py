from __future__ import annotations

import pandas as pd
import pytest

from apportion_models.errors import InputError
from apportion_models.features.roles import candidate_columns, check_override, is_key, is_protected


@pytest.mark.parametrize(
    "column",
    [
        "gender",
        "Gender",
        "rep_gender",
        "age",
        "rep_age",
        "age_group",
        "AgeBand",
        "birth_date",
        "dateOfBirth",
        "ethnicity",
        "nationality",
        "religion",
        "disability",
        "marital_status",
        "parental_leave",
        "photo_url",
        "first_name",
        "firstName",
        "pronouns",
        "sexual_orientation",
    ],
)
def test_protected(column: str) -> None:
    """A protected attribute is known by its name, however it is written."""
    assert is_protected(column)


@pytest.mark.parametrize(
    "column",
    [
        "language",
        "languages",
        "company_age",
        "lead_age_days",
        "account_age",
        "stage",
        "usage",
        "page",
        "manager",
        "industry",
        "company_size",
        "level",
        "percentage",
        "agency",
        "score",
        "birthrate_index",
        "essex",
    ],
)
def test_not_protected(column: str) -> None:
    """Names that only look like it stay usable."""
    assert not is_protected(column)


def test_keys() -> None:
    """Keys and names identify, they do not generalise."""
    assert is_key("lead_id") and is_key("Account_ID") and is_key("email") and is_key("crm_id")
    assert not is_key("industry") and not is_key("paid")


def test_candidates_leave_out_what_must_not_be_a_feature() -> None:
    """Keys, times, what is known late, and protected attributes are no features; the last two are told of."""
    day = pd.Timestamp("2024-01-01", tz="UTC")
    table = pd.DataFrame(
        {
            "lead_id": ["a"],
            "industry": ["x"],
            "score": [1.0],
            "outcome": ["won"],
            "deal_value": [5.0],
            "lost_reason": ["price"],
            "gender": ["f"],
            "seen": [day],
        }
    )
    columns, notices = candidate_columns(table, name="history", wanted=None, override={})
    assert columns == ["industry", "score"]
    assert {notice.column for notice in notices} == {"lost_reason", "gender", "seen"}
    assert all(notice.severity == "notice" for notice in notices)


def test_asking_for_a_refused_column_is_an_error_naming_all() -> None:
    """Whoever names a column gets it or an error, and every error at once."""
    table = pd.DataFrame({"lead_id": ["a"], "gender": ["f"], "outcome": ["won"], "industry": ["x"]})
    with pytest.raises(InputError) as caught:
        candidate_columns(table, name="history", wanted=["gender", "outcome", "nowhere", "industry"], override={})
    assert {finding.column for finding in caught.value.findings} == {"gender", "outcome", "nowhere"}


def test_override_needs_a_reason() -> None:
    """An override is a record: who and why."""
    assert check_override({"age": "works council, 2024-05-01: pilot"}) == {"age": "works council, 2024-05-01: pilot"}
    assert check_override(None) == {}
    with pytest.raises(InputError, match="age"):
        check_override({"age": "  "})


def test_override_admits_the_column() -> None:
    """An overridden column is a feature like any other."""
    table = pd.DataFrame({"gender": ["f", "m"]})
    assert candidate_columns(table, name="reps", wanted=None, override={"gender": "why"})[0] == ["gender"]
