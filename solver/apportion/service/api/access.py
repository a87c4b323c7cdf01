"""Who may: a key in `X-API-Key`, good for the scope that the call needs. It is looked at before the body is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from apportion.service.api.errors import ForbiddenError, UnauthorizedError
from apportion.service.api.state import Service
from apportion.service.api.strict import before_body
from apportion.service.store import ApiKey

HEADER = APIKeyHeader(
    name="X-API-Key", auto_error=False, description="A key from `apportion keys create NAME --scope …`."
)
Secret = Annotated[str | None, Security(HEADER)]


def needs(scope: str) -> Callable[[Request, Secret], ApiKey]:
    """A dependency that gives the request's key. Raises UnauthorizedError, ForbiddenError, TooManyError."""

    def look(request: Request) -> None:
        request.state.api_key = _checked(request, scope)

    @before_body(look)
    async def given(request: Request, _: Secret) -> ApiKey:
        key: ApiKey = request.state.api_key
        return key

    return given


def per_address(request: Request) -> None:
    """Take one of the requests that an address may make to one call that needs no key. Raises TooManyError."""
    here: Service = request.app.state.service
    here.buckets.take(f"{request.url.path} {_address(request)}")


def _checked(request: Request, scope: str) -> ApiKey:
    here: Service = request.app.state.service
    key, secret = None, request.headers.get("X-API-Key")
    if secret:
        with here.store.read() as tx:
            key = tx.keys.check(secret)
    if key is None:
        here.buckets.take(f"without a key {_address(request)}")
        raise UnauthorizedError("This needs a good key in the header X-API-Key: `apportion keys create` makes one.")
    here.buckets.take(f"key {key.key_id}")
    if not key.may(scope):
        raise ForbiddenError(f"The key {key.key_id} has not the scope {scope}: `apportion keys create --scope`.")
    return key


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


Reading = Annotated[ApiKey, Depends(needs("read"))]
