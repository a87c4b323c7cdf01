"""A folder into which messages are dropped, each as one file of its own: CSV or Parquet."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from apportion.connectors.contract import GiveUpError, Message, Receipt, RetryLaterError, check_key
from apportion.connectors.files import csv_bytes, write_files
from apportion_models.errors import InputError


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """Parquet; equal tables give equal bytes under the same version of Arrow. A column of mixed kinds becomes text."""
    shown = table.copy()
    for column in shown.columns:
        kinds = {type(cell) for cell in shown[column] if cell is not None}
        if len(kinds - {int, float}) > 1 or (kinds & {int, float} and kinds - {int, float}):
            shown[column] = shown[column].map(lambda cell: None if cell is None else str(cell))
    out = io.BytesIO()
    shown.to_parquet(out, index=False)
    return out.getvalue()


WRITERS: dict[str, Callable[[pd.DataFrame], bytes]] = {"csv": csv_bytes, "parquet": parquet_bytes}


@dataclass(frozen=True, kw_only=True)
class FileDrop:
    """Writes `<key>.csv` or `<key>.parquet`, whole or not at all: who watches the folder never sees half a file.

    The same message again leaves the file as it is; another message under its key is given up.
    """

    folder: Path
    form: Literal["csv", "parquet"] = "csv"

    def deliver(self, message: Message, *, key: str) -> Receipt:
        """Write the message's rows. A folder that cannot be written, or a full disk, is to be tried again."""
        check_key(key)
        name = f"{key}.{self.form}"
        content = WRITERS[self.form](message.frame())
        try:
            there = self._there(name)
            if there is None:
                write_files(self.folder, {name: content})
        except (OSError, InputError):
            raise RetryLaterError(f"The folder {self.folder} cannot be written now.") from None
        if there is not None and there != content:
            raise GiveUpError(f"{name} is there already, with other content: a key stands for one message.")
        return Receipt(key=key, where=str(self.folder / name), again=there is not None)

    def _there(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
