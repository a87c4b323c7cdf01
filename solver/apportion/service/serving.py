"""The whole service in one process: the API, the console, the schedule and the deliveries, until it is told to stop."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from apportion.service.api import Limits, make_app
from apportion.service.api.limits import Buckets
from apportion.service.clockwork import Clockwork
from apportion.service.console.kept.front import Front
from apportion.service.console.kept.pages import kept_application
from apportion.service.feed import read_feed
from apportion.service.outbox import read_sinks, tell
from apportion.service.settings import Settings
from apportion.service.store import Store
from apportion.service.watching import Metrics

Beside = Callable[[], AbstractAsyncContextManager[None]]
STOP_SECONDS = 20  # that answers which have begun may take when it stops
CONSOLE = "/console"
SIGN_INS = 20  # tries a minute from one address
PARTS_OF_A_REQUEST = 64 * 1024  # bytes of request line and headers


def make_ready(store: Store) -> None:
    """Bring an embedded store to this version. Raises ServiceError, with what to do, where a server's is not."""
    if store.embedded:
        store.migrate()
    store.check()


def service_app(store: Store, settings: Settings, *, log: Any = None) -> FastAPI:
    """The API and the console, with the clockwork beside them where the settings want it."""
    metrics, limits = Metrics(), limits_of(settings)
    routes = {} if settings.sinks is None else read_sinks(settings.sinks)
    tell(store, routes)
    feed = None if settings.sources is None else read_feed(settings.sources)
    clockwork = Clockwork(store, routes, lease_seconds=settings.lease_seconds, feed=feed, metrics=metrics, log=log)
    front = Front(store, try_in=Buckets(SIGN_INS).take, take=Buckets(limits.per_minute).take)
    app = make_app(
        store,
        limits=limits,
        metrics=metrics,
        log=log,
        lease_seconds=settings.lease_seconds,
        beside=_all((_going(clockwork), _open(front)) if settings.clockwork else (_open(front),)),
    )
    app.mount(CONSOLE, kept_application(front))
    return app


def limits_of(settings: Settings) -> Limits:
    """The limits that the settings name."""
    return Limits(
        body_bytes=int(settings.body_megabytes * 2**20),
        request_seconds=settings.request_seconds,
        per_minute=settings.requests_per_minute,
        answers_kept=dt.timedelta(hours=settings.answers_kept_hours),
        origins=settings.origins,
    )


def serve(store: Store, settings: Settings, *, log: Any = None) -> bool:
    """Answer until SIGINT or SIGTERM; what was begun is answered first. False where it could not start."""
    config = uvicorn.Config(
        service_app(store, settings, log=log),
        host=settings.host,
        port=settings.port,
        log_config=None,
        log_level="critical",  # lines of our own tell of requests, without addresses and paths
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=PARTS_OF_A_REQUEST,
    )
    server = uvicorn.Server(config)
    before = {number: signal.signal(number, _seen) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run()
    except SystemExit:
        return False  # uvicorn's way to say that the address is taken
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return server.started


def _seen(number: int, frame: object) -> None:
    """uvicorn raises a signal again after it has stopped: then all is done already."""


def _all(parts: tuple[Beside, ...]) -> Beside:
    @asynccontextmanager
    async def together() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in parts:
                await stack.enter_async_context(part())
            yield

    return together


def _open(front: Front) -> Beside:
    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await run_in_threadpool(front.close)

    return opened


def _going(clockwork: Clockwork) -> Beside:
    @asynccontextmanager
    async def going() -> AsyncIterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=clockwork.forever, args=(stop,), name="clockwork", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            await run_in_threadpool(thread.join, STOP_SECONDS)

    return going
