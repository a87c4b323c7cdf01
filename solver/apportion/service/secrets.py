"""Where a secret stands: in the environment or in a file, named by the text in its place."""

from __future__ import annotations

import os
from pathlib import Path

from apportion_models.errors import UsageError


def read_secret(text: str, *, must: bool = False) -> str:
    """`env:NAME` or `file:PATH` stands for what is there; any other text for itself, unless `must`.

    Raises UsageError, which names the place and never what is in it.
    """
    kind, _, place = text.partition(":")
    if kind == "env":
        found = os.environ.get(place, "")
        if not found:
            raise UsageError(f"The environment must have {place}.")
        return found
    if kind == "file" and not place.startswith("//"):
        return _content(Path(place))
    if must:
        raise UsageError("A secret must be env:NAME or file:PATH: it must not stand in the file of sinks itself.")
    return text


def _content(file: Path) -> str:
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"The file {file} must be readable text.") from None
    if not found:
        raise UsageError(f"The file {file} must hold a secret; it is empty.")
    return found
