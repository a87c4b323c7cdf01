"""What every route shares: the console behind it, the plan that it needs, and how its faults are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from apportion.service.console.console import Console
from apportion.service.console.today import Today
from apportion.service.console.web.pages import fault_page, fault_part, waiting_page
from apportion_models.errors import ApportionError, UsageError

MOST_FIELDS = 20_000
Fields = dict[str, list[str]]
Page = Callable[[Request, Today], Response]
Deed = Callable[[Request, Today, Fields], Response]


def console_of(request: Request) -> Console:
    """The console that the request came to. Raises NotFoundError where a run is named that is not there."""
    if not hasattr(request.state, "console"):
        request.state.console = request.app.state.desk(request)
    console: Console = request.state.console
    return console


def page(view: Page) -> Callable[[Request], Response]:
    """A page that needs today's plan: without it, what is being done about it."""

    @wraps(view)
    def endpoint(request: Request) -> Response:
        try:
            console = console_of(request)
            today = console.today
            return waiting_page(request, console) if today is None else view(request, today)
        except UsageError as error:
            return fault_page(request, error, status=404)
        except ApportionError as error:
            return fault_page(request, error)

    return endpoint


def deed(view: Deed) -> Callable[[Request], Awaitable[Response]]:
    """What a form asks for: its faults are told as a part of the page."""

    def done(request: Request, body: bytes) -> Response:
        try:
            today = console_of(request).today
            if today is None:
                raise UsageError("There is no plan yet to compare with.")
            return view(request, today, _fields(body))
        except ApportionError as error:
            return fault_part(request, error)

    @wraps(view)
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(done, request, await request.body())

    return endpoint


def _fields(body: bytes) -> Fields:
    """A form's fields by name; a box that is ticked twice is there twice."""
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise UsageError(f"The form cannot be read: {error}.") from None
    fields: Fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields
