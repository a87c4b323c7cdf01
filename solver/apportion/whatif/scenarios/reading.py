"""From a file, a text or a mapping to a `Scenario`; every fault with file, key, line, value and remedy, all at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from apportion.policy.yaml_reader import MAX_BYTES, read_yaml
from apportion.whatif.scenarios.schema import Scenario
from apportion_models.errors import Finding, InputError, PolicyError

KINDS = {"dict_type": "a mapping", "model_type": "a mapping", "model_attributes_type": "a mapping"} | {
    "tuple_type": "a list",
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "text",
    "missing": "given",
}


def load_scenario(source: Path | str | Mapping[str, Any]) -> Scenario:
    """Read and check a scenario. A text with a line break or `: ` is YAML, any other text a path.

    Raises InputError: each finding has the file as `table`, the key path as `column`, the line as `row`.
    """
    if isinstance(source, Mapping):
        return _checked(dict(source), {}, "scenario", "")
    if isinstance(source, str) and ("\n" in source or ": " in source):
        return _checked(*_read(source, "scenario"), "scenario", "")
    path = Path(source)
    content, lines = _read(_text(path), path.name)
    return _checked(content, lines, path.name, str(path.parent))


def load_scenarios(sources: Iterable[Path | str | Mapping[str, Any] | Scenario]) -> tuple[Scenario, ...]:
    """Read many; the faults of all are told together, and two of one name are refused."""
    found: list[Scenario] = []
    faults: list[Finding] = []
    for source in sources:
        try:
            found.append(source if isinstance(source, Scenario) else load_scenario(source))
        except InputError as error:
            faults += error.findings
    first: dict[str, Scenario] = {}
    for one in found:
        other = first.setdefault(one.name, one)
        if other is not one:
            faults.append(one.fault("name", f"must be a name of its own; {other.source} has it too", value=one.name))
    if faults:
        raise InputError(faults)
    return tuple(found)


def scenario_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the scenario file, for editors that complete and check it."""
    schema = Scenario.model_json_schema(schema_generator=GenerateJsonSchema, by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Apportion scenario"}


def _read(text: str, source: str) -> tuple[dict[str, Any], dict[str, int]]:
    """As policies are read; a file that is no mapping is told of as a scenario."""
    try:
        return read_yaml(text, source=source)
    except PolicyError as error:
        told = ("A policy must be a mapping of sections", "A scenario must be a mapping of sections.")
        remedy = ("Begin with version: 1.", "Begin with name: and what it is called.")
        raise InputError(
            replace(one, message=one.message.replace(*told), remedy=one.remedy.replace(*remedy))
            for one in error.findings
        ) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        message = f"The scenario file cannot be read: {error.strerror or error}."
    except UnicodeDecodeError as error:
        message = f"The scenario file must be UTF-8 text, and is not at byte {error.start}."
    raise InputError(Finding(severity="error", table=path.name, message=message, remedy="Name a YAML file."))


def _checked(content: dict[str, Any], lines: dict[str, int], source: str, folder: str) -> Scenario:
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise InputError([_finding(dict(fault), lines, source) for fault in faults]) from None
    scenario._lines, scenario._folder = lines, folder
    scenario._source = f"scenario {scenario.name}" if source == "scenario" else source
    return scenario


def _finding(fault: dict[str, Any], lines: dict[str, int], source: str) -> Finding:
    loc = fault["loc"]
    path = ""
    for part in loc:
        path = f"{path}[{part}]" if isinstance(part, int) else f"{path}.{part}" if path else str(part)
    near = path
    while near and near not in lines:
        cut = max(near.rfind("."), near.rfind("["))
        near = near[:cut] if cut > 0 else ""
    kind, value = fault["type"], fault["input"]
    if kind == "value_error":
        message, remedy = str(fault["ctx"]["error"]), ""
    elif kind == "extra_forbidden":
        keys = _keys_above(loc)
        close = difflib.get_close_matches(str(loc[-1]), keys, n=1)
        message = "is not a key here"
        remedy = f"Did you mean {close[0]}?" if close else f"Known are: {', '.join(keys)}."
    elif kind in KINDS:
        message, remedy = f"must be {KINDS[kind]}", ""
    else:
        message, remedy = str(fault["msg"]).replace("Input should be", "must be"), ""
    if kind in ("missing", "value_error") or isinstance(value, (Mapping, list, tuple)):
        value = None
    return Finding(
        severity="error",
        table=source,
        row=lines.get(near),
        column=path or None,
        message=message if message.endswith(".") else f"{message}.",
        value=value,
        remedy=remedy,
    )


def _keys_above(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the section around a place knows."""
    section: Any = Scenario
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        field = section.model_fields.get(part)
        inner = None if field is None else _section_of(field.annotation)
        if inner is None:
            break
        section = inner
    return list(section.model_fields)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (found := _section_of(inner)) is not None:
            return found
    return None
