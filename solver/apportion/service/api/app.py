"""The application: routers by resource behind the shield."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.cors import CORSMiddleware

from apportion import __version__
from apportion.service.api import health, overrides, people, plans, policies, problems, routing, scenarios
from apportion.service.api.jobs import Jobs
from apportion.service.api.limits import Limits
from apportion.service.api.shield import Shield
from apportion.service.api.state import Service
from apportion.service.store import Store
from apportion.service.watching import Metrics

DESKS = (health, plans, routing, people, overrides, policies, scenarios)
ROUTERS = tuple(desk.router for desk in DESKS)
ABOUT = "Assigns leads to sales reps: a joint optimum with its proof, its prices and its reasons."
ASKED = ["X-API-Key", "Idempotency-Key", "Prefer", "Content-Type"]
ANSWERED = ["Location", "Link", "Retry-After", "X-Request-Id"]
Beside = Callable[[], AbstractAsyncContextManager[None]]


def make_app(
    store: Store,
    *,
    limits: Limits | None = None,
    metrics: Metrics | None = None,
    log: Any = None,
    lease_seconds: float = 60.0,
    beside: Beside | None = None,
) -> FastAPI:
    """The service over HTTP, on a store whose schema is there.

    metrics, log : where to tell of it. beside : entered when the server starts, left when it stops (the clockwork).
    """
    limits, metrics = limits or Limits(), metrics or Metrics()
    jobs = Jobs(store, lease_seconds=lease_seconds, ended=metrics.ended, log=log)
    service = Service(store, limits, metrics, jobs, log)
    app = FastAPI(
        title="Apportion",
        version=__version__,
        summary=ABOUT,
        redoc_url=None,
        lifespan=_lifespan(service, beside),
        redirect_slashes=False,
    )
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    problems.install(app, [route for router in ROUTERS for route in router.routes])
    if limits.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(limits.origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=ASKED,
            expose_headers=ANSWERED,
        )
    app.add_middleware(Shield, service=service)
    return app


def _lifespan(service: Service, beside: Beside | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            if beside is None:
                yield
            else:
                async with beside():
                    yield
        finally:
            await run_in_threadpool(service.leads.close)
            await run_in_threadpool(service.jobs.close)

    return lifespan
