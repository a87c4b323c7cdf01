"""The application: routers by resource behind the shield."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.cors import CORSMiddleware

from apportion import __version__
from apportion.service.api import health, people, plans, problems, routing, rules, scenarios
from apportion.service.api.jobs import Jobs
from apportion.service.api.limits import Limits
from apportion.service.api.shield import Shield
from apportion.service.api.state import Service
from apportion.service.store import Store
from apportion.service.watching import Metrics

ROUTERS = (health.router, plans.router, routing.router, people.router, rules.router, scenarios.router)
ABOUT = "Assigns leads to sales reps: a joint optimum with its proof, its prices and its reasons."


def make_app(
    store: Store,
    *,
    limits: Limits | None = None,
    metrics: Metrics | None = None,
    log: Any = None,
    lease_seconds: float = 60.0,
    beside: Callable[[], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """The service over HTTP, on a store whose schema is there.

    metrics, log : where to tell of it. beside : entered when the server starts, left when it stops (the clockwork).
    """
    limits, metrics = limits or Limits(), metrics or Metrics()
    jobs = Jobs(store, lease_seconds=lease_seconds, ended=metrics.ended)
    service = Service(store, limits, metrics, jobs, log)

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
            await run_in_threadpool(jobs.close)

    app = FastAPI(title="Apportion", version=__version__, summary=ABOUT, redoc_url=None, lifespan=lifespan)
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    problems.install(app)
    if limits.origins:
        names = ["X-API-Key", "Idempotency-Key", "Prefer", "Content-Type"]
        methods = ["GET", "POST", "PUT", "DELETE"]
        app.add_middleware(
            CORSMiddleware, allow_origins=list(limits.origins), allow_methods=methods, allow_headers=names
        )
    app.add_middleware(Shield, service=service)
    return app
