"""The routes: each reads its request, asks a view, and renders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from apportion.policy import document_policy
from apportion.problem import Share
from apportion.service.console import tables
from apportion.service.console.console import ASK, COMPARE, STUDY, Console
from apportion.service.console.jobs import Job
from apportion.service.console.panel import open_panel, read_panel, told
from apportion.service.console.today import Today
from apportion.service.console.views.answers import answer_view, study_view
from apportion.service.console.views.cells import to
from apportion.service.console.views.leads import OUTCOMES, Query, lead_view, leads_view
from apportion.service.console.views.plan import plan_view, rep_charts
from apportion.service.console.views.reps import rep_view, reps_view
from apportion.service.console.web.pages import (
    fault_page,
    fault_part,
    render,
    static_file,
    waiting_page,
)
from apportion.whatif import Comparison, Scenario, load_scenario
from apportion_models.errors import ApportionError, UsageError

MOST_FIELDS = 20_000
Fields = dict[str, list[str]]
Page = Callable[[Request, Today], Response]
Deed = Callable[[Request, Today, Fields], Response]


def _console(request: Request) -> Console:
    console: Console = request.app.state.console
    return console


def _page(view: Page) -> Callable[[Request], Response]:
    """A page that needs today's plan: without it, what is being done about it."""

    @wraps(view)
    def endpoint(request: Request) -> Response:
        console = _console(request)
        today = console.today
        if today is None:
            return waiting_page(request, console.loading)
        try:
            return view(request, today)
        except UsageError as error:
            return fault_page(request, error, status=404)
        except ApportionError as error:
            return fault_page(request, error)

    return endpoint


def _deed(view: Deed) -> Callable[[Request], Awaitable[Response]]:
    """What a form asks for: its faults are told as a part of the page."""

    def done(request: Request, body: bytes) -> Response:
        today = _console(request).today
        try:
            if today is None:
                raise UsageError("There is no plan yet to compare with.")
            fields: Fields = {}
            pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
            for name, value in pairs:
                fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
            return view(request, today, fields)
        except ApportionError as error:
            return fault_part(request, error)
        except ValueError as error:
            return fault_part(request, UsageError(f"The form cannot be read: {error}."))

    @wraps(view)
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(done, request, await request.body())

    return endpoint


def _one(fields: Fields) -> dict[str, str]:
    return {name: values[-1] for name, values in fields.items()}


def _asked(job: Job) -> JSONResponse:
    return JSONResponse({"job": job.id}, 202)


def _go(request: Request, address: str) -> JSONResponse:
    return JSONResponse({"go": request.scope.get("root_path", "") + address})


# --- pages ---------------------------------------------------------------------------------------------------------


def plan(request: Request, today: Today) -> Response:
    """Today's plan and its certificate."""
    view = plan_view(today)
    return render(request, "plan.html.j2", active="", view=view, charts=view.charts)


def leads(request: Request, today: Today) -> Response:
    """Leads, looked for by id, rep, outcome and tier."""
    query = _query(request)
    tiers = today.report.batch.tier_names
    return render(request, "leads.html.j2", active="leads", view=leads_view(today, query), outcomes=OUTCOMES,
                  tiers=tiers, csv=to("tables/leads.csv", **_filters(query)), filters=_filters(query))  # fmt: skip


def _query(request: Request) -> Query:
    given = request.query_params
    page = given.get("page", "1")
    return Query(given.get("text", ""), given.get("rep", ""), given.get("outcome", ""), given.get("tier", ""),
                 int(page) if page.isdecimal() and len(page) < 9 else 1)  # fmt: skip


def _filters(query: Query) -> dict[str, str]:
    return {"text": query.text, "rep": query.rep, "outcome": query.outcome, "tier": query.tier}


def lead(request: Request, today: Today) -> Response:
    """One lead: reasons, runner-up, and why not another rep."""
    view = lead_view(today, request.query_params.get("id", ""), request.query_params.get("rep", ""))
    return render(request, "lead.html.j2", active="leads", view=view)


def reps(request: Request, today: Today) -> Response:
    """All reps."""
    return render(request, "reps.html.j2", active="reps", table=reps_view(today), charts=rep_charts(today))


