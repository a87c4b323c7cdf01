"""The mapping file: how somebody else's tables become ours, without editing them. Schema and loading."""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd
import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError

from apportion_models.errors import Finding, TableError
from apportion_models.tables.times import NUMBERED
from apportion_models.tables.words import CURRENCY_CODES


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise ValueError("must be an IANA time zone such as Europe/Berlin") from None
    return name


def _format(text: str) -> str:
    if text in NUMBERED:
        return text
    try:
        pd.to_datetime(pd.Series(["x"]), format=text, errors="coerce")
    except ValueError:
        raise ValueError("must be a strptime format such as %d/%m/%Y") from None
    if "%" not in text:
        raise ValueError(f"must be a strptime format such as %d/%m/%Y, or one of {', '.join(NUMBERED)}")
    return text


def _currency(name: str) -> str:
    if name not in CURRENCY_CODES:
        raise ValueError("must be an ISO currency code such as EUR")
    return name


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


Words = Annotated[list[str], BeforeValidator(_as_list)]
Renames = dict[str, dict[str, str]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Join(_Strict):
    """Attributes of a second file, spread over the rows by a key that both have."""

    file: str = Field(
        min_length=1, description="the second file; relative to the mapping file, else to the table's folder"
    )
    on: Annotated[dict[str, str], BeforeValidator(lambda on: {on: on} if isinstance(on, str) else on)] = Field(
        min_length=1,
        max_length=1,
        description="column of the table: column of the second file (one name when they are equal)",
    )
    columns: dict[str, str] | None = Field(
        None, description="ours: theirs, of the second file; all of them when absent"
    )
    values: dict[str, str] = Field(
        default_factory=dict, description="the table's key: the second file's key, where they are spelled differently"
    )


class Reading(_Strict):
    """How values are written. Set for all tables at the top of the file, or for one table."""

    date_format: Annotated[str, AfterValidator(_format)] | None = Field(
        None, description="strptime format, or excel, unix, unix_ms"
    )
    day_first: bool | None = Field(
        None, description="31/01/2024 (true) or 01/31/2024 (false), where the data cannot tell"
    )
    decimal: Literal[".", ","] | None = Field(None, description="decimal sign, where the data cannot tell")
    time_zone: Annotated[str, AfterValidator(_zone)] | None = Field(
        None, description="of times without an offset; UTC when absent"
    )
    currency: Annotated[str, AfterValidator(_currency)] | None = Field(None, description="of all amounts")


class TableMapping(Reading):
    """How one table is read."""

    file: str | None = Field(None, min_length=1, description="the table's file, when the caller names none or a folder")
    columns: dict[str, str] = Field(default_factory=dict, description="ours: theirs")
    values: Renames = Field(default_factory=dict, description="column (ours): {theirs: ours}; ours empty means missing")
    defaults: dict[str, str] = Field(
        default_factory=dict, description="column (ours): what stands where a value is missing"
    )
    where: dict[str, Words] = Field(
        default_factory=dict, description="column (theirs): keep only rows with one of these values"
    )
    join: Annotated[list[Join], BeforeValidator(_as_list)] = Field(
        default_factory=list, description="one join or several"
    )


class Mapping(Reading):
    """A whole mapping file."""

    version: Annotated[Literal["1"], BeforeValidator(str)] = "1"
    leads: TableMapping | None = None
    reps: TableMapping | None = None
    history: TableMapping | None = None
    accounts: TableMapping | None = None
    teams: TableMapping | None = None
    territories: TableMapping | None = None
    calendar: TableMapping | None = None
    overrides: TableMapping | None = None
    assignments: TableMapping | None = None
    _folder: Path | None = PrivateAttr(None)

    @property
    def folder(self) -> Path | None:
        """Where the mapping file lies; None when it came from no file."""
        return self._folder

    def table(self, name: str) -> TableMapping:
        """One table's part, with what the top of the file says for all tables."""
        own: TableMapping = getattr(self, name) or TableMapping()
        common = {key: getattr(self, key) for key in Reading.model_fields if getattr(own, key) is None}
        return own.model_copy(update=common)


class _Loader(yaml.BaseLoader):
    """Every scalar stays text, as in the tables themselves (no → "no"), and a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be one word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_mapping(source: Mapping | dict[str, Any] | str | os.PathLike[str]) -> Mapping:
    """Read and check a mapping file. `TableError` names every key at fault by its path: `history.values.outcome`."""
    if isinstance(source, Mapping):
        return source
    if isinstance(source, dict):
        return _checked(source, None)
    path = Path(source)
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)
    except OSError as error:
        raise _refused(f"the mapping file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _refused(f"the mapping file {path} must be UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise _refused(f"the mapping file {path} is no YAML: {getattr(error, 'problem', error)}{where}") from None
    if content in (None, ""):
        content = {}
    if not isinstance(content, dict):
        raise _refused(f"the mapping file {path} must state a key for each table, such as `leads:`")
    return _checked(content, path.parent)


def _refused(message: str) -> TableError:
    return TableError(Finding(severity="error", table="mapping", message=message))


def _checked(content: dict[str, Any], folder: Path | None) -> Mapping:
    content = {key: value for key, value in content.items() if value != ""}  # `leads:` with nothing below is no wish
    try:
        mapping = Mapping.model_validate(content)
    except ValidationError as error:
        raise TableError(_finding(detail) for detail in error.errors()) from None
    mapping._folder = folder
    return mapping


def _finding(detail: Any) -> Finding:
    message = {"extra_forbidden": "is no key of a mapping"}.get(
        detail["type"], detail["msg"].removeprefix("Value error, ")
    )
    value = detail["input"] if isinstance(detail["input"], (str, int, float, bool)) else None
    remedy = "See the data dictionary for the keys." if detail["type"] == "extra_forbidden" else ""
    path = ".".join(str(step) for step in detail["loc"])
    return Finding(severity="error", table="mapping", column=path, message=message, value=value, remedy=remedy)
