"""The border: who asks is known before the body is read, the body is strict JSON, and models check it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Annotated, Any

from fastapi import HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import Field

from apportion.service.api.parsing import parse
from apportion.service.wire.fields import Name, Row, Strict

__all__ = [
    "DIGEST",
    "After",
    "AfterId",
    "Name",
    "Number",
    "PageLimit",
    "Row",
    "Strict",
    "StrictRoute",
    "before_body",
]

DIGEST = "apportion.body"  # in the request's scope: SHA-256 of the body
MAY_HAVE_BODY = ("POST", "PUT", "PATCH", "DELETE")
AT_ONCE = 64 * 1024  # bytes that are read as JSON without letting other requests go on
Cursor = Annotated[str | None, Field(pattern=r"^[0-9]{1,18}$", description="`next` of the page before.")]
PageSize = Annotated[int, Field(ge=1, le=10_000)]
After = Annotated[Cursor, Query()]
AfterId = Annotated[str | None, Query(max_length=200, description="`next` of the page before.")]
PageLimit = Annotated[PageSize, Query()]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Guard = Callable[[Request], None]
_GUARD = "before_body"


def before_body(guard: Guard) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let `guard` see each request of the routes that depend on what this decorates, before its body is read. It
    refuses by raising."""

    def marked(dependency: Callable[..., Any]) -> Callable[..., Any]:
        setattr(dependency, _GUARD, guard)
        return dependency

    return marked


class StrictRequest(Request):
    """A request whose JSON is read strictly."""

    async def json(self) -> Any:
        """The body. Raises JSONDecodeError, which becomes a 422, for whatever is not plain JSON."""
        body = await self.body()
        return parse(body) if len(body) <= AT_ONCE else await run_in_threadpool(parse, body)


class StrictRoute(APIRoute):
    """A route that reads its requests strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the request in our own class."""
        inner, guards = super().get_route_handler(), list(_guards(self.dependant))

        async def handler(request: Request) -> Response:
            for guard in guards:
                await run_in_threadpool(guard, request)
            if request.method in MAY_HAVE_BODY:
                if self.body_field is not None and _has_body(request) and not _is_json(request):
                    raise HTTPException(415)
                request = StrictRequest(request.scope, request.receive)
                request.scope[DIGEST] = hashlib.sha256(await request.body()).hexdigest()
            return await inner(request)

        return handler


def _guards(dependant: Dependant) -> Iterator[Guard]:
    for below in dependant.dependencies:
        if (guard := getattr(below.call, _GUARD, None)) is not None:
            yield guard
        yield from _guards(below)


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0").strip("0") != ""


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
