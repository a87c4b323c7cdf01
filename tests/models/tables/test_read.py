from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion_models.errors import TableError
from apportion_models.tables import TABLES, read_history, read_leads, read_reps

from .helpers import only, read_text, refused

LEADS = (
    "lead_id,created_at,country,deal_value,effort,segment,size_class\n"
    "L1,2024-01-31,NA,1000.5,2,A,7\nL2,2024-02-01 10:00,,,,B,\n"
)


def test_contract_of_a_frame(tmp_path: Path) -> None:
    """Ids and text are str, times UTC, numbers float64, lists tuples, flags bool; a RangeIndex; the input's order."""
    leads, _ = read_text("leads", LEADS, tmp_path)
    assert isinstance(leads.index, pd.RangeIndex)
    assert leads["lead_id"].tolist() == ["L1", "L2"]
    assert leads.dtypes.astype(str).to_dict() == {
        "lead_id": "str",
        "created_at": "datetime64[us, UTC]",
        "country": "str",
        "deal_value": "float64",
        "effort": "float64",
        "segment": "str",
        "size_class": "float64",
    }
    assert leads["country"][0] == "NA" and pd.isna(leads["country"][1])
    reps, _ = read_text("reps", "rep_id,skills,paused,territories\nR1, a ; b;a;,yes,NA;EU\nR2,,,\n", tmp_path)
    assert reps["skills"].tolist() == [("a", "b"), ()]
    assert reps["territories"].tolist() == [("NA", "EU"), ()]
    assert reps["paused"].tolist() == [True, False] and reps["paused"].dtype == bool


def test_empty_text_columns_keep_their_type(tmp_path: Path) -> None:
    """A declared column without a value keeps its contract's type."""
    leads, _ = read_text("leads", "lead_id,created_at,country,score\nL1,2024-01-31,,\n", tmp_path)
    assert leads.dtypes.astype(str).tolist() == ["str", "datetime64[us, UTC]", "str", "float64"]


def test_all_errors_at_once(tmp_path: Path) -> None:
    """Every error of every column is in one exception, each told once with its first row, value and count."""
    text = "lead_id,created_at,deal_value,effort,company_size\nL1,soon,abc,1,5\n,2024-01-01,-5,x,6\nL3,never,def,1,-1\n"
    findings = refused("leads", text, tmp_path)
    assert only(findings, column="created_at").count == 2
    assert only(findings, column="created_at").value == "soon"
    assert only(findings, column="lead_id").row == 2
    assert only(findings, column="deal_value", row=1).count == 2
    assert only(findings, column="deal_value", row=2).value == -5
    assert only(findings, column="effort").value == "x"
    assert only(findings, column="company_size").row == 3
    assert all(finding.remedy for finding in findings)


def test_a_million_bad_rows_give_a_readable_answer(tmp_path: Path) -> None:
    """Many bad rows make one finding for each kind and column."""
    rows = "".join(f"L{at},soon,x{at}\n" for at in range(5000))
    findings = refused("leads", "lead_id,created_at,deal_value\n" + rows, tmp_path)
    assert [finding.count for finding in findings] == [5000, 5000]


def test_missing_required_column(tmp_path: Path) -> None:
    """A required column that is not there is named, with the columns that are and the mapping key."""
    error = only(refused("leads", "lead_id,arrived\nL1,2024-01-01\n", tmp_path), column="created_at")
    assert "arrived" in error.message and "leads.columns.created_at" in error.remedy


def test_formula_stays_text(tmp_path: Path) -> None:
    """Text that a spreadsheet would run as a formula is text."""
    leads, _ = read_text(
        "leads", 'lead_id,created_at,note\nL1,2024-01-31,"=HYPERLINK(""x"")"\nL2,2024-01-31,@SUM(1)\n', tmp_path
    )
    assert leads["note"].tolist() == ['=HYPERLINK("x")', "@SUM(1)"]


