"""The fields that bodies and answers are made of."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

LARGEST_INT = 9 * 10**18  # has 64 bits, and is the same in every reader's arithmetic
LARGEST_CELL = 1e18  # of a number that is no whole one: a larger whole number would lose digits, and may be an id


class Strict(BaseModel):
    """A body: no unknown keys, no number that is none, nothing turned into what it was not."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Kept(BaseModel):
    """A part of an answer that comes from a document of the store: what it has besides is told as it is."""

    model_config = ConfigDict(extra="allow")


def _is_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str | dt.datetime):
        raise ValueError("must be a time with a zone, such as 2026-03-02T08:00:00Z")
    return value


def _is_of_our_time(moment: dt.datetime) -> dt.datetime:
    """At the ends of the calendar other zones have no name for a moment."""
    if not 1900 <= moment.year < 2200:
        raise ValueError("must be a time between 1900 and 2199")
    return moment


def _as_whole(value: Any) -> Any:
    """JSON has one kind of number: 2.0 is 2."""
    return int(value) if type(value) is float and value.is_integer() else value


Moment = Annotated[
    AwareDatetime,
    Field(strict=False, json_schema_extra={"pattern": "^(19|20|21)[0-9]{2}-"}, examples=["2026-03-02T08:00:00Z"]),
    BeforeValidator(_is_text),
    AfterValidator(_is_of_our_time),
]
Name = Annotated[str, Field(min_length=1, max_length=200)]
AsWhole = BeforeValidator(_as_whole)
Whole = Annotated[int, Field(ge=-LARGEST_INT, le=LARGEST_INT), AsWhole]
Cell = (
    str
    | bool
    | Annotated[int, Field(ge=-LARGEST_INT, le=LARGEST_INT)]
    | Annotated[float, Field(ge=-LARGEST_CELL, le=LARGEST_CELL)]
    | list[str]
    | None
)
Row = Annotated[dict[Annotated[str, Field(min_length=1, max_length=100)], Cell], Field(max_length=500)]
Rows = Annotated[list[Row], Field(min_length=1, max_length=200_000)]
PolicyText = Annotated[str, Field(min_length=1, max_length=200_000)]
Free = dict[str, Any]  # its own reader checks what is in it
PolicyGiven = Annotated[Free | PolicyText, Field(description="As JSON, or as the text of a YAML file: docs/policy.md.")]
Seed = Annotated[int, Field(ge=0, lt=2**31), AsWhole]
Gap = Annotated[float, Field(ge=0, lt=1, description="Relative gap at which to stop.")]
