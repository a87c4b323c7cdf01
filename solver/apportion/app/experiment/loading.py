"""From an experiment file to an `Experiment` and the bytes of its policies; every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from apportion.app.experiment.spec import Arm, Experiment
from apportion.policy import load_policy
from apportion.policy.yaml_reader import MAX_BYTES, read_yaml
from apportion_models.errors import Finding, InputError, PolicyError

DEFAULT_POLICY = b"version: 1\n"


@dataclass(frozen=True)
class Loaded:
    """An experiment and, arm by arm, the policy's bytes as they were read."""

    experiment: Experiment
    policies: tuple[bytes, ...]


def load_experiment(path: Path) -> Loaded:
    """Read and check an experiment file and the policies that it names. Raises InputError with every fault."""
    text = read_bytes(path, "The experiment file").decode("utf-8-sig", errors="replace")
    try:
        content, lines = read_yaml(text, source=path.name)
    except PolicyError as error:  # the reader of YAML speaks of the policies that it mostly reads
        raise InputError([_of_experiment(finding) for finding in error.findings]) from None
    try:
        experiment = Experiment.model_validate(content)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise InputError([_finding(dict(fault), lines, path.name) for fault in faults]) from None
    policies, broken = [], []
    for arm in experiment.arms:
        try:
            policies.append(_policy(path.parent, arm))
        except InputError as error:
            broken += list(error.findings)
    if broken:
        raise InputError(broken)
    return Loaded(experiment, tuple(policies))


def read_bytes(path: Path, what: str) -> bytes:
    """The file's bytes; InputError where it cannot be read or is far too large."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"{what} cannot be read: {error.strerror or error}."
    raise InputError(Finding(severity="error", table=path.name, message=message, remedy="Name a file that is there."))


def _policy(folder: Path, arm: Arm) -> bytes:
    if arm.policy is None:
        return DEFAULT_POLICY
    path = folder / arm.policy
    content = read_bytes(path, f"The policy of arm {arm.name}")
    load_policy(path)
    return content


def _of_experiment(finding: Finding) -> Finding:
    message = finding.message.replace("A policy must be a mapping of sections", "An experiment must be a mapping")
    return Finding(**{**finding.__dict__, "message": message})


def _finding(fault: dict[str, Any], lines: Mapping[str, int], source: str) -> Finding:
    path = ""
    for part in fault["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    row = next((lines[known] for known in _shorter(path) if known in lines), 1 if lines else None)
    value = fault["input"]
    if fault["type"] == "missing" or isinstance(value, (Mapping, list, tuple)):
        value = None
    message = str(fault.get("ctx", {}).get("error", "")) if fault["type"] == "value_error" else str(fault["msg"])
    if fault["type"] == "extra_forbidden":
        message = "is not a key here"
    if fault["type"] == "missing":
        message = "must be given"
    message = message.replace("Input should be", "must be")
    remedy = "See `apportion experiment schema`."
    return Finding(
        severity="error", table=source, row=row, column=path or None, value=value, message=message, remedy=remedy
    )


def _shorter(path: str) -> list[str]:
    """The key path, then those above it."""
    paths = [path]
    while path:
        cut = max(path.rfind("."), path.rfind("["))
        path = path[:cut] if cut > 0 else ""
        paths.append(path)
    return paths
