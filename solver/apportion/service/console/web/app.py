"""The console as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from apportion.service.console.console import Console
from apportion.service.console.web.guard import HEADERS, Guard
from apportion.service.console.web.pages import fault_page
from apportion.service.console.web.routes import routes
from apportion_models.errors import ApportionError, UsageError


def application(console: Console, hosts: Collection[str] | None) -> Starlette:
    """The pages of a console. hosts : the names under which it answers; None: any. To be served alone, or mounted; it
    closes the console when it stops."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        console.close()

    app = Starlette(
        routes=routes(),
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={HTTPException: no_page, Exception: bug},
        lifespan=lifespan,
    )
    app.state.console, app.state.desk = console, lambda _: console
    return app


async def no_page(request: Request, error: Exception) -> Response:
    """An address that there is not."""
    status = getattr(error, "status_code", 404)
    request.state.console = getattr(request.app.state, "console", None)
    words = "There is no such page." if status == 404 else f"This cannot be asked here ({status})."
    return fault_page(request, UsageError(words), status=status)


async def bug(request: Request, error: Exception) -> Response:
    """500, without a word of what is inside."""
    page = fault_page(request, ApportionError("This is a bug in Apportion. The lines where it runs tell more."))
    page.headers.update({name.decode(): value.decode() for name, value in HEADERS})  # the guard is not asked any more
    return page
