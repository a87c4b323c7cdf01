"""Small tables for the policy's tests, with only the columns that a test names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

TIMES = {"created_at", "start_date", "assigned_at"}


def _frame(key: str, prefix: str, columns: dict[str, list[Any]]) -> pd.DataFrame:
    size = len(next(iter(columns.values()))) if columns else 1
    ids = columns.pop(key, [f"{prefix}{index + 1}" for index in range(size)])
    made: dict[str, Any] = {key: ids}
    for name, values in columns.items():
        made[name] = pd.to_datetime(pd.Series(values), utc=True, format="ISO8601") if name in TIMES else values
    return pd.DataFrame(made)


@pytest.fixture
def leads() -> Callable[..., pd.DataFrame]:
    """`leads(score=[1, 2])` has two leads, l1 and l2."""
    return lambda **columns: _frame("lead_id", "l", columns)


@pytest.fixture
def reps() -> Callable[..., pd.DataFrame]:
    """`reps(capacity=[1, 2])` has two reps, r1 and r2."""
    return lambda **columns: _frame("rep_id", "r", columns)
