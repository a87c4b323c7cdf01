"""What forms ask for, and the jobs that answer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from apportion.service.console.jobs import Job
from apportion.service.console.panel import read_panel
from apportion.service.console.today import Today
from apportion.service.console.views.answers import answer_view, study_view
from apportion.service.console.web.frame import Fields, console_of
from apportion.service.console.web.pages import fault_part, render
from apportion.whatif import Comparison, Scenario, load_scenario
from apportion_models.errors import UsageError


def _one(fields: Fields) -> dict[str, str]:
    return {name: values[-1] for name, values in fields.items()}


def _asked(job: Job) -> JSONResponse:
    return JSONResponse({"job": job.id}, 202)


def _go(request: Request, address: str) -> JSONResponse:
    return JSONResponse({"go": request.scope.get("root_path", "") + address})


def ask(request: Request, today: Today, fields: Fields) -> Response:
    """Answer the panel's scenario."""
    return _asked(console_of(request).ask(today, _scenario(request, today, fields), exact="exact" in fields))


def _scenario(request: Request, today: Today, fields: Fields) -> Scenario:
    found = read_panel(today.setting, today.report.batch, _one(fields))
    return console_of(request).shelf.guard(found)


def save(request: Request, today: Today, fields: Fields) -> Response:
    """Save the panel's scenario."""
    scenario = _scenario(request, today, fields)
    file = console_of(request).shelf.save(scenario, replace="replace" in fields)
    return render(request, "saved_part.html.j2", file=file, name=scenario.name)


def put(request: Request, today: Today, fields: Fields) -> Response:
    """Take the text of a scenario file in; it is read and checked, and nothing in it is ever run."""
    text = _one(fields).get("text", "")
    if not text.strip():
        raise UsageError("Choose a scenario file, or write one.")
    shelf = console_of(request).shelf
    shelf.save(shelf.guard(load_scenario(f"{text}\n")), replace="replace" in fields)
    return _go(request, "/scenarios")


def delete(request: Request, today: Today, fields: Fields) -> Response:
    """Delete a saved scenario."""
    console_of(request).shelf.delete(_one(fields).get("file", ""))
    return _go(request, "/scenarios")


def compare(request: Request, today: Today, fields: Fields) -> Response:
    """Compare saved scenarios."""
    console = console_of(request)
    chosen = console.shelf.scenarios(fields.get("file", []))
    return _asked(console.compare(today, chosen, together="together" in fields, sources="sources" in fields))


def study(request: Request, today: Today, fields: Fields) -> Response:
    """Start a study."""
    one = _one(fields)
    return _asked(console_of(request).study(today, one.get("kind", ""), one.get("rule") or None))


def job_state(request: Request) -> Response:
    """How far a job is."""
    job = console_of(request).find(request.path_params["id"])
    if job is None:
        return JSONResponse({"state": "gone", "step": "", "seconds": 0}, 404, {"cache-control": "no-store"})
    return JSONResponse(job.document(), headers={"cache-control": "no-store"})


def cancel(request: Request) -> Response:
    """Call a job off."""
    job = console_of(request).jobs.find(request.path_params["id"])
    if job is not None:
        job.cancel()
    return Response(status_code=204)


def job_answer(request: Request, today: Today) -> Response:
    """What came out of a job, as a part of the page."""
    job = console_of(request).jobs.find(request.path_params["id"])
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


def load(request: Request) -> Response:
    """Open the plan again."""
    console_of(request).load()
    return _go(request, "/")
