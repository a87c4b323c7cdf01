"""The routes: which address leads to which page or deed."""

from __future__ import annotations

from starlette.routing import Route

from apportion.service.console.web import asking, reading
from apportion.service.console.web.frame import Deed, Page, deed, page
from apportion.service.console.web.pages import static_file

PAGES: dict[str, Page] = {
    "/": reading.plan,
    "/leads": reading.leads,
    "/lead": reading.lead,
    "/reps": reading.reps,
    "/rep": reading.rep,
    "/whatif": reading.whatif,
    "/scenarios": reading.scenarios,
    "/scenarios/file": reading.scenario_file,
    "/frontier": reading.frontier,
    "/policy": reading.policy,
    "/policy/document": reading.policy_document,
    "/policy/file": reading.policy_file,
    "/tables/{name}.csv": reading.table,
    "/jobs/{id}/answer": asking.job_answer,
}
DEEDS: dict[str, Deed] = {
    "/whatif": asking.ask,
    "/scenarios/save": asking.save,
    "/scenarios/put": asking.put,
    "/scenarios/delete": asking.delete,
    "/scenarios/compare": asking.compare,
    "/frontier": asking.study,
}


def routes() -> list[Route]:
    """Every route of the console."""
    return [
        *(Route(path, page(view), methods=["GET"]) for path, view in PAGES.items()),
        *(Route(path, deed(view), methods=["POST"]) for path, view in DEEDS.items()),
        Route("/jobs/{id}", asking.job_state, methods=["GET"]),
        Route("/jobs/{id}/cancel", asking.cancel, methods=["POST"]),
        Route("/load", asking.load, methods=["POST"]),
        Route("/static/{name}", static_file, methods=["GET"]),
    ]
