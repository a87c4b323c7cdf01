"""Is it up, can it work, how does it do. Without a key, and without a word about anybody."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from apportion import __version__
from apportion.service.api import problems
from apportion.service.api.state import Here
from apportion.service.api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str = __version__


@router.get("/healthz")
def healthz() -> Health:
    """Whether the process is up."""
    return Health()


@router.get("/readyz", responses=problems.responses(503))
def readyz(here: Here) -> Health:
    """Whether the store is there, with this version's schema."""
    here.store.check()
    return Health()


@router.get("/metrics", response_class=Response, responses=problems.responses(503))
def metrics(here: Here) -> Response:
    """For Prometheus, in its text format."""
    with here.store.read() as tx:
        here.metrics.refresh(tx)
    return Response(here.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
