"""The sources that are built in: a file, a folder's file, or a table or query of a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from apportion.connectors.contract import Source
from apportion_models.errors import Finding, InputError, TableError
from apportion_models.tables.cells import Cells
from apportion_models.tables.notes import Notes
from apportion_models.tables.sources import open_source


@dataclass(frozen=True)
class Locations:
    """Where each table lies: a path (.csv, .tsv, .txt, also .gz; .parquet), or a database URL and `#table` or `#query`.

    The text of a URL may hold a password and is in no repr.
    """

    places: Mapping[str, str | Path] = field(repr=False)

    def read(self, table: str) -> pd.DataFrame:
        """The table as it stands in its source; cells of text files as text, missing ones as NaN."""
        if table not in self.places:
            message = "must have a place to be read from; it has none."
            raise TableError(Finding(severity="error", table=table, message=message, remedy="Name its file or URL."))
        findings: list[Finding] = []
        notes = Notes(table)
        place = self.places[table]
        raw = open_source(place if isinstance(place, str) else str(place), None, None, notes)
        notes.settle(findings)
        columns = {
            name: cells.to_series() if isinstance(cells, Cells) else cells for name, cells in raw.columns.items()
        }
        return pd.DataFrame(columns).reset_index(drop=True)


def read_all(source: Source, tables: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Every one of these tables from a source; InputError with the faults of all of them."""
    frames: dict[str, pd.DataFrame] = {}
    faults: list[Finding] = []
    for table in tables:
        try:
            frames[table] = source.read(table)
        except InputError as error:
            faults += error.findings
    if faults:
        raise InputError(faults)
    return frames
