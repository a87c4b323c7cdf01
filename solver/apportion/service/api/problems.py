"""Every error as problem+json (RFC 9457): what is wrong, at which field, and never a word of our insides."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from apportion.service.api.errors import TooManyError
from apportion.service.store import AwayError, StillRunningError
from apportion_models.errors import ApportionError, Finding, InputError, ServiceError

MEDIA_TYPE = "application/problem+json"
AGAIN_SECONDS = 2
MOST_FAULTS = 100  # told in one answer; the count of all stands beside them
LONGEST = 200
WORDS = {
    400: "The request cannot be understood.",
    404: "There is nothing at this address.",
    405: "This address does not take that method: see /docs.",
    413: "The body is too large.",
    415: "The body must be application/json, and not compressed.",
    500: "A bug in Apportion: see the service's log, under this request id.",
    503: "The service cannot answer in time: ask again a little later.",
}


class Fault(BaseModel):
    """One thing at fault. field : where in the request, such as `leads.3.score`, or the column of a table."""

    field: str | None = None
    message: str
    table: str | None = None
    row: int | None = Field(None, description="1-based.")
    value: Any = None
    remedy: str | None = None


class Problem(BaseModel):
    """An error by RFC 9457. code : stable, for programs; errors : each fault of the input."""

    type: str = Field(examples=["urn:apportion:bad_input"])
    title: str
    status: int
    detail: str
    code: str
    errors: list[Fault] = []
    plan_id: str | None = None


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
    detail = f"{len(faults)} faults: see errors." if len(faults) > 1 else _short(str(error), 2_000)
    return answer(error.http_status, error.code, detail, faults=faults, headers=_headers(error))


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


def install(app: FastAPI) -> None:
    """Let the application answer every error like this."""
    app.add_exception_handler(ApportionError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApportionError)
    if error.http_status == 500:
        raise error  # the shield logs it
    return of_error(error)


async def _plain(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return of_status(error.status_code, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [_of_pydantic(fault) for fault in error.errors()]
    if any(fault["type"] == "model_attributes_type" for fault in error.errors()) and _is_not_json(request):
        return of_status(415)
    return answer(422, "bad_request", f"Faults in the request: {len(error.errors())}; see errors.", faults=faults)


def _is_not_json(request: Request) -> bool:
    return "json" not in request.headers.get("content-type", "")


def _headers(error: ApportionError) -> dict[str, str]:
    if isinstance(error, TooManyError):
        return {"Retry-After": str(error.after)}
    if isinstance(error, StillRunningError):
        return {"Retry-After": str(AGAIN_SECONDS)}
    return {"WWW-Authenticate": "ApiKey"} if error.http_status == 401 else {}


def _of_pydantic(fault: Mapping[str, Any]) -> Fault:
    place = [str(part) for part in fault["loc"]]
    if fault["type"] == "json_invalid":
        return Fault(field="body", message=f"must be JSON: {fault.get('ctx', {}).get('error', 'it is not')}.")
    field = ".".join(place[1:] if len(place) > 1 else place)
    message = str(fault["msg"]).replace("Input should be", "must be").removeprefix("Value error, ")
    return Fault(field=field, message=message.rstrip(".") + ".", value=plain(fault.get("input")))


def _of_finding(finding: Finding) -> Fault:
    return Fault(
        field=finding.column,
        message=finding.message,
        table=finding.table,
        row=finding.row,
        value=plain(finding.value),
        remedy=finding.remedy or None,
    )


def plain(value: Any) -> Any:
    """What was got, as JSON can say it, and no longer than a line."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 2**53 and math.isfinite(value) else _short(str(value))
    if isinstance(value, str):
        return _short(value)
    return f"a {'list' if isinstance(value, list | tuple) else 'object' if isinstance(value, dict) else 'value'}"


def _short(text: str, longest: int = LONGEST) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= longest else text[:longest] + "…"


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI is told of these statuses."""
    return {status: dict(_documented(status)) for status in statuses}


def _documented(status: int) -> Iterator[tuple[str, Any]]:
    yield "model", Problem
    yield "description", HTTPStatus(status).phrase
    yield "content", {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
