"""Fingerprints: the same cells, the same print, in whatever order of rows and columns, and however they are quoted."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from pathlib import Path

import pandas as pd

from apportion.connectors import as_was, csv_bytes
from apportion_models import FitModel, save_model


def table_print(table: pd.DataFrame) -> str:
    """SHA-256 of a table's cells as they stand in a CSV file."""
    return cells_print(_cells(io.BytesIO(csv_bytes(table, for_people=False))))


def read_cells(source: Path) -> pd.DataFrame:
    """A CSV file that we wrote, every cell as its text, as it was. Raises OSError and ValueError."""
    return as_was(_cells(source))


def _cells(source: Path | io.BytesIO) -> pd.DataFrame:
    return pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def cells_print(cells: pd.DataFrame) -> str:
    """SHA-256 of a table of texts."""
    ordered = cells[sorted(cells.columns)]
    canonical = [list(ordered.columns), *sorted(ordered.to_numpy(dtype=object).tolist())]
    return hashlib.sha256(json.dumps(canonical, ensure_ascii=False).encode()).hexdigest()


def model_print(model: FitModel) -> str:
    """SHA-256 of what would be saved of a model: equal for a model and its saved copy."""
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, folder)
        return hashlib.sha256((Path(folder) / "manifest.json").read_bytes()).hexdigest()
