"""Is it up, can it work, how does it do. Without a key, and without a word about anybody."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from apportion import __version__
from apportion.service.api import problems
from apportion.service.api.access import per_address
from apportion.service.api.state import Here
from apportion.service.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["health"])
REFUSED = problems.responses(429, 503)
TEXT = "text/plain; version=0.0.4; charset=utf-8"


Unkeyed = Annotated[None, Depends(per_address)]  # whoever has no key shall not keep the store at work


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str = __version__


@router.get("/healthz")
async def healthz() -> Health:
    """Whether the process is up."""
    return Health()


@router.get("/readyz", responses=REFUSED)
def readyz(here: Here, _: Unkeyed) -> Health:
    """Whether the store is there, with this version's schema."""
    here.store.check()
    return Health()


@router.get(
    "/metrics",
    response_class=Response,
    responses=REFUSED | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(here: Here, _: Unkeyed) -> Response:
    """For Prometheus, in its text format."""
    with here.store.read() as tx:
        here.metrics.refresh(tx)
    return Response(here.metrics.text(), media_type=TEXT)
