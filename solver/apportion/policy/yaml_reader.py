"""Safe YAML with line numbers: plain data only, no duplicate keys, no bombs, and `NO` is a country and not `false`.

Booleans are `true` and `false` alone (YAML 1.2), so that `NO`, `on`, `off` and `09:00` stay text; dates stay dates.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml

from apportion_models.errors import Finding, PolicyError

MAX_BYTES, MAX_NODES, MAX_DEPTH = 256_000, 20_000, 24
TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars as YAML 1.2 does, and dates."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]


for _name, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"~|null|", ["~", "n", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+0123456789."),
    ("timestamp", r"\d{4}-\d{2}-\d{2}([Tt ]\d{1,2}:\d{2}:\d{2}(\.\d*)?\s*(Z|[-+]\d{1,2}(:?\d{2})?)?)?", "0123456789"),
):
    _Loader.add_implicit_resolver(TAG + _name, re.compile(rf"^(?:{_pattern})$"), list(_first))


def read_yaml(text: str, *, source: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The document as plain data, and the line of each key path. Raises PolicyError with every fault found."""
    if len(text.encode()) > MAX_BYTES:
        raise _refused(source, f"must have at most {MAX_BYTES:,} bytes. Got {len(text.encode()):,}")
    try:
        _check_size(text, source)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _unreadable(source, error) from None
    reader = _Reader(source)
    content = reader.value(node, "") if node is not None else None
    if content is None:
        content = {}
    if not isinstance(content, dict) and node is not None:
        reader.fault(node, "", "A policy must be a mapping of sections", remedy="Begin with version: 1.")
    if reader.findings:
        raise PolicyError(reader.findings)
    return content, reader.lines


def _check_size(text: str, source: str) -> None:
    """Count nodes and depth on the stream of events, before anything is built."""
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            what = f"be nested at most {MAX_DEPTH} deep" if depth > MAX_DEPTH else f"have at most {MAX_NODES:,} entries"
            raise _refused(source, f"must {what}", row=_row(event.start_mark))


def _row(mark: Any) -> int | None:
    return None if mark is None else mark.line + 1


def _refused(source: str, message: str, row: int | None = None, remedy: str = "") -> PolicyError:
    return PolicyError(Finding(severity="error", table=source, message=message, row=row, remedy=remedy))


def _unreadable(source: str, error: yaml.YAMLError) -> PolicyError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    remedy = "Indent with spaces, close every quote, and put text with : or # between quotes."
    return _refused(source, f"is not YAML that can be read: {problem}", _row(mark), remedy)


class _Reader:
    """From nodes to data. Aliases are copied out, and counted, so that a few lines cannot stand for millions."""

    def __init__(self, source: str) -> None:
        self.source, self.nodes = source, 0
        self.lines: dict[str, int] = {}
        self.findings: list[Finding] = []
        self.scalars = yaml.constructor.SafeConstructor()
        self.open: set[int] = set()

    def fault(self, node: yaml.Node, path: str, message: str, *, value: Any = None, remedy: str = "") -> None:
        row = node.start_mark.line + 1
        self.findings.append(
            Finding(
                severity="error",
                table=self.source,
                row=row,
                column=path or None,
                message=message,
                value=value,
                remedy=remedy,
            )
        )

    def value(self, node: yaml.Node, path: str) -> Any:
        """What a node says, as plain data; faults are collected."""
        self.nodes += 1
        self.lines.setdefault(path, node.start_mark.line + 1)
        if self.nodes > MAX_NODES:
            raise _refused(self.source, "must not repeat itself by aliases without end", node.start_mark.line + 1)
        if id(node) in self.open:
            raise _refused(self.source, "must not contain itself by an alias", node.start_mark.line + 1)
        self.open.add(id(node))
        try:
            return self._value(node, path)
        finally:
            self.open.discard(id(node))

    def _value(self, node: yaml.Node, path: str) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == TAG + "map":
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == TAG + "seq":
            return [self.value(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag.removeprefix(TAG) in _PLAIN:
            try:
                return self.scalars.construct_object(node)
            except (ValueError, yaml.YAMLError) as error:
                self.fault(node, path, f"cannot be read: {error}", value=node.value)
                return None
        self.fault(node, path, f"must be plain data. Got the tag {node.tag}", remedy="Remove the tag.")
        return None

    def mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        """A mapping with each key once; the line of each is kept."""
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != TAG + "str" or not key:
                shown = key if isinstance(key, str) else None
                self.fault(key_node, path, "must have text as keys", value=shown, remedy="Put the key between quotes.")
                continue
            below = f"{path}.{key}" if path else key
            if key in content:
                first = self.lines[below]
                self.fault(key_node, below, f"is given twice, first on line {first}", remedy="Keep one of them.")
                continue
            self.lines[below] = key_node.start_mark.line + 1
            content[key] = self.value(value_node, below)
        return content


_PLAIN = {"str", "int", "float", "bool", "null", "timestamp"}
