"""No cell that we write is a formula to a spreadsheet, and every cell can be had back."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apportion.connectors import as_was, csv_bytes, harmless

SIGNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
CELLS = st.text(alphabet=st.sampled_from("=+-@\t\r\n;,.'\"a1 0(＝)%eE/:"), max_size=12)


@given(st.lists(CELLS, min_size=1, max_size=5))
@example(["'=1", "''=1", "\t=1", ";=1", "-5", "'-5", "-5;=1", "=1;-5", "\r\r=1"])
def test_what_was_is_had_back(cells: list[str]) -> None:
    """Undoing gives every cell as it was, whatever apostrophes and signs it began with."""
    table = pd.DataFrame({"note": cells}, dtype=object)
    assert list(as_was(harmless(table))["note"]) == cells


@given(CELLS)
@example("x;=1+1")
@example("-1;@SUM(A1)")
@example("\n=1")
def test_no_part_of_a_cell_is_a_formula(cell: str) -> None:
    """Neither it nor what another country's spreadsheet takes for a cell begins with a sign, unless it is a number."""
    written = harmless(pd.DataFrame({"x": [cell]}, dtype=object))["x"][0]
    for part in re.split("[;\t\r\n]", written):
        dangerous = part.startswith(SIGNS) and not re.fullmatch(r"[+-]?[0-9][0-9 .,()/-]*([eE][+-]?[0-9]+)?%?", part)
        assert not dangerous, (cell, written)


@pytest.mark.parametrize(
    "cell", ["-5", "+46 (0)70-123 45 67", "-1.234,50", "+1e-5", "-12%", "plain", "a=b", "", "2026-03-02"]
)
def test_numbers_and_plain_text_stay(cell: str) -> None:
    """What cannot do anything is not touched: ids and numbers join with where they came from."""
    assert harmless(pd.DataFrame({"x": [cell]}))["x"][0] == cell


@pytest.mark.parametrize("cell", ["=1+1", "+SUM(A1)", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1", "-a", "+a1"])
def test_formulas_are_put_behind_an_apostrophe(cell: str) -> None:
    """The signs of OWASP's list."""
    assert harmless(pd.DataFrame({"x": [cell]}))["x"][0].startswith("'")


def test_a_file_is_harmless_and_is_read_back() -> None:
    """Headers too; numbers in number columns, times and lists keep their form; the table itself stays."""
    table = pd.DataFrame({"=cmd": ["=1", "b"], "n": [-1.5, -2.0], "tags": [("=x", "-y"), ()]})
    kept = table.copy()
    text = csv_bytes(table).decode()
    assert text == "'=cmd,n,tags\n'=1,-1.5,'=x;'-y\nb,-2.0,\n"
    pd.testing.assert_frame_equal(table, kept)
    read = as_was(pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False))
    assert read.to_dict("list") == {"=cmd": ["=1", "b"], "n": ["-1.5", "-2.0"], "tags": ["=x;-y", ""]}
