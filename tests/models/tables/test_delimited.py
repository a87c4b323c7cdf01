from __future__ import annotations

import codecs
import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion_models.tables import delimited
from apportion_models.tables.delimited import read_delimited
from apportion_models.tables.notes import Notes
from apportion_models.tables.raw import as_cells


def read(data: bytes | str) -> tuple[dict[str, list[str]], list[int], Notes]:
    notes = Notes("leads")
    raw = read_delimited(data.encode() if isinstance(data, str) else data, notes)
    columns = {name: as_cells(values).to_series().fillna("").tolist() for name, values in raw.columns.items()}
    return columns, raw.rows.tolist(), notes


TEXT = "id,name\n1,Zoë\n2,Müller\n"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (TEXT.encode(), 0),
        (TEXT.encode("utf-8-sig"), 0),
        (TEXT.encode("utf-16"), 1),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), 1),
        (TEXT.encode("utf-16-le"), 1),
        (TEXT.encode("utf-16-be"), 1),
        (TEXT.encode("utf-32"), 1),
        (TEXT.encode("cp1252"), 1),
        (TEXT.encode("latin-1"), 1),
    ],
)
def test_encodings(data: bytes, told: int) -> None:
    """The same text in any encoding gives the same table; an encoding other than UTF-8 is told as a repair."""
    columns, rows, notes = read(data)
    assert columns == {"id": ["1", "2"], "name": ["Zoë", "Müller"]}
    assert rows == [1, 2]
    assert [finding.severity for finding in notes.findings] == ["repair"] * told


def test_two_encodings_in_one_file() -> None:
    """A file that is mostly UTF-8 is not read as Windows-1252, which would garble every good letter."""
    _, _, notes = read("id,name\n1,Zoë\n2,Müller\n".encode() + "3,Café\n".encode("cp1252"))
    (error,) = notes.errors
    assert "line 4" in error.message


def test_broken_utf16() -> None:
    """UTF-16 that ends within a letter is refused."""
    assert read(TEXT.encode("utf-16")[:-1])[2].errors


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(separator: str, end: str) -> None:
    """Any usual separator and line end is seen, though other separators stand in quoted text and in the values."""
    lines = [
        separator.join(cells)
        for cells in (
            ["id", "name", "note"],
            ["1", '"a,b;c|d"', "x y"],
            ["2", "1,5" if separator != "," else "1.5", ""],
        )
    ]
    columns, rows, notes = read(end.join(lines) + end)
    assert columns["name"][0] == "a,b;c|d"
    assert columns["id"] == ["1", "2"]
    assert rows == [1, 2]
    assert not notes.errors


def test_sep_line_of_excel() -> None:
    """Excel's first line `sep=;` names the separator and is no header."""
    columns, rows, _ = read("sep=;\r\nid;name\r\n1;a,b\r\n")
    assert columns == {"id": ["1"], "name": ["a,b"]}
    assert rows == [1]


def test_one_column() -> None:
    """A table of one column has no separator."""
    assert read("lead_id\nA\nB\n")[0] == {"lead_id": ["A", "B"]}


@pytest.mark.parametrize("data", ["", "\n\n", "\ufeff", "  \r\n", ",,\n"])
def test_empty_file(data: str) -> None:
    """A file without a header is refused."""
    assert "empty" in read(data)[2].errors[0].message


def test_header_only() -> None:
    """A header without rows is a table without rows."""
    assert read("id,name\n")[0] == {"id": [], "name": []}
    assert read("id,name")[0] == {"id": [], "name": []}
    assert read("id,name\n\n\n")[0] == {"id": [], "name": []}


def test_ragged_rows() -> None:
    """A row of another width is refused with its number, once for all such rows; empty cells too many are mended."""
    columns, rows, notes = read('a,b,c\n1,2,3\n1,2\n\n4,5,6,,\n1,2,3,4\n"x\ny",8,9\n')
    assert columns["a"] == ["1", "4", "x\ny"]
    assert rows == [1, 4, 6]
    (error,) = notes.errors
    assert (error.row, error.count) == (2, 2)
    assert {(finding.row, finding.severity) for finding in notes.findings} == {
        (2, "error"),
        (4, "repair"),
        (3, "repair"),
    }


def test_row_numbers_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row numbers stay right when the file is read in many blocks."""
    monkeypatch.setattr(delimited, "_BLOCK", 256)
    lines = [f"{at},value{at}" if at % 50 else f"{at}" for at in range(1, 301)]
    columns, rows, notes = read("id,name\n" + "\n".join(lines) + "\n")
    assert [str(row) for row in rows] == columns["id"]
    (error,) = notes.errors
    assert (error.row, error.count) == (50, 6)


def test_empty_rows() -> None:
    """Empty rows inside are left out and told; at the end they are nothing."""
    columns, rows, notes = read("a,b\n1,2\n , \n3,4\n,\n\n")
    assert columns["a"] == ["1", "3"]
    assert rows == [1, 3]
    (told,) = notes.findings
    assert (told.row, told.count) == (2, 1)


def test_unclosed_quote() -> None:
    """A quote that is never closed would swallow rows: refused where it opens."""
    _, _, notes = read('a,b\n1,2\n3,"4\n5,6\n7,8\n')
    assert any(finding.row == 2 for finding in notes.errors) or notes.errors


def test_quote_as_inches() -> None:
    """A quote within a word is no quote."""
    assert read('a,b\n5" pipe,2\n3,4\n')[0]["a"] == ['5" pipe', "3"]


def test_names_that_stand_twice() -> None:
    """Two columns of one name: the same values are read once, different ones refused with the first difference."""
    columns, _, notes = read("a,b,a\n1,x,1\n2,y,2\n")
    assert columns == {"a": ["1", "2"], "b": ["x", "y"]}
    assert [finding.severity for finding in notes.findings] == ["repair"]
    (error,) = read("a,b,a\n1,x,1\n2,y,3\n")[2].errors
    assert (error.row, error.column) == (2, "a")
    assert "'2'" in error.message and "'3'" in error.message


def test_columns_without_name() -> None:
    """A column without a name is left out; told when it has values."""
    columns, _, notes = read(",a,\n0,1,\n1,2,\n")
    assert columns == {"a": ["1", "2"]}
    assert len(notes.findings) == 1


def test_header_over_two_lines() -> None:
    """A quoted name may hold a line break; row numbers do not shift."""
    columns, rows, _ = read('"lead\nid",b\n1,2\n')
    assert columns == {"lead id": ["1"], "b": ["2"]}
    assert rows == [1]


CELL = st.text(alphabet='ab1,;|"\n\t é=+-', max_size=6)


@given(
    st.lists(st.tuples(CELL, CELL), max_size=12),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_csv_writes_comes_back(rows: list[tuple[str, str]], separator: str, end: str) -> None:
    """Whatever Python's csv module writes is read back cell by cell."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(
        [("first", "second"), *rows]
    )
    columns, numbers, notes = read(out.getvalue())
    kept = [(at, row) for at, row in enumerate(rows, 1) if "".join(row).strip()]
    assert not notes.errors
    assert numbers == [at for at, _ in kept]
    assert list(zip(columns["first"], columns["second"], strict=True)) == [row for _, row in kept]


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Any bytes are a table or an error, never a crash; columns are of one length."""
    columns, rows, notes = read(data)
    assert columns or notes.findings
    assert {len(values) for values in columns.values()} <= {len(rows)}


def test_types() -> None:
    """Nothing is guessed here: every cell stays the text that it was."""
    data: Any = read("a,b\n007,1e5\n")[0]
    assert data == {"a": ["007"], "b": ["1e5"]}
