"""A column of text as codes into its words, so that a word that stands in many rows is cleaned and parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from apportion_models.tables.notes import Mask
from apportion_models.tables.words import AMBIGUOUS_MISSING, MISSING

Codes = npt.NDArray[np.int64]

_INVISIBLE = "[\u200b\u200c\u200d\u2060\ufeff\x00]"
_HEAD = 20_000
_SPACES = "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"


@dataclass(frozen=True)
class Cells:
    """`codes` (n,): position in `words` (k,), a pyarrow array of text without nulls; -1 is missing.

    Where most rows have a word of their own (ids, times), a word may stand twice in `words`.
    """

    codes: Codes
    words: Any

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str | None:
        code = int(self.codes[row])
        return None if code < 0 else str(self.words[code].as_py())

    @property
    def missing(self) -> Mask:
        """(n,) true where there is no value."""
        return self.codes < 0

    def take(self, rows: Codes) -> Cells:
        """The cells at these positions; -1 is missing."""
        return Cells(np.where(rows < 0, -1, self.codes[rows]) if len(self.codes) else rows, self.words)

    def spread(self, of_words: Any, missing: Any) -> Any:
        """What holds of each word (k,), spread over the rows (n,)."""
        values = np.asarray(of_words)
        out = np.full(len(self.codes), missing, dtype=np.result_type(values, np.asarray(missing)))
        present = self.codes >= 0
        out[present] = values[self.codes[present]]
        return out

    def rows_of(self, of_words: Any) -> Mask:
        """(n,) true in the rows whose word is marked in `of_words` (k,)."""
        marks = np.append(np.asarray(of_words, dtype=bool), False)
        return np.asarray(marks[self.codes], dtype=bool)

    def replace(self, words: Any) -> Cells:
        """The same rows with other words (k,); a null word makes its rows missing, equal words become one."""
        merged = pc.dictionary_encode(words) if len(words) else pa.array([], pa.string()).dictionary_encode()
        merged = merged.combine_chunks() if isinstance(merged, pa.ChunkedArray) else merged
        codes = np.append(pc.fill_null(merged.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64), -1)
        return Cells(codes[self.codes], merged.dictionary)

    def drop_unused(self) -> Cells:
        """Without the words that no row has (after rows were filtered)."""
        used = np.unique(self.codes[self.codes >= 0])
        if len(used) == len(self.words):
            return self
        codes = np.full(len(self.words) + 1, -1, dtype=np.int64)
        codes[used] = np.arange(len(used))
        return Cells(codes[self.codes], self.words.take(pa.array(used)))

    def to_list(self) -> list[str]:
        """The words (k,)."""
        return [str(word) for word in self.words.to_pylist()]

    def to_series(self) -> pd.Series[Any]:
        """Text of pandas' `str` type, missing as NaN."""
        text = self.words.take(pa.array(self.codes, mask=self.codes < 0))
        return pd.Series(text.to_pandas(), dtype="str").reset_index(drop=True)


def from_arrow(column: Any) -> Cells:
    """Cells of a pyarrow text column."""
    column = pc.cast(column, pa.string())
    head = column.slice(0, _HEAD)
    if len(head) and len(pc.unique(head)) > 0.5 * len(head):  # a dictionary of nearly every row would be slow
        whole = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        present = _true(whole.is_valid())
        return Cells(np.where(present, np.cumsum(present) - 1, -1), whole if present.all() else whole.drop_null())
    encoded = pc.dictionary_encode(column)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
        encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Cells(codes, encoded.dictionary)


def from_list(values: list[str | None]) -> Cells:
    """Cells of Python texts."""
    return from_arrow(pa.array(values, pa.string()))


def constant(value: str, rows: int) -> Cells:
    """The same word in every row."""
    return Cells(np.zeros(rows, dtype=np.int64), pa.array([value], pa.string()))


def hits(words: Any, pattern: str) -> Mask:
    """(k,) whether RE2 `pattern` is found in each word."""
    return _true(pc.match_substring_regex(words, pattern))


def cast(words: Any, kind: Any) -> Any | None:
    """Words as numbers or moments by Arrow's own reading (k,), null for null; None when some word is none.

    The first words are tried alone: Arrow takes long to refuse many.
    """
    try:
        pc.cast(words.slice(0, 32), kind)
        return pc.cast(words, kind)
    except pa.ArrowInvalid:
        return None


@dataclass(frozen=True)
class Tidied:
    """Cells without stray spaces and words for "missing", and in which rows these were."""

    cells: Cells
    spaced: Mask
    hidden: Mask
    blanked: Mask


def tidy(cells: Cells, *, literal: tuple[str, ...] = (), na_is_text: bool = False) -> Tidied:
    """Trim, mend odd spaces, drop invisible characters, and turn the words for "missing" into missing.

    `literal` are words that are values here. `na_is_text` keeps a bare "NA", which may be North America.
    """
    words = cells.words
    if not len(words):
        none = np.zeros(len(cells), dtype=bool)
        return Tidied(cells, none, none, none)
    invisible, spaced, trimmed = _trimmed(words)
    known = MISSING if na_is_text else MISSING | {AMBIGUOUS_MISSING}
    known = known - {word.casefold() for word in literal}
    cases = {case for word in known for case in (word, word.upper(), word.title(), word.capitalize())}
    gone = _true(pc.is_in(trimmed, value_set=pa.array(sorted(cases), pa.string())))
    said = gone & _true(pc.greater(pc.binary_length(trimmed), 0))
    marks = [
        cells.rows_of(mask) if mask.any() else np.zeros(len(cells), dtype=bool)
        for mask in (spaced & ~gone, invisible, said)
    ]
    clean = cells
    if spaced.any() or invisible.any() or gone.any():
        clean = cells.replace(pc.if_else(pa.array(gone), pa.scalar(None, pa.string()), trimmed))
    return Tidied(clean, *marks)


def _trimmed(words: Any) -> tuple[Mask, Mask, Any]:
    """Which words had invisible characters, which had odd or stray spaces, and all of them mended."""
    if _true(pc.string_is_ascii(words)).all():
        hidden = _true(pc.match_substring(words, "\x00"))
        if hidden.any():
            words = pc.replace_substring(words, "\x00", "")
        trimmed = pc.ascii_trim_whitespace(words)
        return hidden, _true(pc.not_equal(trimmed, words)), trimmed
    invisible, odd = hits(words, _INVISIBLE), hits(words, _SPACES)
    if invisible.any():
        words = pc.replace_substring_regex(words, _INVISIBLE, "")
    if odd.any():
        words = pc.replace_substring_regex(words, _SPACES, " ")
    trimmed = pc.utf8_trim_whitespace(words)
    return invisible, odd | _true(pc.not_equal(trimmed, words)), trimmed


def _true(mask: Any) -> Mask:
    return np.asarray(mask.to_numpy(zero_copy_only=False), dtype=bool)