def test_spaces_and_words_for_missing(tmp_path: Path) -> None:
    """Stray spaces, odd spaces and NUL are taken off, words for missing read as missing; each told as a repair."""
    text = (
        "lead_id,created_at,industry\n"
        " L1 ,2024-01-31,N/A\nL2\u00a0,2024-01-31,null\nL3,2024-01-31,big\u00a0steel\nL\x004,2024-01-31,-\n"
    )
    leads, findings = read_text("leads", text, tmp_path)
    assert leads["lead_id"].tolist() == ["L1", "L2", "L3", "L4"]
    assert leads["industry"].fillna("?").tolist() == ["?", "?", "big steel", "?"]
    assert only(findings, column="industry", message="read as missing.").count == 3
    assert only(findings, column="lead_id", message="stray spaces taken off.").count == 2
    assert only(findings, column="lead_id", message="invisible characters taken out.").row == 4
    assert {finding.severity for finding in findings} == {"repair"}


def test_ids(tmp_path: Path) -> None:
    """A float's .0 goes when all are whole; leading zeros stay; an id in powers of ten has lost digits."""
    leads, findings = read_text(
        "leads", "lead_id,created_at,postal_code\n123.0,2024-01-31,01234\n124,2024-01-31,99999\n", tmp_path
    )
    assert leads["lead_id"].tolist() == ["123", "124"]
    assert leads["postal_code"].tolist() == ["01234", "99999"]
    assert only(findings, column="lead_id").severity == "repair"
    leads, _ = read_text("leads", "lead_id,created_at\n1.0,2024-01-31\nv1.0,2024-01-31\n", tmp_path)
    assert leads["lead_id"].tolist() == ["1.0", "v1.0"]
    assert (
        "lost digits"
        in only(refused("leads", "lead_id,created_at\n1.23457E+11,2024-01-31\n", tmp_path), column="lead_id").message
    )


def test_duplicates(tmp_path: Path) -> None:
    """Identical rows of one id are read once; differing ones are refused, naming both rows and the column."""
    text = "lead_id,created_at,country\nL1,2024-01-31,DE\nL2,2024-01-31,DE\n L1,2024-01-31,DE\n"
    leads, findings = read_text("leads", text, tmp_path)
    assert leads["lead_id"].tolist() == ["L1", "L2"]
    assert only(findings, message="row stands more than once; read once.").row == 3
    error = only(refused("leads", text + "L2,2024-01-31,FR\n", tmp_path), column="lead_id")
    assert "rows 2 and 4" in error.message and "country" in error.message


def test_attributes(tmp_path: Path) -> None:
    """A further column is a number when all its values are one without doubt, else text."""
    text = (
        "lead_id;created_at;plain;zeros;doubt;phone;long;mixed;share;na\n"
        "L1;2024-01-31;1;007;1.234;+491;12345678901234567890;1;5%;NA\n"
        "L2;2024-01-31;2,5;8;2.345;2;1;x;7%;EU\n"
    )
    leads, findings = read_text("leads", text, tmp_path)
    assert leads["plain"].tolist() == [1.0, 2.5]
    assert leads["share"].tolist() == [0.05, 0.07]
    for name in ("zeros", "doubt", "phone", "long", "mixed", "na"):
        assert leads[name].dtype == "str", name
    assert leads["na"].tolist() == ["NA", "EU"]
    assert only(findings, column="doubt").severity == "notice"
    assert only(findings, column="na").severity == "notice"


def test_header_only(tmp_path: Path) -> None:
    """A header without rows is a table without rows, with its types."""
    leads, findings = read_text("leads", "lead_id,created_at,x\n", tmp_path)
    assert len(leads) == 0 and str(leads["created_at"].dtype) == "datetime64[us, UTC]"
    assert only(findings).severity == "notice"


def test_dataframe_is_checked_the_same() -> None:
    """A DataFrame passes the same checks, whatever types its columns have."""
    frame = pd.DataFrame(
        {
            "lead_id": [1.0, 2.0],
            "created_at": [pd.Timestamp("2024-01-31 10:00"), None],
            "deal_value": [Decimal("10.5"), Decimal("-1")],
            "postal_code": [1234, 99999],
            "company_size": [1, np.inf],
        }
    )
    with pytest.raises(TableError) as caught:
        read_leads(frame)
    findings = list(caught.value.findings)
    assert {finding.column for finding in findings} == {"created_at", "deal_value", "company_size"}
    good = read_leads(frame.assign(created_at="2024-01-31", deal_value=1, company_size=5))
    assert good["lead_id"].tolist() == ["1", "2"] and good["postal_code"].tolist() == ["1234", "99999"]


