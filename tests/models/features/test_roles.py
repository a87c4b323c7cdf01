from __future__ import annotations

import pandas as pd
import pytest

from apportion_models.errors import InputError
from apportion_models.features.roles import candidate_columns, is_key


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


def test_override_admits_the_column() -> None:
    """An overridden column is a feature like any other."""
    table = pd.DataFrame({"gender": ["f", "m"]})
    assert candidate_columns(table, name="reps", wanted=None, override={"gender": {}})[0] == ["gender"]


def test_declared_columns_are_protected() -> None:
    """A column that somebody declared is refused like one whose name says it."""
    table = pd.DataFrame({"Group_B": ["f", "m"], "industry": ["x", "y"]})
    columns, notices = candidate_columns(table, name="reps", wanted=None, override={}, declared=["group_b"])
    assert columns == ["industry"] and "declared as protected" in str(notices[0])
    with pytest.raises(InputError, match="Group_B"):
        candidate_columns(table, name="reps", wanted=["Group_B"], override={}, declared=["group_b"])


def test_what_an_earlier_plan_wrote_is_no_feature() -> None:
    """assignments.csv joined with its outcomes makes a history; the plan's own columns do not teach."""
    table = pd.DataFrame(
        {
            "propensity": [1.0],
            "arm": ["a"],
            "holdout": [True],
            "expected_revenue": [2.0],
            "runner_up_cost": [1.0],
            "score": [3.0],
        }
    )
    assert candidate_columns(table, name="history", wanted=None, override={})[0] == ["score"]
