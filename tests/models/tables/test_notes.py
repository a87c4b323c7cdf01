from __future__ import annotations

import numpy as np
import pytest

from apportion_models.errors import Finding, TableError
from apportion_models.tables.notes import Notes


def test_one_finding_for_many_rows() -> None:
    """Many rows make one finding: the first row by the source's number, its value, and the count; none make none."""
    notes = Notes("leads")
    rows = np.array([3, 5, 9])
    notes.where("repair", "mended", np.array([False, True, True]), rows, column="x", values=["a", "b", "c"])
    notes.where("repair", "mended", np.zeros(3, dtype=bool), rows)
    assert notes.findings == [
        Finding(severity="repair", table="leads", message="mended.", row=5, column="x", value="b", count=2)
    ]


def test_settle() -> None:
    """Repairs and notices go to the caller's list, errors are raised together."""
    notes = Notes("leads")
    notes.add("repair", "one")
    notes.settle(None)
    notes.add("error", "two")
    notes.add("error", "three")
    told: list[Finding] = []
    with pytest.raises(TableError) as caught:
        notes.settle(told)
    assert [finding.message for finding in caught.value.findings] == ["two.", "three."]
    assert [finding.message for finding in told] == ["one."]
