from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from apportion_models.errors import Finding, TableError
from apportion_models.tables import read_leads, read_reps

from .helpers import only, read_text, refused


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"lead_id": ["a", "b"], "created_at": ["2024-01-01", "2024-01-02"], **columns})


def errors(source: pd.DataFrame, **options: Any) -> list[Finding]:
    with pytest.raises(TableError) as caught:
        read_leads(source, **options)
    return list(caught.value.findings)


@pytest.mark.parametrize(
    "source",
    [
        frame(score=[1, 2]),
        frame(score=[1, 2]).convert_dtypes(),
        frame(score=[1, 2]).convert_dtypes(dtype_backend="pyarrow"),
        frame(score=np.array([1, 2], dtype="float16")),
        frame(score=pd.Categorical([1, 2])),
        frame(score=["1", " 2 "]),
        frame(score=[1, "2.0"]).astype(object),
        frame(score=[1, 2]).set_index(pd.Index([7, 7])),
        frame(score=[1, 2]).assign(created_at=[dt.date(2024, 1, 1), dt.date(2024, 1, 2)]),
        frame(score=[1, 2]).assign(created_at=pd.to_datetime(["2024-01-01 05:30+05:30", "2024-01-02 05:30+05:30"])),
        frame(score=[1, 2]).assign(created_at=pd.period_range("2024-01-01", periods=2, freq="D")),
    ],
)
def test_types_of_a_dataframe(source: pd.DataFrame) -> None:
    """Whatever types hold the same values, the same table is read."""
    leads = read_leads(source)
    assert leads["score"].tolist() == [1.0, 2.0]
    assert leads["lead_id"].tolist() == ["a", "b"] and leads["lead_id"].dtype == "str"
    assert leads["created_at"].dt.strftime("%m-%d %H:%M").tolist() == ["01-01 00:00", "01-02 00:00"]
    assert str(leads["created_at"].dtype) == "datetime64[us, UTC]"


def test_lists_and_flags_of_a_dataframe() -> None:
    """Lists of any sequence and flags of any spelling are read; what is no flag is refused."""
    source = pd.DataFrame(
        {"rep_id": [1, 2, 3], "skills": [np.array(["a", "b"]), None, ["c"]], "paused": [1, 0.0, "Yes"]}
    )
    reps = read_reps(source)
    assert reps["skills"].tolist() == [("a", "b"), (), ("c",)]
    assert reps["paused"].tolist() == [True, False, True]
    with pytest.raises(TableError, match="true or false"):
        read_reps(source.assign(paused="perhaps"))


def test_typed_times() -> None:
    """Typed times without a zone are local time; clock changes are mended and told, and far years refused."""
    source = frame(created_at=pd.to_datetime(["2024-03-31 02:30", "2024-10-27 02:30"]))
    findings: list[Finding] = []
    leads = read_leads(source, mapping={"time_zone": "Europe/Berlin"}, findings=findings)
    assert leads["created_at"].dt.strftime("%H:%M").tolist() == ["01:00", "00:30"]
    assert [finding.row for finding in findings] == [1, 2]
    error = only(errors(frame(created_at=pd.to_datetime(["2024-01-01", "9999-12-31"]))))
    assert (error.row, error.value) == (2, "9999-12-31T00:00:00")


def test_numbers_are_no_times() -> None:
    """Numbers in a column of times are refused, unless the mapping says what they count."""
    source = frame(created_at=[45322, 45323.5])
    assert "excel" in only(errors(source)).remedy
    leads = read_leads(source, mapping={"date_format": "excel"})
    assert leads["created_at"].dt.strftime("%m-%d %H").tolist() == ["01-31 00", "02-01 12"]


def test_ids_that_a_float_has_spoiled() -> None:
    """Whole floats are ids; floats beyond 2^53 have lost digits."""
    assert read_leads(frame(account_id=[1.0, np.nan]))["account_id"].fillna("?").tolist() == ["1", "?"]
    assert "lost digits" in only(errors(frame(account_id=[1e18, 2e18]))).message


def test_counts(tmp_path: Path) -> None:
    """A count is a whole number; one with a decimal point and nothing after it is whole."""
    reps, _ = read_text("reps", "rep_id,open_leads\nR1,3.0\nR2,\n", tmp_path)
    assert reps["open_leads"].fillna(-1).tolist() == [3.0, -1.0]
    assert only(refused("reps", "rep_id,open_leads\nR1,3.5\n", tmp_path), column="open_leads").value == 3.5


def test_findings_can_be_written_as_json() -> None:
    """Values in findings are Python's own, whatever types the source had."""
    source = frame(score=["x", "1"], effort=[np.float32(-1), np.float32(1)], company_size=[np.int64(-5), np.int64(1)])
    source["created_at"] = pd.to_datetime(["9999-12-31", None])
    found = errors(source)
    assert len(found) == 5
    json.dumps([finding.value for finding in found])


@pytest.mark.slow
def test_a_dirty_file_is_the_clean_one(tmp_path: Path) -> None:
    """Half a million rows in German writing give the same frame as the same rows in plain writing."""
    rng = np.random.default_rng(0)
    size = 500_000
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366 * 1440, size), unit="min")
    value = rng.integers(100, 10**8, size)
    clean = pd.DataFrame({"lead_id": [f"L{at}" for at in range(size)], "created_at": when.strftime("%Y-%m-%dT%H:%M")})
    clean["deal_value"] = value / 100
    dirty = clean.assign(
        lead_id=" " + clean["lead_id"] + "\u00a0",
        created_at=when.strftime("%d.%m.%Y %H:%M"),
        deal_value=[f"€ {cents / 100:,.2f}".translate(str.maketrans(",.", ".,")) for cents in value.tolist()],
    )
    clean.to_csv(tmp_path / "clean.csv", index=False)
    dirty.to_csv(tmp_path / "dirty.csv", index=False, sep=";", encoding="utf-16")
    pd.testing.assert_frame_equal(read_leads(tmp_path / "dirty.csv"), read_leads(tmp_path / "clean.csv"))


def test_empty_cells_beside_refused_ones(tmp_path: Path) -> None:
    """An empty cell of a required column is told in the same run as a refused one of that column."""
    found = refused("leads", "lead_id,created_at\nL1,soon\nL2,\n", tmp_path)
    assert {(finding.row, finding.value) for finding in found} == {(1, "soon"), (2, None)}


def test_default_of_a_flag(tmp_path: Path) -> None:
    """A default stands where a flag is missing, though a missing flag would be false."""
    mapping = {"reps": {"defaults": {"paused": "yes", "skills": "a;b"}}}
    reps, _ = read_text("reps", "rep_id,paused,skills\nR1,,\nR2,no,c\n", tmp_path, mapping=mapping)
    assert reps["paused"].tolist() == [True, False]
    assert reps["skills"].tolist() == [("a", "b"), ("c",)]
