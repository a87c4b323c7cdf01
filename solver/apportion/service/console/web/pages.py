"""Rendering: templates, figures' scripts, and the files that pages load."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from apportion.service.console.console import Console
from apportion.service.console.views.plan import findings_table
from apportion.service.console.web.guard import HOME
from apportion_models.errors import ApportionError, InputError, ServiceError

NAV = (("", "Plan"), ("leads", "Leads"), ("reps", "Reps"), ("whatif", "What if"), ("scenarios", "Scenarios"),
       ("frontier", "Frontier"), ("policy", "Policy"))  # fmt: skip
AWAY = "The store is busy or away. Nothing was changed: ask again a little later."
TITLES = {403: "That may not be done with this key", 404: "That is not here", 409: "That cannot be shown",
          500: "Something broke", 503: "The store does not answer"}  # fmt: skip


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("apportion.service.console", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page or a part of one, under the root at which the console is mounted; `request.state.console` is of the plan
    that it is about."""
    console: Console | None = getattr(request.state, "console", None)
    today = None if console is None else console.today
    page = {
        "home": request.scope.get(HOME, ""),
        "root": request.scope.get("root_path", ""),
        "nav": () if console is None else NAV,
        "active": None,
        "source": None if console is None else console.source,
        "today": today,
        "currency": "" if today is None else today.currency,
        "may_ask": True,
        "signed_in": False,
        "charts": {},
        "captions": {},
        **request.scope.get("apportion.page", {}),
        **values,
    }
    return HTMLResponse(_environment().get_template(template).render(page), status, {"cache-control": "no-store"})


def fault_words(error: ApportionError) -> dict[str, Any]:
    """What went wrong, as a template shows it: findings as a table, anything else as sentences; of the store no
    address."""
    if isinstance(error, InputError):
        return {"findings": findings_table(list(error.findings)), "lines": ()}
    text = AWAY if isinstance(error, ServiceError) else str(error)
    return {"findings": None, "lines": tuple(line for line in text.splitlines() if line.strip())}


def fault_page(request: Request, error: ApportionError, *, status: int | None = None) -> HTMLResponse:
    """A whole page that tells what went wrong."""
    status = status or (503 if isinstance(error, ServiceError) else error.http_status)
    title = TITLES.get(status, "That cannot be answered")
    return render(request, "fault.html.j2", status=status, title=title, **fault_words(error))


def fault_part(request: Request, error: ApportionError) -> HTMLResponse:
    """The same as a part of a page."""
    return render(request, "fault_part.html.j2", status=error.http_status, **fault_words(error))


def waiting_page(request: Request, console: Console) -> HTMLResponse:
    """While there is no plan yet: what is being done, or why there will be none."""
    job = console.loading
    if job.fault is not None:
        told = fault_words(job.fault)
        return render(request, "unready.html.j2", status=job.fault.http_status, job=job, **told)
    return render(request, "loading.html.j2", job=job)


def _own(name: str, package: str = "apportion.service.console", folder: str = "static") -> Callable[[], bytes]:
    return lambda: files(package).joinpath(folder, name).read_bytes()


def _plotly() -> bytes:
    from plotly.offline import get_plotlyjs  # five megabytes: only when a page asks for it

    return str(get_plotlyjs()).encode()


STATIC: dict[str, tuple[str, Callable[[], bytes]]] = {
    "console.css": ("text/css", _own("console.css")),
    "console.js": ("text/javascript", _own("console.js")),
    "locale.js": ("text/javascript", _own("locale.js")),
    "page.js": ("text/javascript", _own("page.js", "apportion.reasons.report", "templates")),
    "report.css": ("text/css", _own("report.css", "apportion.reasons.report", "templates")),
    "plotly.js": ("text/javascript", _plotly),
}


@cache
def _content(name: str) -> bytes:
    return STATIC[name][1]()


def static_file(request: Request) -> Response:
    """One of the files that pages load; nothing else can be named."""
    name = request.path_params["name"]
    if name not in STATIC:
        return Response("There is no such file.", 404)
    lasting = "max-age=86400" if name == "plotly.js" else "no-cache"
    return Response(_content(name), media_type=STATIC[name][0], headers={"cache-control": lasting})
