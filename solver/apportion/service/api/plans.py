"""`/v1/plans`: ask for the optimal mapping, see how far it is, call it off, read who gets whom and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Body, Header, Path, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import Discriminator, Tag

from apportion.connectors import csv_bytes
from apportion.service.api import problems
from apportion.service.api.access import Reading
from apportion.service.api.arrays import solved
from apportion.service.api.asking import read_ask
from apportion.service.api.once import Call, Write
from apportion.service.api.state import Here, Service
from apportion.service.api.strict import After, Name, PageLimit, StrictRoute
from apportion.service.store import Answer, Assignment, Run, Tx
from apportion.service.wire.arrays import ArraysTold
from apportion.service.wire.plans import (
    ArraysAsk,
    AssignmentPage,
    PlanPage,
    PlanTold,
    StoreAsk,
    TablesAsk,
)
from apportion_models.errors import ConflictError, NotFoundError

router = APIRouter(route_class=StrictRoute, tags=["plans"], prefix="/v1/plans")
MOST_WAIT = 20.0  # seconds: no longer than a service that is told to stop waits for its answers
COLUMNS = (
    "lead_id", "rep_id", "outcome", "fit", "deal_value", "expected_revenue", "opportunity", "effort", "tier",
    "propensity", "reason",
)  # fmt: skip
Id = Annotated[Name, Path()]
Prefer = Annotated[str | None, Header(description="`respond-async`: answer 202 at once, whatever the size.")]
Wait = Annotated[
    float,
    Query(ge=0, le=MOST_WAIT, description="Seconds: answer as soon as the plan is over, at the latest after so many."),
]
LINK = {"headers": {"Link": {"description": "The next page.", "schema": {"type": "string"}}}}
LOCATION = {"headers": {"Location": {"description": "Where the plan is.", "schema": {"type": "string"}}}}


def _source(body: Any) -> str | None:
    """Which of the three bodies it is meant to be."""
    keys = body if isinstance(body, dict) else {}
    for name, marks in (("ArraysAsk", ("problem",)), ("TablesAsk", ("leads", "reps")), ("StoreAsk", ("from_store",))):
        if any(mark in keys for mark in marks):
            return name
    return None


PlanBody = Annotated[
    Annotated[ArraysAsk, Tag("ArraysAsk")]
    | Annotated[TablesAsk, Tag("TablesAsk")]
    | Annotated[StoreAsk, Tag("StoreAsk")],
    Discriminator(
        _source,
        custom_error_type="one_source",
        custom_error_message="must have one of: problem; leads and reps; from_store: true",
    ),
    Body(),
]


@router.post(
    "",
    status_code=201,
    responses=problems.WITH_BODY
    | problems.UNKNOWN
    | problems.responses(504)
    | {
        200: {"model": ArraysTold, "description": "A problem of plain arrays: its optimal mapping, which is not kept."},
        201: {"model": PlanTold, "description": "The plan, done."} | LOCATION,
        202: {"model": PlanTold, "description": "A job: its plan is at Location."} | LOCATION,
    },
)
async def ask(body: PlanBody, call: Write, here: Here, prefer: Prefer = None) -> Response:
    """Ask for a plan. A small one is answered at once (201), a large one, or one asked for with
    `Prefer: respond-async`, as a job (202). Plain arrays are answered at once (200)."""
    if isinstance(body, ArraysAsk):
        async with here.seats.taken() as seconds:
            return await run_in_threadpool(_solved, body, call, seconds)
    plan_id, pairs = await run_in_threadpool(_begun, body, call)
    waits = pairs <= here.limits.at_once_pairs and "respond-async" not in (prefer or "").lower()
    run = await here.jobs.wait(plan_id, min(here.limits.at_once_seconds, here.limits.longest_work) if waits else 0.0)
    return _answered(run, at_once=waits)


@router.get("", response_model=PlanPage, responses=problems.READ)
def list_plans(here: Here, _: Reading, after: After = None, limit: PageLimit = 100) -> dict[str, Any]:
    """Plans, the newest first."""
    with here.store.read() as tx:
        page = tx.runs.page(after=after, limit=limit)
    return {"plans": [document(run, whole=False) for run in page], "next": page.after}


@router.get("/{plan_id}", response_model=PlanTold, responses=problems.READ | problems.UNKNOWN)
async def get_plan(plan_id: Id, here: Here, _: Reading, wait: Wait = 0.0) -> dict[str, Any]:
    """A plan: how far it is, what it is worth, and its certificate."""
    return document(await _there(here, plan_id, min(wait, here.limits.longest_work)))


@router.delete("/{plan_id}", status_code=202, response_model=PlanTold, responses=problems.WRITE | problems.UNKNOWN)
def cancel(plan_id: Id, call: Write) -> JSONResponse:
    """Call a plan off: at once where it waits, within seconds where it runs. Its leads wait again."""

    def called_off(tx: Tx) -> Answer:
        _run(tx, plan_id)
        return Answer(202, _plain(document(tx.runs.cancel(plan_id))))

    return call.answered(called_off)


@router.get(
    "/{plan_id}/assignments",
    response_model=AssignmentPage,
    responses=problems.READ
    | problems.UNKNOWN
    | problems.responses(409)
    | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}} | LINK},
)
def list_assignments(plan_id: Id, here: Here, _: Reading, after: After = None, limit: PageLimit = 1000,
                     format: Annotated[Literal["json", "csv"], Query()] = "json") -> Response:  # fmt: skip
    """Who gets whom, and why; a page at a time. `Link` names the next page."""
    with here.store.read() as tx:
        run = _run(tx, plan_id)
        if run.state != "done":
            raise ConflictError(f"The plan is {run.state}: it has no assignments.")
        page = tx.assignments.page(run_id=plan_id, after=after, limit=limit)
    here_is = f"/v1/plans/{plan_id}/assignments"
    link = f'<{here_is}?after={page.after}&limit={limit}&format={format}>; rel="next"'
    headers = {} if page.after is None else {"Link": link}
    if format == "csv":
        return Response(_csv(page.items), media_type="text/csv; charset=utf-8", headers=headers)
    return JSONResponse({"assignments": [dict(each.told) for each in page], "next": page.after}, headers=headers)


def document(run: Run, *, whole: bool = True) -> dict[str, Any]:
    """What is told of a plan. whole : also its certificate and its reps."""
    certificate, plan = run.certificate or {}, run.plan or {}
    numbers = {name: certificate.get(name) for name in ("objective", "bound", "gap")}
    names = ("kind", "created_at", "started_at", "finished_at", "at", "seed", "policy_version", "model_version")
    told = {"plan_id": run.run_id, "status": run.state} | {name: getattr(run, name) for name in names}
    told |= {"progress": run.progress if not run.is_over else None, "error": _error(run)} | numbers
    told |= {"summary": plan.get("summary")}
    told |= {"certificate": run.certificate, "reps": plan.get("reps")} if whole else {}
    return told | {"assignments": f"/v1/plans/{run.run_id}/assignments" if run.state == "done" else None}


def _solved(body: ArraysAsk, call: Call, seconds: float) -> JSONResponse:
    def work() -> Answer:
        told = solved(body.problem, gap=body.gap, time_limit=body.time_limit, seed=body.seed, most=seconds)
        return Answer(200, told)

    answer = call.held(work, seconds=call.here.limits.request_seconds)
    return JSONResponse(answer.response, status_code=answer.status)


def _begun(body: TablesAsk | StoreAsk, call: Call) -> tuple[str, int]:
    """The plan's id, and its leads × reps."""
    answer = call.once(read_ask(body).add)
    call.here.jobs.begin(answer.response["plan_id"])
    return answer.response["plan_id"], answer.response["pairs"]


