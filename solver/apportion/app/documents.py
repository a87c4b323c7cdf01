"""JSON documents that a command of ours wrote, read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from apportion_models.errors import InputError


def read_document(path: Path, *, command: str) -> dict[str, Any]:
    """The JSON object in the file. Raises InputError, naming the command that writes it, where there is none."""
    wrote = f"as `apportion {command}` wrote it"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} must be there, {wrote}: {error.strerror}.") from None
    except ValueError as error:
        raise InputError(f"{path} must be JSON, {wrote}: {error}.") from None
    if not isinstance(document, dict):
        raise InputError(f"{path} must be a JSON object, {wrote}.")
    return document
