"""The border: bodies are strict JSON, as deep, as long and as finite as we can keep, before any model sees them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

DEEPEST = 32
LARGEST_INT = 2**63 - 1
DIGEST = "apportion.body"  # in the request's scope: SHA-256 of the body


class Strict(BaseModel):
    """A body: no unknown keys, no number that is none, nothing turned into what it was not."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _is_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str | dt.datetime):
        raise ValueError("must be a time with a zone, such as 2026-03-02T08:00:00Z")
    return value


def _is_of_our_time(moment: dt.datetime) -> dt.datetime:
    """At the ends of the calendar other zones have no name for a moment."""
    if not 1900 <= moment.year <= 2200:
        raise ValueError("must be a time between 1900 and 2200")
    return moment


Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_is_text), AfterValidator(_is_of_our_time)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Cell = str | bool | int | float | list[str] | None
Row = Annotated[dict[Annotated[str, Field(min_length=1, max_length=100)], Cell], Field(max_length=500)]
Cursor = Annotated[str | None, Field(pattern=r"^[0-9]{1,18}$", description="`next` of the page before.")]
PageSize = Annotated[int, Field(ge=1, le=10_000)]


class StrictRequest(Request):
    """A request whose JSON is read strictly."""

    async def json(self) -> Any:
        """The body. Raises JSONDecodeError, which becomes a 422, for whatever is not plain JSON."""
        return parse(await self.body())


class StrictRoute(APIRoute):
    """A route that reads its requests strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the request in our own class."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if request.method in ("POST", "PUT", "PATCH", "DELETE"):
                request = StrictRequest(request.scope, request.receive)
                request.scope[DIGEST] = hashlib.sha256(await request.body()).hexdigest()
            return await inner(request)

        return handler


def parse(body: bytes) -> Any:
    """JSON without NaN, Infinity, numbers beyond 64 bits, broken or NUL characters, and more than 32 levels."""
    try:
        read = json.loads(body, parse_constant=_no_number)
        _check(read)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        said = str(error) if type(error) is ValueError else "it is nested too deeply, or not UTF-8"
        raise json.JSONDecodeError(said if len(said) < 100 else "a number is too long", "", 0) from None
    return read


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _check(read: Any) -> None:
    level, depth = [read], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                below += one
            else:
                _check_leaf(one)
        level = below


def _check_leaf(one: Any) -> None:
    kind = type(one)
    if kind is float:
        if not math.isfinite(one):
            raise ValueError("a number is too large")
    elif kind is int:
        if abs(one) > LARGEST_INT:
            raise ValueError("a number is too large")
    elif kind is str and ("\x00" in one or (not one.isascii() and _is_broken(one))):
        raise ValueError("a text has a character that is none")


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
