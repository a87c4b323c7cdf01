from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from apportion_models.tables.cells import Cells, constant, from_arrow, from_list, tidy

TEXTS = st.lists(st.none() | st.text(alphabet="aB \u00a0\u200b\x00-/nN", max_size=4), max_size=30)


def back(values: Cells) -> list[str | None]:
    return [None if pd.isna(value) else value for value in values.to_series()]


@given(TEXTS, st.integers(1, 5))
def test_what_goes_in_comes_out(texts: list[str | None], parts: int) -> None:
    """Texts come back row by row, from one piece or many, whether words repeat or not."""
    chunks = [texts[at::parts] for at in range(parts)]
    joined = [text for chunk in chunks for text in chunk]
    assert back(from_list(texts)) == texts
    assert back(from_arrow(pa.chunked_array([pa.array(chunk, pa.string()) for chunk in chunks]))) == joined


@given(TEXTS)
def test_tidy(texts: list[str | None]) -> None:
    """Tidy text has no outer spaces and no invisible letters, is never empty; tidying it again changes nothing."""
    tidied = tidy(from_list(texts))
    out = back(tidied.cells)
    for before, after, hidden in zip(texts, out, tidied.hidden, strict=True):
        assert after is None or (after == after.strip() and after and not set(after) & set("\u00a0\u200b\x00"))
        assert hidden == (before is not None and bool(set(before) & set("\u200b\x00")))
        if before is not None and before.isalpha() and before.lower() not in ("na", "nan"):
            assert after == before
    again = tidy(tidied.cells)
    assert back(again.cells) == out
    assert not again.spaced.any() and not again.hidden.any() and not again.blanked.any()


@given(TEXTS, st.data())
def test_take(texts: list[str | None], data: st.DataObject) -> None:
    """Rows are taken by position; -1 is missing; unused words can go."""
    positions = np.array(data.draw(st.lists(st.integers(-1, len(texts) - 1), max_size=10)), dtype=np.int64)
    want = [None if at < 0 else texts[at] for at in positions]
    taken = from_list(texts).take(positions)
    assert back(taken) == back(taken.drop_unused()) == want


def test_na() -> None:
    """A bare NA is missing, except where it is said to be text or a value; N/A is always missing."""
    cells = from_list(["NA", "na", "N/A", "x"])
    assert back(tidy(cells).cells) == [None, None, None, "x"]
    assert back(tidy(cells, na_is_text=True).cells) == ["NA", "na", None, "x"]
    assert back(tidy(cells, literal=("NA",)).cells) == ["NA", "na", None, "x"]


def test_constant_and_spread() -> None:
    """What holds of words is spread over rows, with a value for the missing ones."""
    assert back(constant("a", 2)) == ["a", "a"]
    cells = from_list(["a", None, "b", "a"])
    of_words = [word == "a" for word in cells.to_list()]
    assert cells.rows_of(of_words).tolist() == [True, False, False, True]
    assert cells.spread([1.5 if mark else 2.5 for mark in of_words], 0.0).tolist() == [1.5, 0.0, 2.5, 1.5]
