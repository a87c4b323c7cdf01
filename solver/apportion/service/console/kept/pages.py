"""The service's own pages around a plan: sign-in, the runs, and the console of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from apportion.service.console.console import Console
from apportion.service.console.kept.entrance import COOKIE, Entrance, drop, keep, session_of, token_of, within
from apportion.service.console.kept.view import plans_view
from apportion.service.console.web.app import bug, no_page
from apportion.service.console.web.guard import HOME, Guard
from apportion.service.console.web.pages import fault_page, fault_words, render, static_file
from apportion.service.console.web.routes import routes
from apportion_models.errors import ApportionError, ServiceError

if TYPE_CHECKING:
    from apportion.service.console.kept.front import Front

__all__ = ["COOKIE", "kept_application"]


def kept_application(front: Front) -> Starlette:
    """The console of a store's plans, to be mounted. Who mounts it calls `front.close()` at the end."""
    app = Starlette(
        routes=[
            Route("/", _told(_first), methods=["GET"]),
            Route("/runs", _told(_runs), methods=["GET"]),
            Route("/signin", _door, methods=["GET"]),
            Route("/signin", _sign_in, methods=["POST"]),
            Route("/signout", _sign_out, methods=["POST"]),
            Route("/static/{name}", static_file, methods=["GET"]),
            Mount("/runs/{run}", routes=routes()),
        ],
        middleware=[Middleware(Guard, hosts=None), Middleware(Entrance, front=front)],
        exception_handlers={HTTPException: no_page, Exception: bug},
    )
    app.state.front, app.state.desk = front, _desk
    return app


def _front(request: Request) -> Front:
    front: Front = request.app.state.front
    return front


def _desk(request: Request) -> Console:
    return _front(request).console(session_of(request), request.path_params["run"])


def _told(view: Callable[[Request], Response]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        try:
            return view(request)
        except ApportionError as error:
            return fault_page(request, error)

    return endpoint


def _first(request: Request) -> Response:
    """Today's plan: that of the newest batch; before the first, what there is."""
    run = _front(request).latest()
    return RedirectResponse(f"{request.scope[HOME]}/runs" + ("" if run is None else f"/{run}/"), 303)


def _runs(request: Request) -> Response:
    view = plans_view(_front(request).store)
    return render(request, "runs.html.j2", active="runs", view=view, currency=view.currency)


def _door(request: Request) -> Response:
    return _door_page(request, request.query_params.get("then", "/"))


def _door_page(request: Request, then: str, fault: str = "", status: int = 200) -> Response:
    return render(request, "signin.html.j2", status=status, then=within(then), fault=fault)


async def _sign_in(request: Request) -> Response:
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=9)
    return await run_in_threadpool(_signed_in, request, fields)


def _signed_in(request: Request, fields: dict[str, list[str]]) -> Response:
    secret, then = fields.get("key", [""])[0], fields.get("then", ["/"])[0]
    address = request.client.host if request.client else ""
    try:
        token = _front(request).sign_in(secret, address)
    except ApportionError as error:
        status = 503 if isinstance(error, ServiceError) else error.http_status
        return _door_page(request, then, " ".join(fault_words(error)["lines"]), status)
    return keep(request, RedirectResponse(request.scope[HOME] + within(then), 303), token)


def _sign_out(request: Request) -> Response:
    _front(request).sessions.end(token_of(request) or "")
    return drop(request, RedirectResponse(f"{request.scope[HOME]}/signin", 303))
