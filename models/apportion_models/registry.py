"""Saved models: arrays and JSON with their hashes. Nothing is ever unpickled; a damaged or foreign file is refused.

A model folder holds `manifest.json`, which names the two other files and their sha256; `model-<hash>.json`,
`arrays-<hash>.npz`; and `card.md` for people. The manifest is replaced last and in one step, so that a save that is
killed leaves the old model whole. The same model gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion_models.deal_value import DealValue
from apportion_models.errors import Finding, ModelError
from apportion_models.features.leads import LeadEncoder
from apportion_models.features.protected import check_override
from apportion_models.features.reps import RepEncoder
from apportion_models.fit.boosted import BoostedLead
from apportion_models.fit.card import card_markdown
from apportion_models.fit.doubt import Doubt
from apportion_models.fit.levels import LEVELS
from apportion_models.fit.model import FitModel
from apportion_models.fit.scorer import Scorer
from apportion_models.fit.waiting import Waiting
from apportion_models.packed import packed
from apportion_models.validation.evidence import Evidence

FORMAT = "apportion-fit-model"
VERSION = 3
MANIFEST = "manifest.json"
CARD = "card.md"
TREES, VALUE, FULL, DOUBT = "trees_", "deal_value_", "full_", "doubt_"  # begin the names of arrays
LARGEST_FILE = 4 * 1024**3

Arrays = dict[str, NDArray[np.float64]]


def save_model(model: FitModel, folder: str | os.PathLike[str]) -> Path:
    """Write a fitted model to `folder` (made if absent) and give the folder back. Raises OSError where it cannot."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    state, arrays = _state(model)
    numbers = packed({name: values.astype("<f8") for name, values in arrays.items()})
    contents = {"model": (_json(state), ".json"), "arrays": (numbers, ".npz")}
    files = {}
    for part, (content, suffix) in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        name = f"{part}-{digest[:12]}{suffix}"
        _write(target / name, content)
        files[part] = {"name": name, "sha256": digest, "bytes": len(content)}
    _write(target / MANIFEST, _json({"format": FORMAT, "version": VERSION, "files": files}))
    _write(target / CARD, card_markdown(model.card_).encode())
    kept = {str(entry["name"]) for entry in files.values()}
    for old in [*target.glob("model-*.json"), *target.glob("arrays-*.npz")]:
        if old.name not in kept:
            old.unlink()
    return target


