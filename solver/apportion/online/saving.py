"""A router's state as JSON and arrays, in two files; nothing is pickled, a damaged file is refused."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.connectors.files import json_bytes, write_files
from apportion_models.errors import Finding, InputError
from apportion_models.packed import packed

FORMAT = "apportion-online-router"
VERSION = 1
DOCUMENT = "router.json"

Arrays = dict[str, NDArray[Any]]


def write_state(folder: Path, document: Mapping[str, Any], arrays: Arrays) -> Path:
    """Write both files; the document, which names the other by its hash, is put in place last."""
    content = packed(arrays)
    digest = hashlib.sha256(content).hexdigest()
    name = f"arrays-{digest[:12]}.npz"
    whole = {"format": FORMAT, "version": VERSION, "arrays": {"name": name, "sha256": digest}, **document}
    write_files(folder, {name: content, DOCUMENT: json_bytes(whole)})
    for old in folder.glob("arrays-*.npz"):
        if old.name != name:
            old.unlink()
    return folder


def read_state(folder: Path) -> tuple[dict[str, Any], Arrays]:
    """Read both files. Raises InputError, naming the file, where one is missing, damaged or not ours."""
    path = folder / DOCUMENT
    try:
        document = json.loads(_read(path))
    except ValueError as error:
        raise refuse(f"{path} must be JSON ({error}).") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise refuse(f"{path} must be a saved router; it is not.")
    if document.get("version") != VERSION:
        raise refuse(f"{path} must be of version {VERSION}.", document.get("version"))
    entry = document.get("arrays")
    name = str(entry.get("name")) if isinstance(entry, dict) else ""
    if not isinstance(entry, dict) or Path(name).name != name or not name:
        raise refuse(f"{path} must name a file of arrays in its own folder.", name)
    content = _read(folder / name)
    if hashlib.sha256(content).hexdigest() != entry.get("sha256"):
        raise refuse(f"{folder / name} was changed or damaged after it was saved.")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {key: np.ascontiguousarray(archive[key]) for key in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise refuse(f"{folder / name} cannot be read ({error}).") from None
    return document, arrays


def refuse(message: str, value: Any = None) -> InputError:
    """A state that cannot be used."""
    remedy = "Give a folder that `Router.save` wrote, or make the router anew."
    return InputError(Finding(severity="error", table="router state", message=message, value=value, remedy=remedy))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise refuse(f"{path} cannot be read ({error.strerror or error}).") from None
