"""The pages that are read: each asks a view, and renders it."""

from __future__ import annotations

from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from apportion.connectors import csv_bytes
from apportion.policy import document_policy
from apportion.problem import Share
from apportion.service.console import tables
from apportion.service.console.console import ASK, COMPARE, STUDY
from apportion.service.console.panel import open_panel, told
from apportion.service.console.shelf import slug
from apportion.service.console.today import Today
from apportion.service.console.views.cells import to
from apportion.service.console.views.leads import OUTCOMES, Query, lead_view, leads_view
from apportion.service.console.views.plan import plan_view, rep_charts
from apportion.service.console.views.reps import rep_view, reps_view
from apportion.service.console.web.frame import console_of
from apportion.service.console.web.pages import render
from apportion.whatif import Comparison
from apportion_models.errors import UsageError


def plan(request: Request, today: Today) -> Response:
    """Today's plan and its certificate."""
    view, title = plan_view(today), console_of(request).source.standing().title
    return render(request, "plan.html.j2", active="", title=title, view=view, charts=view.charts)


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
    console, file = console_of(request), request.query_params.get("file", "")
    job = "" if file or "fresh" in request.query_params else _open(request, ASK)
    asked = console.jobs.find(job)
    scenario = console.shelf.scenarios([file])[0] if file else None if asked is None else asked.subject[0]
    panel = open_panel(today.setting, today.report.batch, scenario)
    return render(request, "whatif.html.j2", active="whatif", panel=panel, file=file, job=job)


def scenarios(request: Request, today: Today) -> Response:
    """The saved scenarios, and their comparison."""
    shelf = console_of(request).shelf
    kept = [(one, told(one.scenario) if one.scenario is not None else ()) for one in shelf.all()]
    return render(request, "scenarios.html.j2", active="scenarios", kept=kept, about=shelf.about,
                  job=_open(request, COMPARE))  # fmt: skip


def frontier(request: Request, today: Today) -> Response:
    """Studies beside today's plan."""
    rules = [str(rule.name) for rule in today.report.batch.problem.equity if isinstance(rule, Share)]
    return render(request, "frontier.html.j2", active="frontier", rules=rules, job=_open(request, STUDY))


def _open(request: Request, kind: str) -> str:
    """The job whose answer the page shows: the one that is named, else the latest of its kind."""
    jobs = console_of(request).jobs
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
    return _file(csv_bytes(found), f"{name}.csv", "text/csv; charset=utf-8")


def _result(request: Request) -> Any:
    job = console_of(request).jobs.find(request.query_params.get("job", ""))
    return None if job is None or job.state != "done" else job.result


def _file(content: bytes, name: str, kind: str = "application/yaml; charset=utf-8") -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


def scenario_file(request: Request, today: Today) -> Response:
    """A saved scenario as its file is."""
    name = request.query_params.get("file", "")
    text = console_of(request).shelf.text(name)
    return _file(text.encode(), f"{slug(name.removesuffix('.yaml'))}.yaml")