def load_model(folder: str | os.PathLike[str]) -> FitModel:
    """The model saved in `folder`. Raises ModelError, naming the file, when it is missing, damaged or not ours."""
    source = Path(folder)
    manifest = _read_json(source / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _refuse(source / MANIFEST, "this is not a saved fit model.", "Give a folder that `save_model` wrote.")
    if manifest.get("version") != VERSION:
        message = f"the model's format must be version {VERSION}."
        raise _refuse(source / MANIFEST, message, "Fit and save it again.", manifest.get("version"))
    model_path, content = _verified(source, manifest, "model")
    arrays_path, packed = _verified(source, manifest, "arrays")
    arrays = _unpack(arrays_path, packed)
    try:
        return _restore(json.loads(content), arrays)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise _refuse(model_path, f"the model cannot be put together ({error}).", "Fit and save it again.") from error


def _state(model: FitModel) -> tuple[dict[str, Any], Arrays]:
    scorer = model.scorer_
    value_state, value_arrays = model.deal_value_.state()
    allowed = None if model.override is None else check_override(model.override)
    parameters = {**model.get_params(), "override": allowed}
    for name in ("columns", "rep_columns", "protected"):
        parameters[name] = None if parameters[name] is None else list(parameters[name])
    state = {
        "parameters": parameters,
        "level": model.level_,
        "scorer": _scorer_state(scorer),
        "full_scorer": _scorer_state(model.doubt_.scorer),
        "deal_value": value_state,
        "evidence": model.evidence_.state(),
        "findings": [_finding_state(finding) for finding in model.findings_],
        "card": model.card_,
    }
    arrays = _scorer_arrays(scorer)
    arrays |= _prefixed(_scorer_arrays(model.doubt_.scorer), FULL)
    arrays |= _prefixed(model.doubt_.arrays(), DOUBT)
    return state, {**arrays, **_prefixed(value_arrays, VALUE)}


def _scorer_state(scorer: Scorer) -> dict[str, Any]:
    return {
        "level": scorer.level,
        "leads": scorer.leads.state(),
        "reps": scorer.reps.state(),
        "rep_ids": list(scorer.rep_ids),
        "variances": dict(scorer.variances),
        "unseen": scorer.unseen,
        "boosted": None if scorer.boosted is None else scorer.boosted.state()[0],
        "waiting": None if scorer.waiting is None else scorer.waiting.state(),
    }


def _scorer_arrays(scorer: Scorer) -> Arrays:
    trees = {} if scorer.boosted is None else scorer.boosted.state()[1]
    own = {"beta": scorer.beta, "b": scorer.b, "spread": scorer.spread, "given": scorer.given}
    return own | _prefixed(trees, TREES)


def _scorer(part: Mapping[str, Any], arrays: Arrays) -> Scorer:
    """The scorer that its state and arrays describe. Raises ValueError where they do not belong together."""
    scorer = Scorer(
        level=str(part["level"]),
        leads=LeadEncoder.from_state(part["leads"]),
        reps=RepEncoder.from_state(part["reps"]),
        rep_ids=tuple(part["rep_ids"]),
        beta=arrays["beta"],
        b=arrays["b"],
        spread=arrays["spread"],
        given=arrays["given"],
        unseen=float(part["unseen"]),
        boosted=None if part["boosted"] is None else BoostedLead.from_state(part["boosted"], _named(arrays, TREES)),
        waiting=None if part["waiting"] is None else Waiting(**part["waiting"]),
        variances=dict(part["variances"]),
    )
    if scorer.level not in LEVELS:
        raise ValueError(f"unknown level {scorer.level!r}")
    scorer.check_shapes()
    return scorer


def _restore(state: Mapping[str, Any], arrays: Arrays) -> FitModel:
    model = FitModel(**state["parameters"])
    model.scorer_ = _scorer(state["scorer"], arrays)
    model.doubt_ = Doubt.from_arrays(_scorer(state["full_scorer"], _named(arrays, FULL)), _named(arrays, DOUBT))
    model.level_ = str(state["level"])
    model.deal_value_ = DealValue.from_state(state["deal_value"], _named(arrays, VALUE))
    model.evidence_ = Evidence.from_state(state["evidence"])
    model.findings_ = tuple(Finding(**finding) for finding in state["findings"])
    model.card_ = dict(state["card"])
    return model


def _named(arrays: Arrays, prefix: str) -> Arrays:
    """The arrays whose name starts so, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _prefixed(arrays: Mapping[str, NDArray[np.float64]], prefix: str) -> Arrays:
    return {f"{prefix}{name}": array for name, array in arrays.items()}


def _finding_state(finding: Finding) -> dict[str, Any]:
    plain = asdict(finding)
    if not isinstance(plain["value"], str | int | bool | None):
        plain["value"] = str(plain["value"])
    return plain


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=False, allow_nan=False, ensure_ascii=False) + "\n").encode()


def _unpack(path: Path, content: bytes) -> Arrays:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: np.asarray(archive[name], dtype=np.float64) for name in archive.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise _refuse(path, f"the arrays cannot be read ({error}).", "Fit and save the model again.") from error


def _verified(source: Path, manifest: Mapping[str, Any], part: str) -> tuple[Path, bytes]:
    """The file that the manifest names, with its hash checked."""
    try:
        entry = manifest["files"][part]
        name, digest = str(entry["name"]), str(entry["sha256"])
    except (KeyError, TypeError) as error:
        raise _refuse(source / MANIFEST, f"it names no '{part}' file.", "Fit and save the model again.") from error
    if Path(name).name != name:
        raise _refuse(source / MANIFEST, "it must name files of its own folder only.", "Do not use it.", name)
    content = _read(source / name)
    if hashlib.sha256(content).hexdigest() != digest:
        raise _refuse(source / name, "the file was changed or damaged after it was saved.", "Fit and save it again.")
    return source / name, content


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise _refuse(path, "the file is larger than any model.", "Give a folder that `save_model` wrote.")
        return path.read_bytes()
    except OSError as error:
        message = f"the file cannot be read ({error.strerror or error})."
        raise _refuse(path, message, "Give a folder that `save_model` wrote.") from error


def _read_json(path: Path) -> Any:
    content = _read(path)
    try:
        return json.loads(content)
    except ValueError as error:
        raise _refuse(path, f"the file is not JSON ({error}).", "Fit and save the model again.") from error


def _refuse(path: Path, message: str, remedy: str, value: Any = None) -> ModelError:
    return ModelError(
        Finding(severity="error", table=f"model file {path}", message=message, remedy=remedy, value=value)
    )


def _write(path: Path, content: bytes) -> None:
    """Write beside the place, then put it there in one step."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
