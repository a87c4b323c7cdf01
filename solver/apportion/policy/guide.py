"""Writes docs/policy.schema.json, and the tables of keys in docs/policy.md: `python -m apportion.policy.guide docs`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apportion.policy.loading import policy_json_schema

START, END = "<!-- keys -->", "<!-- end of keys -->"


def guide_tables() -> str:
    """A table of keys for every section of the policy, as Markdown."""
    schema = policy_json_schema()
    parts = ["### The policy", *_table(schema, schema["$defs"])]
    seen: list[str] = []
    for key, value in schema["properties"].items():
        for name in _sections(value, schema, []):
            if name not in seen:
                seen.append(name)
                section = schema["$defs"][name]
                first = str(section["description"]).split("\n")[0]
                parts += ["", f"### {name}", "", f"{first} (in `{key}`)", *_table(section, schema["$defs"])]
    return "\n".join(parts)


def _sections(node: object, schema: dict[str, Any], path: list[str]) -> Iterator[str]:
    """Names of the sections that a part of the schema leads to, depth first."""
    if isinstance(node, list):
        for item in node:
            yield from _sections(item, schema, path)
    elif isinstance(node, dict):
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
            if name not in path:
                yield name
                yield from _sections(schema["$defs"][name].get("properties", {}), schema, [*path, name])
        for value in node.values():
            yield from _sections(value, schema, path)


def _opening(value: dict[str, Any], sections: dict[str, Any]) -> str:
    """The first sentence of the section, or of the items' section, that a key holds."""
    named = value if "$ref" in value else value.get("items", {})
    return str(sections[_kind(named)]["description"]).split("\n")[0] if "$ref" in named else ""


def _table(section: dict[str, Any], sections: dict[str, Any]) -> list[str]:
    required = section.get("required", [])
    rows = ["", "| key | value | default | what it says |", "|---|---|---|---|"]
    for key, value in section["properties"].items():
        default = "required" if key in required else f"`{_short(value.get('default'))}`"
        if "$ref" in value and key not in required:
            default = "see there"
        told = str(value.get("description") or _opening(value, sections)).replace("|", "\\|")
        rows.append(f"| `{key}` | {_kind(value)} | {default} | {told} |")
    return rows


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else "see above"


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return str(value["$ref"].rsplit("/", 1)[1])
    if "enum" in value or "const" in value:
        return ", ".join(f"`{item}`" for item in value.get("enum", [value.get("const")]))
    if "Predicate" in str(value.get("title")):
        return str(value["title"]).lower()
    if "anyOf" in value:
        return " or ".join(_kind(option) for option in value["anyOf"] if option.get("type") != "null")
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    plain = {"string": "text", "boolean": "`true` or `false`", "object": "mapping", "integer": "whole number"}
    kind = value.get("type")
    return str(value.get("format") or plain.get(str(kind), kind))


def main(folder: Path) -> None:
    """Write the schema, and put the tables between the marks of the guide."""
    schema = json.dumps(policy_json_schema(), indent=1, ensure_ascii=False, sort_keys=True)
    (folder / "policy.schema.json").write_text(schema + "\n", encoding="utf-8")
    guide = folder / "policy.md"
    text = guide.read_text(encoding="utf-8")
    before, rest = text.split(START)
    guide.write_text(f"{before}{START}\n{guide_tables()}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
