"""`/v1/leads`, `/v1/reps`, `/v1/outcomes`: store many at once, see where each stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from apportion.service.api import problems
from apportion.service.api.access import Reading
from apportion.service.api.once import Write
from apportion.service.api.state import Here
from apportion.service.api.strict import Moment, Name, PageSize, Strict, StrictRoute
from apportion.service.api.tables import Rows, read
from apportion.service.store import Answer, Assignment, Lead, Outcome, Rep
from apportion_models.errors import NotFoundError

router = APIRouter(route_class=StrictRoute, prefix="/v1")
REFUSED = problems.responses(401, 403, 422, 429, 503)
WRITTEN = REFUSED | problems.responses(409)
After = Annotated[str | None, Query(max_length=200, description="`next` of the page before.")]
Size = Annotated[PageSize, Query()]
Ids = Annotated[list[Name], Field(min_length=1, max_length=100_000)]
State = Literal["waiting", "claimed", "assigned", "nurture", "reject", "closed", "outside"]


class LeadsGiven(Strict):
    """Rows of the leads table."""

    leads: Rows


class RepsGiven(Strict):
    """Rows of the reps table."""

    reps: Rows


class OutcomeGiven(Strict):
    """What became of a lead. deal_value : what was earned, in currency."""

    lead_id: Name
    outcome: Literal["won", "lost", "open"]
    closed_at: Moment | None = None
    deal_value: Annotated[float, Field(ge=0)] | None = None


class OutcomesGiven(Strict):
    """Outcomes of leads of the store."""

    outcomes: Annotated[list[OutcomeGiven], Field(min_length=1, max_length=200_000)]


class LeadIds(Strict):
    """Leads by id."""

    lead_ids: Ids


class RepIds(Strict):
    """Reps by id."""

    rep_ids: Ids


class Stored(BaseModel):
    """How many rows were new, changed, or as they were."""

    new: int
    changed: int
    same: int


class Counted(BaseModel):
    """How many it met."""

    count: int


@router.post("/leads", tags=["leads"], response_model=Stored, responses=WRITTEN)
def put_leads(body: LeadsGiven, call: Write) -> JSONResponse:
    """Store leads: new ones wait for a rep, known ones get the new content. All rows, or none."""
    table = read("leads", body.leads)
    return call.answered(lambda tx: Answer(200, asdict(tx.leads.upsert(table))))


@router.get("/leads", tags=["leads"], responses=REFUSED)
def list_leads(here: Here, _: Reading, after: After = None, limit: Size = 100,
               state: State | None = None) -> dict[str, Any]:  # fmt: skip
    """Leads in the order of their ids."""
    with here.store.read() as tx:
        page = tx.leads.page(after=after, limit=limit, state=state)
    return {"leads": [_lead(lead) for lead in page], "next": page.after}


@router.get("/leads/{lead_id}", tags=["leads"], responses=REFUSED | problems.responses(404))
def get_lead(lead_id: Name, here: Here, _: Reading) -> dict[str, Any]:
    """A lead: where it stands, which rep has it and why, and what became of it."""
    with here.store.read() as tx:
        lead, held, outcome = tx.leads.get(lead_id), tx.assignments.of_lead(lead_id), tx.outcomes.get(lead_id)
    if lead is None:
        raise NotFoundError(f"There is no lead {lead_id!r}.")
    return _lead(lead) | {"assignment": _assignment(held), "outcome": _outcome(outcome)}


@router.post("/leads:requeue", tags=["leads"], response_model=Counted, responses=WRITTEN)
def requeue(body: LeadIds, call: Write) -> JSONResponse:
    """Let leads wait again; a rep who has one loses it."""
    return call.answered(lambda tx: Answer(200, {"count": tx.leads.requeue(list(dict.fromkeys(body.lead_ids)))}))


@router.post("/reps", tags=["reps"], response_model=Stored, responses=WRITTEN)
def put_reps(body: RepsGiven, call: Write) -> JSONResponse:
    """Store reps: each row takes the place of the one before it, whole. All rows, or none."""
    table = read("reps", body.reps)
    return call.answered(lambda tx: Answer(200, asdict(tx.reps.upsert(table))))


@router.get("/reps", tags=["reps"], responses=REFUSED)
def list_reps(here: Here, _: Reading, after: After = None, limit: Size = 100) -> dict[str, Any]:
    """Reps who may get leads, in the order of their ids."""
    with here.store.read() as tx:
        page = tx.reps.page(after=after, limit=limit)
    return {"reps": [_rep(rep) for rep in page], "next": page.after}


@router.get("/reps/{rep_id}", tags=["reps"], responses=REFUSED | problems.responses(404))
def get_rep(rep_id: Name, here: Here, _: Reading) -> dict[str, Any]:
    """A rep, and the leads that they have now with the reasons (the first thousand)."""
    with here.store.read() as tx:
        rep, held = tx.reps.get(rep_id), tx.assignments.page(rep_id=rep_id, current=True, limit=1000)
    if rep is None:
        raise NotFoundError(f"There is no rep {rep_id!r}.")
    return _rep(rep) | {"assignments": [_assignment(one) for one in held]}


@router.post("/reps:retire", tags=["reps"], response_model=Counted, responses=WRITTEN)
def retire(body: RepIds, call: Write) -> JSONResponse:
    """Let reps get no more leads; they keep those that they have."""
    return call.answered(lambda tx: Answer(200, {"count": tx.reps.retire(body.rep_ids)}))


@router.post("/outcomes", tags=["outcomes"], response_model=Stored, responses=WRITTEN)
def put_outcomes(body: OutcomesGiven, call: Write) -> JSONResponse:
    """Say what became of leads; one that is won or lost is no longer open with its rep."""
    rows = [one.model_dump(exclude_none=True) for one in body.outcomes]
    for row in rows:
        if "closed_at" in row:
            row["closed_at"] = row["closed_at"].astimezone(dt.UTC).isoformat()
    table = pd.DataFrame(rows, dtype=object)
    return call.answered(lambda tx: Answer(200, asdict(tx.outcomes.upsert(table))))


def _lead(lead: Lead) -> dict[str, Any]:
    times = {"created_at": lead.created_at, "waiting_since": lead.waiting_since, "changed_at": lead.changed_at}
    return {"lead_id": lead.lead_id, "state": lead.state, **times, "content": lead.content}


def _rep(rep: Rep) -> dict[str, Any]:
    return {"rep_id": rep.rep_id, "active": rep.active, "changed_at": rep.changed_at, "content": rep.content}


def _assignment(one: Assignment | None) -> dict[str, Any] | None:
    if one is None:
        return None
    names = ("lead_id", "rep_id", "assigned_at", "origin", "fit", "expected_revenue", "propensity", "tier", "reason")
    return {"plan_id": one.run_id} | {name: getattr(one, name) for name in names}


def _outcome(one: Outcome | None) -> dict[str, Any] | None:
    return None if one is None else {name: value for name, value in asdict(one).items() if name != "lead_id"}
