"""Where a table comes from: a file, a database, a DataFrame."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from apportion_models.errors import UsageError
from apportion_models.tables.delimited import read_delimited
from apportion_models.tables.mapping import Mapping
from apportion_models.tables.notes import Notes
from apportion_models.tables.raw import Raw, from_frame
from apportion_models.tables.sql import is_url, read_sql

Source = str | os.PathLike[str] | pd.DataFrame
TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
PARQUET = (".parquet", ".pq")


def open_source(source: Source | None, file: str | None, mapping: Mapping | None, notes: Notes) -> Raw:
    """The raw table. `file` is the mapping's, for a source that is None or a folder."""
    if isinstance(source, pd.DataFrame):
        return from_frame(source, notes)
    if source is not None and is_url(text := os.fspath(source)):
        return from_frame(read_sql(text, notes), notes)
    path = None if source is None else Path(source)
    if path is None or path.is_dir():
        if file is None and path is not None:
            notes.add("error", f"{path} is a folder", remedy=f"Name the file in it, or map `{notes.table}.file`.")
            return Raw(np.zeros(0, dtype=np.int64), {}, folder=path)
        if file is None:
            raise UsageError(f"no file is named for {notes.table}: give one, or the mapping key `{notes.table}.file`")
        if is_url(file):
            return from_frame(read_sql(file, notes), notes)
        path = beside(file, mapping.folder if mapping else None, path)
    return read_file(path, notes)


def beside(file: str, *folders: Path | None) -> Path:
    """The file in the first of these folders that has it."""
    candidates = [folder / file for folder in folders if folder is not None] or [Path(file)]
    return next((path for path in candidates if path.is_file()), candidates[0])


def read_file(path: Path, notes: Notes) -> Raw:
    """A delimited or Parquet file. What cannot be read is noted as an error."""
    empty = Raw(np.zeros(0, dtype=np.int64), {}, folder=path.parent)
    name = path.name.lower()
    if not path.exists():
        notes.add("error", f"there is no file {path}", remedy="Give the path of an existing file.")
        return empty
    try:
        if name.endswith(PARQUET):
            return from_frame(_parquet(path), notes, folder=path.parent)
        if name.endswith(TEXT):
            data = path.read_bytes()
            return read_delimited(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, notes, folder=path.parent)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        notes.add("error", f"{path} is damaged: it cannot be decompressed", remedy="Export or copy it again.")
        return empty
    except _DamagedError:
        notes.add("error", f"{path} is no Parquet file, or a damaged one", remedy="Export or copy it again.")
        return empty
    except OSError as error:
        notes.add(
            "error", f"{path} cannot be read: {error.strerror or error}", remedy="Check the file and its permissions."
        )
        return empty
    known = ", ".join((*TEXT, *PARQUET))
    remedy = "Save the sheet as CSV." if name.endswith((".xlsx", ".xls", ".ods")) else "Export it as one of these."
    notes.add("error", f"{path} must be one of {known}", remedy=remedy)
    return empty


class _DamagedError(Exception):
    """A Parquet file that Arrow cannot open."""


def _parquet(path: Path) -> pd.DataFrame:
    try:
        table = parquet.read_table(path)
    except pa.ArrowInvalid:
        raise _DamagedError from None
    return pd.DataFrame(table.to_pandas())
