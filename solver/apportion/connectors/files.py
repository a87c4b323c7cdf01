"""Results as files. A killed run leaves each file as it was, or whole.

The last file named is the sign that all are there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from apportion.connectors.formulas import harmless
from apportion_models.errors import InputError

STAGING, STALE = ".writing-", 86_400.0  # where files are written first; seconds after which it is a dead run's
MOST_WHOLE = 2.0**53  # beyond it a float skips whole numbers


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write the files into the folder (made if it is not there), in their order. Gives their paths.

    All are written beside their places first, and flushed to disk; only then each takes its place, and the folder is
    flushed too. Raises InputError where the folder cannot be written; then nothing has changed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        with tempfile.TemporaryDirectory(prefix=STAGING, dir=folder) as staging:
            for name, content in files.items():
                _flushed(Path(staging) / name, content)
            for name in files:
                (Path(staging) / name).replace(folder / name)
            _flush_names(folder)
    except OSError as error:
        raise InputError(
            f"The output folder {folder} must be writable: {error.strerror}. Nothing was changed."
        ) from None
    return [folder / name for name in files]


def check_folder(folder: Path) -> None:
    """Raise InputError where `folder` cannot be written or made: to know it before the work, not after."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise InputError(f"The output folder {folder} must be writable: {there} is no folder. Nothing was changed.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"The output folder {folder} must be writable: {there} is not. Nothing was changed.")


def _flushed(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_names(folder: Path) -> None:
    """Let new names survive a loss of power, where the file system can say so of a folder."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sweep(folder: Path) -> None:
    """Take away what killed runs left: it holds cells, and nobody would."""
    for left in folder.glob(f"{STAGING}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE:
                shutil.rmtree(left)


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """UTF-8 JSON, indented, without NaN; equal documents give equal bytes."""
    return (json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def csv_bytes(table: pd.DataFrame, *, for_people: bool = True) -> bytes:
    """UTF-8 CSV with \\n line ends; lists joined by ;, times in UTC, missing cells empty, 369 and not 369.0 in a column
    of whole numbers; what a spreadsheet would take for a formula is made harmless, and `as_was` undoes it.

    for_people : False for bytes that are never a file, such as those of a fingerprint; formulas stay.
    """
    shown = table.copy()
    for column in shown.columns:
        if isinstance(shown[column].dtype, pd.DatetimeTZDtype):
            shown[column] = shown[column].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif _is_whole(shown[column]):
            shown[column] = shown[column].astype("Int64")
        elif shown[column].map(lambda cell: isinstance(cell, tuple)).any():
            shown[column] = shown[column].map(
                lambda cell: ";".join(map(str, cell)) if isinstance(cell, tuple) else cell
            )
    shown = harmless(shown) if for_people else shown
    return str(shown.to_csv(index=False, lineterminator="\n")).encode()


def _is_whole(column: pd.Series[Any]) -> bool:
    """Whether a column of floats holds nothing but whole numbers that a float tells apart."""
    if not pd.api.types.is_float_dtype(column.dtype):
        return False
    numbers = column.dropna().to_numpy(dtype=float)
    return bool(len(numbers) and (np.abs(numbers) < MOST_WHOLE).all() and (numbers == np.floor(numbers)).all())