def rep(request: Request, today: Today) -> Response:
    """One rep: load, capacity, share, leads, and why not that one."""
    view = rep_view(today, request.query_params.get("id", ""), request.query_params.get("lead", ""))
    return render(request, "rep.html.j2", active="reps", view=view)


def whatif(request: Request, today: Today) -> Response:
    """The panel, turned as a saved scenario says, or as it was when it was last answered."""
    console, file = _console(request), request.query_params.get("file", "")
    job = "" if file or "fresh" in request.query_params else _open(request, ASK)
    asked = console.jobs.find(job)
    scenario = console.shelf.scenarios([file])[0] if file else None if asked is None else asked.subject[0]
    panel = open_panel(today.setting, today.report.batch, scenario)
    return render(request, "whatif.html.j2", active="whatif", panel=panel, file=file, job=job)


def scenarios(request: Request, today: Today) -> Response:
    """The saved scenarios, and their comparison."""
    shelf = _console(request).shelf
    kept = [(one, told(one.scenario) if one.scenario is not None else ()) for one in shelf.all()]
    return render(request, "scenarios.html.j2", active="scenarios", kept=kept, folder=shelf.folder,
                  job=_open(request, COMPARE))  # fmt: skip


def frontier(request: Request, today: Today) -> Response:
    """Studies beside today's plan."""
    rules = [str(rule.name) for rule in today.report.batch.problem.equity if isinstance(rule, Share)]
    return render(request, "frontier.html.j2", active="frontier", rules=rules, job=_open(request, STUDY))


def _open(request: Request, kind: str) -> str:
    """The job whose answer the page shows: the one that is named, else the latest of its kind."""
    jobs = _console(request).jobs
    named = jobs.find(request.query_params.get("job", ""))
    job = named if named is not None and named.kind == kind else jobs.last(kind)
    return "" if job is None else job.id


def policy(request: Request, today: Today) -> Response:
    """The policy as a document, in a frame of its own."""
    return render(request, "policy.html.j2", active="policy", policy=today.setting.policy)


def policy_document(request: Request, today: Today) -> Response:
    """The document alone."""
    return HTMLResponse(document_policy(today.setting.policy), headers={"cache-control": "no-store"})


def policy_file(request: Request, today: Today) -> Response:
    """The policy as a file, with what is at its default left out."""
    content = today.setting.policy.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return _file(yaml.safe_dump({"version": 1, **content}, sort_keys=False, allow_unicode=True).encode(), "policy.yaml")


def table(request: Request, today: Today) -> Response:
    """A table as CSV."""
    name = request.path_params["name"]
    if name == "leads":
        found = tables.leads_table(today, _query(request))
    elif name in tables.TODAY:
        found = tables.TODAY[name](today)
    else:
        result = _result(request)
        if name in tables.COMPARED and isinstance(result, Comparison):
            found = tables.COMPARED[name](result)
        elif name == "study" and isinstance(result, tuple):
            found = tables.study_frame(result[1])
        else:
            raise UsageError("There is no such table, or its answer is no longer held: ask again.")
    return _file(tables.safe_csv(found), f"{name}.csv", "text/csv; charset=utf-8")


def _result(request: Request) -> Any:
    job = _console(request).jobs.find(request.query_params.get("job", ""))
    return None if job is None or job.state != "done" else job.result


def _file(content: bytes, name: str, kind: str = "application/yaml; charset=utf-8") -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


