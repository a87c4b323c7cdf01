"""From a file, a text or a mapping to a `Policy`; every fault with key path, line, value and remedy, all at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema

from apportion.policy.predicates import Predicate
from apportion.policy.schema import Policy
from apportion.policy.yaml_reader import MAX_BYTES, read_yaml
from apportion_models.errors import Finding, PolicyError

KINDS = {"dict": "a mapping", "model": "a mapping", "tuple": "a list", "float": "a number", "int": "a whole number"}


def load_policy(source: Path | str | Mapping[str, Any] | None = None) -> Policy:
    """Read and check a policy. A text with a line break or `: ` is YAML, any other text a path; None is the default.

    Raises PolicyError: each finding has the key path as `column`, the line as `row`, the value, what would be right.
    """
    if isinstance(source, Mapping):
        return _checked(dict(source), {}, "policy")
    if source is None:
        return Policy()
    if isinstance(source, str) and (not source.strip() or "\n" in source or ": " in source):
        return _checked(*read_yaml(source, source="policy"), "policy")
    path = Path(source)
    return _checked(*read_yaml(_read(path), source=path.name), path.name)


def policy_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the policy file, for editors that complete and check it."""
    schema = Policy.model_json_schema(schema_generator=_SchemaWriter, by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Apportion policy"}


class _SchemaWriter(GenerateJsonSchema):
    """Writes predicates that stand as defaults as their text."""

    def encode_default(self, dft: Any) -> Any:
        return dft.text if isinstance(dft, Predicate) else super().encode_default(dft)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        return raw.decode("utf-8-sig")
    except OSError as error:
        message = f"The policy file cannot be read: {error.strerror or error}."
    except UnicodeDecodeError as error:
        message = f"The policy file must be UTF-8 text, and is not at byte {error.start}"
    raise PolicyError(Finding(severity="error", table=path.name, message=message, remedy="Name a YAML file."))


def _checked(content: dict[str, Any], lines: dict[str, int], source: str) -> Policy:
    try:
        policy = Policy.model_validate(content)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        found = [_finding(dict(fault), content, lines, source) for fault in faults]
        raise PolicyError(sorted(found, key=lambda one: one.row or 0)) from None
    policy._source, policy._lines = source, lines
    strangers = list(_unknown_tiers(policy))
    if strangers:
        raise PolicyError(strangers)
    return policy


def _unknown_tiers(policy: Policy) -> Iterator[Finding]:
    known = [band.name for band in policy.tiers.bands]
    for path, tier in policy.tier_names():
        if tier not in known and not (path.startswith("equity") and tier == "each" and known):
            shown = f"There are: {', '.join(known)}." if known else "There are none: write tiers.bands."
            yield policy.finding("error", path, "must name a tier of tiers.bands", value=tier, remedy=shown)


def _finding(fault: dict[str, Any], content: object, lines: dict[str, int], source: str) -> Finding:
    path, known = _key_path(fault["loc"], content)
    row = lines.get(path) or lines.get(known) or (1 if lines else None)
    value = fault["input"]
    if fault["type"] == "missing" or isinstance(value, (Mapping, list, tuple)):
        value = None
    elif isinstance(value, str) and len(value) > 200:
        value = value[:200] + "…"
    message, remedy = _told(fault, path)
    if "Got " in message:
        value = None
    return Finding(
        severity="error", table=source, row=row, column=path or None, value=value, message=message, remedy=remedy
    )


def _key_path(loc: Sequence[int | str], content: object) -> tuple[str, str]:
    """The key path of an error, and the part of it that is in the file, without pydantic's tags for unions."""
    path = known = ""
    for position, part in enumerate(loc):
        there = False
        if isinstance(part, int) and isinstance(content, (list, tuple)) and part < len(content):
            path, content, there = f"{path}[{part}]", content[part], True
        elif isinstance(content, Mapping) and (part in content or position == len(loc) - 1):
            there = part in content
            path, content = (f"{path}.{part}" if path else str(part)), content.get(part)
        known = path if there else known
    return path, known


def _told(fault: dict[str, Any], path: str) -> tuple[str, str]:
    """The message and the remedy, in the policy's own words."""
    kind, context = fault["type"], fault.get("ctx", {})
    described, keys = _described(fault["loc"])
    if kind == "missing":
        return "must be given", described
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(fault["loc"][-1]), keys, n=1)
        return "is not a key here", f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(keys)}."
    if kind == "value_error":
        return str(context["error"]), described
    for ending in ("_type", "_attributes_type"):
        plain = KINDS.get(kind.removesuffix(ending))
        if plain and kind.endswith(ending):
            return f"must be {plain}", described
    message = str(fault["msg"]).replace("Input should be", "must be").replace("Tuple should have", "must have")
    return message[0].lower() + message[1:], described


def _described(loc: Sequence[int | str]) -> tuple[str, list[str]]:
    """The schema's description of a place, and the keys that its parent knows."""
    schema = _whole_schema()
    node: dict[str, Any] = schema
    keys: list[str] = []
    for part in loc:
        node = _resolved(node, schema)
        if isinstance(part, int):
            node = node.get("items", {})
            continue
        properties = node.get("properties", {})
        keys = list(properties) or keys
        node = properties.get(part) or node.get("additionalProperties") or {}
        node = node if isinstance(node, dict) else {}
    text = node.get("description") or _resolved(node, schema).get("description", "")
    return str(text).split("\n")[0], keys


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for option in [node, *node.get("anyOf", []), *node.get("allOf", [])]:
        if "$ref" in option:
            found: dict[str, Any] = schema["$defs"][option["$ref"].rsplit("/", 1)[1]]
            return found
    return node


@lru_cache(maxsize=1)
def _whole_schema() -> dict[str, Any]:
    return policy_json_schema()