def _answered(run: Run, *, at_once: bool) -> Response:
    headers = {"Location": f"/v1/plans/{run.run_id}"}
    if at_once and run.state == "failed":
        error = run.error or {}
        response = problems.of_code(error.get("code", "bug"), error.get("message", ""), plan_id=run.run_id)
        response.headers["Location"] = headers["Location"]
        return response
    status = 201 if at_once and run.is_over else 202
    return JSONResponse(_plain(document(run)), status_code=status, headers=headers)


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = PlanTold.model_validate(told).model_dump(mode="json")
    return plain


def _error(run: Run) -> dict[str, Any] | None:
    return None if run.error is None else {"code": run.error.get("code"), "message": run.error.get("message")}


async def _there(here: Service, plan_id: str, seconds: float) -> Run:
    try:
        return await here.jobs.wait(plan_id, seconds)
    except NotFoundError:
        raise _no_plan(plan_id) from None


def _run(tx: Tx, plan_id: str) -> Run:
    try:
        return tx.runs.get(plan_id)
    except NotFoundError:
        raise _no_plan(plan_id) from None


def _no_plan(plan_id: str) -> NotFoundError:
    return NotFoundError(f"There is no plan {plan_id!r}.")


def _csv(items: tuple[Assignment, ...]) -> bytes:
    return csv_bytes(pd.DataFrame([[getattr(one, name) for name in COLUMNS] for one in items], columns=list(COLUMNS)))
