"""Every error as problem+json (RFC 9457): what is wrong, at which field, and never a word of our insides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from apportion.service.api.errors import BusyError, TooManyError
from apportion.service.api.places import faults_of, plain, short
from apportion.service.store import AwayError, StillRunningError
from apportion.service.wire.faults import Fault, Problem
from apportion_models.errors import ApportionError, Finding, InputError, ServiceError

MEDIA_TYPE = "application/problem+json"
AGAIN_SECONDS = 2
MOST_FAULTS = 100  # told in one answer; the count of all stands beside them
LONGEST_DETAIL = 2_000
WORDS = {
    400: "The request cannot be understood.",
    404: "There is nothing at this address.",
    405: "This address does not take that method: see /docs.",
    413: "The body is too large.",
    415: "The body must be application/json, and not compressed.",
    500: "A bug in Apportion: see the service's log, under this request id.",
    503: "The service cannot answer in time: ask again a little later.",
}


def answer(
    status: int,
    code: str,
    detail: str,
    *,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
    plan_id: str | None = None,
) -> JSONResponse:
    """The response."""
    told = Problem(
        type=f"urn:apportion:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        errors=list(faults[:MOST_FAULTS]),
        plan_id=plan_id,
    )
    content = told.model_dump(exclude_none=True)
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def of_status(status: int, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response to what HTTP itself has a name for."""
    phrase = HTTPStatus(status).phrase
    return answer(status, phrase.lower().replace(" ", "_"), WORDS.get(status, phrase + "."), headers=headers)


def of_error(error: ApportionError) -> JSONResponse:
    """The response to one of our own errors."""
    if isinstance(error, ServiceError):
        busy = isinstance(error, AwayError)
        detail = "The store is busy or away: ask again a little later." if busy else "The store failed."
        return answer(503, "away" if busy else error.code, detail, headers={"Retry-After": str(AGAIN_SECONDS)})
    if error.http_status == 500:
        return of_status(500)
    faults = [_of_finding(finding) for finding in error.findings] if isinstance(error, InputError) else []
    detail = f"{len(faults)} faults: see errors." if len(faults) > 1 else _detail(error)
    return answer(error.http_status, error.code, detail, faults=faults, headers=_headers(error))


def _detail(error: ApportionError) -> str:
    """A database's own words name its tables: they are for the log."""
    if isinstance(error.__cause__, SQLAlchemyError):
        return "It was refused, for it breaks a rule of the store: another request may have been first."
    return short(str(error), LONGEST_DETAIL)


def of_code(code: str, detail: str, *, plan_id: str) -> JSONResponse:
    """The response where a run ended in an error of ours, of which the store keeps the code."""
    status = _statuses(ApportionError).get(code, 500)
    if status == 500:
        return answer(500, code, WORDS[500], plan_id=plan_id)
    return answer(status, code, detail, plan_id=plan_id)


def _statuses(kind: type[ApportionError]) -> dict[str, int]:
    found = {kind.code: kind.http_status}
    for below in kind.__subclasses__():
        found = _statuses(below) | found
    return found


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Let the application answer every error like this. routes : all of it, for the methods of an address."""

    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(routes, request))
        return of_status(error.status_code, headers=headers)

    app.add_exception_handler(ApportionError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, refused)


def _methods(routes: Sequence[BaseRoute], request: Request) -> list[str]:
    """Every method of an address: the framework names those of the first route alone."""
    found = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in found for method in getattr(route, "methods", None) or ()})


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApportionError)
    if error.http_status == 500:
        raise error  # the shield logs it
    return of_error(error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = faults_of(error.errors(), error.body)
    words = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return answer(422, "bad_request", f"{words} in the request: see errors.", faults=faults)


def _headers(error: ApportionError) -> dict[str, str]:
    if isinstance(error, TooManyError):
        return {"Retry-After": str(error.after)}
    if isinstance(error, StillRunningError | BusyError):
        return {"Retry-After": str(AGAIN_SECONDS)}
    return {"WWW-Authenticate": "ApiKey"} if error.http_status == 401 else {}


def _of_finding(finding: Finding) -> Fault:
    return Fault(
        field=finding.column,
        message=finding.message,
        table=finding.table,
        row=finding.row,
        value=plain(finding.value),
        remedy=finding.remedy or None,
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI is told of these statuses."""
    return {status: dict(_documented(status)) for status in statuses}


def _documented(status: int) -> Iterator[tuple[str, Any]]:
    yield "model", Problem
    yield "description", HTTPStatus(status).phrase
    yield "content", {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


READ = responses(400, 401, 403, 422, 429, 503)  # what every call with a key may answer
WRITE = READ | responses(409, 413)
WITH_BODY = WRITE | responses(415)
UNKNOWN = responses(404)
