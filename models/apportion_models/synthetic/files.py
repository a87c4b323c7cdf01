"""Tables as CSV files that are the same bytes on every run: fixed formats, `\\n` line ends, UTC times with Z."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

DECIMALS = {"effort": 1, "engagement": 1, "capacity": 1, "response_rate": 2}  # other numbers are whole


def csv_bytes(table: pd.DataFrame) -> bytes:
    """The table as UTF-8 CSV: lists with `;` between them, flags as true and false, missing values empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(zip(*(_words(table[name]) for name in table), strict=True))
    return text.getvalue().encode()


def write_tables(tables: Mapping[str, pd.DataFrame], out: Path) -> list[Path]:
    """Write each table to `out/<name>.csv`; a file is replaced whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in tables.items():
        path = out / f"{name}.csv"
        draft = path.with_suffix(".csv.part")
        draft.write_bytes(csv_bytes(table))
        draft.replace(path)
        written.append(path)
    return written


def _words(column: pd.Series) -> list[str]:
    """A column as it stands in the file."""
    missing = column.isna().to_numpy()
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        stamps = pd.DatetimeIndex(column).tz_convert("UTC").tz_localize(None).to_numpy()
        words = [f"{stamp}Z" for stamp in np.datetime_as_string(stamps, unit="s")]
    elif pd.api.types.is_bool_dtype(column):
        words = ["true" if value else "false" for value in column]
    elif pd.api.types.is_numeric_dtype(column):
        decimals = DECIMALS.get(str(column.name), 0)
        words = [f"{value:.{decimals}f}" for value in column.tolist()]
    else:
        words = [";".join(value) if isinstance(value, tuple) else str(value) for value in column]
    return ["" if absent else word for word, absent in zip(words, missing, strict=True)]