def scenario_file(request: Request, today: Today) -> Response:
    """A saved scenario as its file is."""
    name = request.query_params.get("file", "")
    text = _console(request).shelf.text(name)
    return _file(text.encode(), "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name))


# --- deeds ---------------------------------------------------------------------------------------------------------


def ask(request: Request, today: Today, fields: Fields) -> Response:
    """Answer the panel's scenario."""
    return _asked(_console(request).ask(today, _scenario(request, today, fields)))


def _scenario(request: Request, today: Today, fields: Fields) -> Scenario:
    found = read_panel(today.setting, today.report.batch, _one(fields))
    return _console(request).shelf.guard(found)


def save(request: Request, today: Today, fields: Fields) -> Response:
    """Save the panel's scenario."""
    scenario = _scenario(request, today, fields)
    file = _console(request).shelf.save(scenario, replace="replace" in fields)
    return render(request, "saved_part.html.j2", file=file, name=scenario.name)


def put(request: Request, today: Today, fields: Fields) -> Response:
    """Take the text of a scenario file in; it is read and checked, and nothing in it is ever run."""
    text = _one(fields).get("text", "")
    if not text.strip():
        raise UsageError("Choose a scenario file, or write one.")
    shelf = _console(request).shelf
    shelf.save(shelf.guard(load_scenario(f"{text}\n")), replace="replace" in fields)
    return _go(request, "/scenarios")


def delete(request: Request, today: Today, fields: Fields) -> Response:
    """Delete a saved scenario."""
    _console(request).shelf.delete(_one(fields).get("file", ""))
    return _go(request, "/scenarios")


def compare(request: Request, today: Today, fields: Fields) -> Response:
    """Compare saved scenarios."""
    console = _console(request)
    chosen = console.shelf.scenarios(fields.get("file", []))
    return _asked(console.compare(today, chosen, together="together" in fields, sources="sources" in fields))


def study(request: Request, today: Today, fields: Fields) -> Response:
    """Start a study."""
    one = _one(fields)
    return _asked(_console(request).study(today, one.get("kind", ""), one.get("rule") or None))


# --- jobs ----------------------------------------------------------------------------------------------------------


def job_state(request: Request) -> Response:
    """How far a job is."""
    job = _console(request).jobs.find(request.path_params["id"])
    if job is None:
        return JSONResponse({"state": "gone", "step": "", "seconds": 0}, 404, {"cache-control": "no-store"})
    return JSONResponse(job.document(), headers={"cache-control": "no-store"})


async def cancel(request: Request) -> Response:
    """Call a job off."""
    job = _console(request).jobs.find(request.path_params["id"])
    if job is not None:
        job.cancel()
    return Response(status_code=204)


def job_answer(request: Request, today: Today) -> Response:
    """What came out of a job, as a part of the page."""
    job = _console(request).jobs.find(request.path_params["id"])
    if job is None or job.open or job.state == "cancelled":
        return render(request, "nothing_part.html.j2", job=job)
    if job.fault is not None:
        return fault_part(request, job.fault)
    if isinstance(job.result, Comparison):
        view = answer_view(today, job.result, job.id, job.seconds)
        return render(request, "answer_part.html.j2", view=view, charts=view.charts, captions=view.captions)
    kind, found = job.result
    shown = study_view(kind, found, today.currency, job.id)
    return render(request, "study_part.html.j2", view=shown, charts=shown.charts, captions=shown.captions)


async def load(request: Request) -> Response:
    """Read the inputs again."""
    console = _console(request)
    if not console.loading.open:
        await run_in_threadpool(console.load)
    return _go(request, "/")


PAGES: dict[str, Page] = {
    "/": plan,
    "/leads": leads,
    "/lead": lead,
    "/reps": reps,
    "/rep": rep,
    "/whatif": whatif,
    "/scenarios": scenarios,
    "/scenarios/file": scenario_file,
    "/frontier": frontier,
    "/policy": policy,
    "/policy/document": policy_document,
    "/policy/file": policy_file,
    "/tables/{name}.csv": table,
    "/jobs/{id}/answer": job_answer,
}
DEEDS: dict[str, Deed] = {
    "/whatif": ask,
    "/scenarios/save": save,
    "/scenarios/put": put,
    "/scenarios/delete": delete,
    "/scenarios/compare": compare,
    "/frontier": study,
}


def routes() -> list[Route]:
    """Every route of the console."""
    return [
        *(Route(path, _page(view), methods=["GET"]) for path, view in PAGES.items()),
        *(Route(path, _deed(view), methods=["POST"]) for path, view in DEEDS.items()),
        Route("/jobs/{id}", job_state, methods=["GET"]),
        Route("/jobs/{id}/cancel", cancel, methods=["POST"]),
        Route("/load", load, methods=["POST"]),
        Route("/static/{name}", static_file, methods=["GET"]),
    ]
