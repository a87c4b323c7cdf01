"""Who may: a key in `X-API-Key`, good for the scope that the call needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from apportion.service.api.errors import ForbiddenError, UnauthorizedError
from apportion.service.api.state import Here
from apportion.service.store import ApiKey

HEADER = APIKeyHeader(
    name="X-API-Key", auto_error=False, description="A key from `apportion keys create NAME --scope …`."
)
Secret = Annotated[str | None, Security(HEADER)]


def needs(scope: str) -> Callable[[Request, Here, Secret], ApiKey]:
    """A dependency that gives the request's key. Raises UnauthorizedError, ForbiddenError, TooManyError."""

    def check(request: Request, here: Here, secret: Secret) -> ApiKey:
        with here.store.read() as tx:
            key = None if not secret else tx.keys.check(secret)
        if key is None:
            here.buckets.take(f"address {request.client.host if request.client else ''}")
            raise UnauthorizedError("This needs a good key in the header X-API-Key: `apportion keys create` makes one.")
        here.buckets.take(f"key {key.key_id}")
        if not key.may(scope):
            raise ForbiddenError(f"The key {key.key_id} has not the scope {scope}: `apportion keys create --scope`.")
        return key

    return check


Reading = Annotated[ApiKey, Depends(needs("read"))]
