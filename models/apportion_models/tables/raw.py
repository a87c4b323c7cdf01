"""A table as its source has it: columns by their own names, with the source's row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from apportion_models.tables.cells import Cells, Codes, from_arrow, from_list, tidy
from apportion_models.tables.notes import Mask, Notes, Rows

Values = Cells | pd.Series
"""Text as `Cells`; numbers, flags and times that the source typed itself as a pandas Series with a RangeIndex."""


@dataclass(frozen=True)
class Raw:
    """`rows` (n,): the source's data rows, from 1. `comma_separated`: of a file with commas between columns."""

    rows: Rows
    columns: dict[str, Values]
    comma_separated: bool = False
    folder: Path | None = None

    def keep(self, mask: Mask) -> Raw:
        """Only the rows where `mask` (n,) is true."""
        if mask.all():
            return self
        positions = np.flatnonzero(mask)
        return self.with_columns(
            {name: take(values, positions) for name, values in self.columns.items()}, self.rows[mask]
        )

    def with_columns(self, columns: dict[str, Values], rows: Rows | None = None) -> Raw:
        """The same source with other columns."""
        return Raw(self.rows if rows is None else rows, columns, self.comma_separated, self.folder)


def take(values: Values, positions: Codes) -> Values:
    """The values at these positions; for text, -1 is missing."""
    if isinstance(values, Cells):
        return values.take(positions).drop_unused()
    if (positions < 0).any():
        return as_cells(values).take(positions)
    return values.iloc[positions].reset_index(drop=True)


def as_cells(values: Values) -> Cells:
    """Text of any values: whole floats without `.0`, times as ISO."""
    if isinstance(values, Cells):
        return values
    return from_list([text_of(value) for value in values.tolist()])


def text_of(value: Any) -> str | None:
    """The text that a typed value would have in a file; None when missing."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float):
        if np.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(float(value))
    if isinstance(value, (list, tuple, np.ndarray, set, frozenset)):
        items = sorted(value) if isinstance(value, (set, frozenset)) else list(value)
        return ";".join(text for text in map(text_of, items) if text is not None)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def from_frame(frame: pd.DataFrame, notes: Notes, *, folder: Path | None = None) -> Raw:
    """A DataFrame's columns; whatever has no type of its own becomes text."""
    columns = [_typed(frame.iloc[:, at].reset_index(drop=True)) for at in range(frame.shape[1])]
    rows = np.arange(1, len(frame) + 1, dtype=np.int64)
    return Raw(rows, named([str(name) for name in frame.columns], columns, rows, notes), folder=folder)


def _typed(values: pd.Series[Any]) -> Values:
    kind = values.dtype.kind
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _typed(pd.Series(values.astype(values.cat.categories.dtype)))
    if kind == "b" and not values.isna().any():
        return values.astype(bool)
    if kind in "iu" and not values.isna().any():
        return values.astype("int64" if kind == "i" else "uint64")
    if kind in "fiu":
        return values.astype("float64")
    if kind == "M":
        return values if isinstance(values.dtype, pd.DatetimeTZDtype) else pd.Series(values.astype("datetime64[us]"))
    if isinstance(values.dtype, pd.StringDtype):
        return from_arrow(pa.array(values, from_pandas=True))
    if pd.api.types.infer_dtype(values, skipna=True) == "string":
        return from_arrow(pa.array(values.to_numpy(dtype=object), pa.string(), from_pandas=True))
    return from_list([text_of(value) for value in values.astype(object).tolist()])


def named(names: Sequence[str], columns: Sequence[Values], rows: Rows, notes: Notes) -> dict[str, Values]:
    """Columns by their tidied names. A name that stands twice is mended if the columns agree, else refused."""
    out: dict[str, Values] = {}
    for at, (given, values) in enumerate(zip(names, columns, strict=True), 1):
        name = " ".join(given.replace("\ufeff", "").replace("\x00", "").split())
        if not name:
            if not tidy(as_cells(values)).cells.missing.all():
                notes.add("notice", f"column {at} has no name and is not read")
        elif name not in out:
            out[name] = values
        else:
            _twice(name, out[name], values, rows, notes)
    return out


def _twice(name: str, one: Values, two: Values, rows: Rows, notes: Notes) -> None:
    first, second = as_cells(one).to_series(), as_cells(two).to_series()
    differs = ((first != second) & ~(first.isna() & second.isna())).to_numpy(dtype=bool)
    if not differs.any():
        notes.add("repair", "the column stands twice with the same values; read once", column=name)
        return
    at = int(differs.argmax())
    notes.where(
        "error",
        f"the header names two columns so, with different values: {first[at]!r} and {second[at]!r}",
        differs,
        rows,
        column=name,
        remedy="Rename or remove one of them.",
    )