def test_source_is_not_touched() -> None:
    """The caller's DataFrame stays as it was."""
    frame = pd.DataFrame({"lead_id": ["L1"], "rep_id": ["R"], "assigned_at": ["2024-01-31"], "outcome": ["Closed Won"]})
    before = frame.copy(deep=True)
    read_history(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_reading_twice_changes_nothing(tmp_path: Path) -> None:
    """What was read is read again as it is, with nothing to repair; from Parquet too."""
    text = (
        "rep_id,start_date,skills,paused,open_leads,x,time_zone\n"
        "R1,2024-07-01 10:00,a;b,true,3,1.5,Europe/Berlin\nR2,,,,,,\n"
    )
    reps, _ = read_text("reps", text, tmp_path)
    findings: list[object] = []
    pd.testing.assert_frame_equal(read_reps(reps, findings=findings), reps)  # type: ignore[arg-type]
    reps.to_parquet(tmp_path / "reps.parquet")
    pd.testing.assert_frame_equal(read_reps(tmp_path / "reps.parquet", findings=findings), reps)  # type: ignore[arg-type]
    assert not findings


def test_mixed_currencies_of_a_table(tmp_path: Path) -> None:
    """Amounts of two currencies are refused: by their signs, by the currency column, by the mapping."""
    head = "lead_id,created_at,deal_value,company_revenue,currency\n"
    assert refused("leads", head + "L1,2024-01-31,€5,USD 7,\n", tmp_path)
    assert refused("leads", head + "L1,2024-01-31,5,7,EUR\nL2,2024-01-31,5,7,usd\n", tmp_path)
    assert refused("leads", head + "L1,2024-01-31,€5,7,EUR\n", tmp_path, mapping={"currency": "USD"})
    leads, _ = read_text("leads", head + "L1,2024-01-31,$5,7,usd\n", tmp_path, mapping={"currency": "USD"})
    assert leads["deal_value"].tolist() == [5.0]


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_reads_a_minimal_row(name: str, tmp_path: Path) -> None:
    """Every table can be read from its required columns alone, and refuses a row without any of them."""
    words = {"id": "X1", "time": "2024-01-31", "choice": None}
    required = [column for column in TABLES[name].columns if column.required]
    cells = [words[column.kind] or column.choices[0] for column in required]
    head = ",".join(column.name for column in required)
    frame, _ = read_text(name, f"{head}\n{','.join(cells)}\n", tmp_path)
    assert len(frame) == 1 and set(frame.columns) >= {column.name for column in required}
    for at, column in enumerate(required):
        broken = [*cells[:at], "", *cells[at + 1 :], "x"]
        assert only(refused(name, f"{head},more\n{','.join(broken)}\n", tmp_path), column=column.name).row == 1


ROW = st.tuples(
    st.sampled_from(["2024-01-31", "31.12.2023", "2024-02-01T10:00:00+02:00", ""]),
    st.sampled_from(["1", "2,50", "1.000,25", "€ 3", ""]),
    st.sampled_from(["DE", " FR", "N/A", "x;y"]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_row_order_changes_nothing(rows: list[tuple[str, str, str]], random: object) -> None:
    """The same rows in another order give the same rows, or the same refusals."""
    frame = pd.DataFrame(rows, columns=["created_at", "deal_value", "note"])
    frame.insert(0, "lead_id", [f"L{at}" for at in range(len(rows))])
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]

    def outcome(source: pd.DataFrame) -> object:
        try:
            return read_leads(source).sort_values("lead_id", ignore_index=True).to_dict("records")
        except TableError as error:
            return sorted((str(finding.column), finding.count) for finding in error.findings)

    assert str(outcome(frame)) == str(outcome(frame.iloc[order]))
