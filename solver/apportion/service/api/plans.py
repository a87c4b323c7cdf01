"""`/v1/plans`: ask for the optimal mapping, see how far it is, call it off, read who gets whom and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse

from apportion.app.assign import read_tables
from apportion.app.sources import Sources
from apportion.build import Tables
from apportion.connectors import csv_bytes
from apportion.policy import Policy
from apportion.service.api import problems
from apportion.service.api.access import Reading
from apportion.service.api.matrix import solved
from apportion.service.api.once import Call, Write
from apportion.service.api.plan_models import TABLES, AssignmentPage, MatrixTold, PlanAsk, PlanTold
from apportion.service.api.rules import read_policy
from apportion.service.api.state import Here
from apportion.service.api.strict import Cursor, Name, PageSize, StrictRoute
from apportion.service.api.tables import frame
from apportion.service.runs import ask_given
from apportion.service.store import Answer, Assignment, Run, Tx
from apportion_models.errors import ConflictError, NotFoundError

router = APIRouter(route_class=StrictRoute, tags=["plans"], prefix="/v1/plans")
REFUSED = problems.responses(401, 403, 422, 429, 503)
COLUMNS = (
    "lead_id", "rep_id", "outcome", "fit", "deal_value", "expected_revenue", "opportunity", "effort", "tier",
    "propensity", "reason",
)  # fmt: skip
Prefer = Annotated[str | None, Header(description="`respond-async`: answer 202 at once, whatever the size.")]


@router.post(
    "",
    status_code=201,
    responses=REFUSED
    | {
        200: {"model": MatrixTold, "description": "A problem of plain arrays: its optimal mapping, which is not kept."},
        201: {"model": PlanTold, "description": "The plan, done."},
        202: {"model": PlanTold, "description": "A job: its plan is at Location."},
    }
    | problems.responses(400, 409, 504),
)
def ask(body: PlanAsk, call: Write, here: Here, prefer: Prefer = None) -> Response:
    """Ask for a plan. A small one is answered at once (201), a large one, or one asked for with
    `Prefer: respond-async`, as a job (202). Plain arrays are answered at once (200)."""
    if body.problem is not None:
        return _matrix(body, call)
    policy = None if body.policy is None else read_policy(body.policy)
    tables = _tables(body)
    answer = call.once(
        lambda tx: Answer(202, {"plan_id": _asked(tx, body, policy, tables), "pairs": _pairs(tx, tables)})
    )
    plan_id = str(answer.response["plan_id"])
    here.jobs.begin(plan_id)
    small = answer.response["pairs"] <= here.limits.at_once_pairs
    waits = small and "respond-async" not in (prefer or "").lower()
    run = here.jobs.wait(plan_id, min(here.limits.at_once_seconds, 0.8 * here.limits.request_seconds) if waits else 0.0)
    return _told(run, at_once=waits)


@router.get("", responses=REFUSED)
def listed(here: Here, _: Reading, after: Annotated[Cursor, Query()] = None,
           limit: Annotated[PageSize, Query()] = 100) -> dict[str, Any]:  # fmt: skip
    """Plans, the newest first."""
    with here.store.read() as tx:
        page = tx.runs.page(after=after, limit=limit)
    return {"plans": [document(run, whole=False) for run in page], "next": page.after}


@router.get("/{plan_id}", response_model=PlanTold, responses=REFUSED | problems.responses(404))
def one(plan_id: Name, here: Here, _: Reading) -> dict[str, Any]:
    """A plan: how far it is, what it is worth, and its certificate."""
    with here.store.read() as tx:
        return document(_run(tx, plan_id))


@router.delete("/{plan_id}", status_code=202, response_model=PlanTold,
               responses=REFUSED | problems.responses(404, 409))  # fmt: skip
def cancel(plan_id: Name, call: Write) -> JSONResponse:
    """Call a plan off: at once where it waits, within seconds where it runs. Its leads wait again."""

    def called_off(tx: Tx) -> Answer:
        _run(tx, plan_id)
        return Answer(202, _plain(document(tx.runs.cancel(plan_id))))

    return call.answered(called_off)


@router.get(
    "/{plan_id}/assignments",
    response_model=AssignmentPage,
    responses=REFUSED | problems.responses(404, 409) | {200: {"content": {"text/csv": {}}}},
)
def assignments(plan_id: Name, here: Here, _: Reading, after: Annotated[Cursor, Query()] = None,
                limit: Annotated[PageSize, Query()] = 1000,
                format: Annotated[Literal["json", "csv"], Query()] = "json") -> Response:  # fmt: skip
    """Who gets whom, and why; a page at a time. `Link` names the next page."""
    with here.store.read() as tx:
        run = _run(tx, plan_id)
        if run.state != "done":
            raise ConflictError(f"The plan is {run.state}: it has no assignments.")
        page = tx.assignments.page(run_id=plan_id, after=after, limit=limit)
    headers = {}
    if page.after is not None:
        headers["Link"] = (
            f'</v1/plans/{plan_id}/assignments?after={page.after}&limit={limit}&format={format}>; rel="next"'
        )
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


def _matrix(body: PlanAsk, call: Call) -> JSONResponse:
    matrix, most = body.problem, 0.8 * call.here.limits.request_seconds
    assert matrix is not None
    answer = call.held(
        lambda: Answer(200, solved(matrix, gap=body.gap, time_limit=body.time_limit, seed=body.seed, most=most)),
        seconds=call.here.limits.request_seconds,
    )
    return JSONResponse(answer.response, status_code=answer.status)


def _tables(body: PlanAsk) -> Tables | None:
    """The tables of the body, checked. Raises InputError with the faults of all."""
    if body.from_store:
        return None
    given = {name: getattr(body, name) for name in TABLES if getattr(body, name) is not None}
    frames: dict[str, Any] = {name: frame(name, rows) for name, rows in given.items()}
    return read_tables(Sources(**frames)).tables


def _asked(tx: Tx, body: PlanAsk, policy: Policy | None, tables: Tables | None) -> str:
    if body.model_version is not None:
        tx.models.get(body.model_version)
    elif tx.models.active_version() is None:
        raise ConflictError("No fit model is in use: add one with `apportion store model DIR`, which activates it.")
    version = None if policy is None else tx.policies.add(policy).version
    about: dict[str, Any] = {"at": body.at, "seed": body.seed, "options": body.options}
    about |= {"policy_version": version, "model_version": body.model_version}
    if tables is None:
        run = tx.runs.add(kind="batch", **about)
        assert run is not None
        return run.run_id
    frames = {name: getattr(tables, name) for name in TABLES if getattr(tables, name) is not None}
    return ask_given(tx, frames, **about).run_id


def _pairs(tx: Tx, tables: Tables | None) -> int:
    if tables is not None:
        return len(tables.leads) * len(tables.reps)
    return tx.leads.waiting().count * len(tx.reps.all())


def _told(run: Run, *, at_once: bool) -> Response:
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


def _run(tx: Tx, plan_id: str) -> Run:
    try:
        return tx.runs.get(plan_id)
    except NotFoundError:
        raise NotFoundError(f"There is no plan {plan_id!r}.") from None


def _csv(items: tuple[Assignment, ...]) -> bytes:
    return csv_bytes(pd.DataFrame([[getattr(one, name) for name in COLUMNS] for one in items], columns=list(COLUMNS)))
