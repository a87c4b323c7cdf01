"""`/v1/leads`, `/v1/reps`, `/v1/outcomes`: store many at once, see where each stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from apportion.service.api import problems
from apportion.service.api.access import Reading
from apportion.service.api.once import Write
from apportion.service.api.state import Here
from apportion.service.api.strict import AfterId, Name, PageLimit, StrictRoute
from apportion.service.api.tables import read
from apportion.service.store import Answer, Assignment, Lead, Rep
from apportion.service.wire.people import (
    Counted,
    Held,
    LeadIds,
    LeadPage,
    LeadsGiven,
    LeadShort,
    LeadTold,
    OutcomesGiven,
    OutcomeTold,
    RepIds,
    RepPage,
    RepsGiven,
    RepShort,
    RepTold,
    State,
    Stored,
)
from apportion_models.errors import NotFoundError

router = APIRouter(route_class=StrictRoute, prefix="/v1")
Id = Annotated[Name, Path()]


@router.post("/leads", tags=["leads"], response_model=Stored, responses=problems.WITH_BODY)
def put_leads(body: LeadsGiven, call: Write) -> JSONResponse:
    """Store leads: new ones wait for a rep, known ones get the new content. All rows, or none."""
    table = read("leads", body.leads)
    return call.answered(lambda tx: Answer(200, asdict(tx.leads.upsert(table))))


@router.get("/leads", tags=["leads"], response_model=LeadPage, responses=problems.READ)
def list_leads(here: Here, _: Reading, after: AfterId = None, limit: PageLimit = 100,
               state: Annotated[State | None, Query()] = None) -> dict[str, Any]:  # fmt: skip
    """Leads in the order of their ids."""
    with here.store.read() as tx:
        page = tx.leads.page(after=after, limit=limit, state=state)
    return {"leads": [_lead(lead) for lead in page], "next": page.after}


@router.get(
    "/leads/{lead_id:path}", tags=["leads"], response_model=LeadTold, responses=problems.READ | problems.UNKNOWN
)
def get_lead(lead_id: Id, here: Here, _: Reading) -> dict[str, Any]:
    """A lead: where it stands, which rep has it and why, and what became of it."""
    with here.store.read() as tx:
        lead, held, outcome = tx.leads.get(lead_id), tx.assignments.of_lead(lead_id), tx.outcomes.get(lead_id)
    if lead is None:
        raise NotFoundError(f"There is no lead {lead_id!r}.")
    told = None if outcome is None else {name: getattr(outcome, name) for name in OutcomeTold.model_fields}
    return _lead(lead) | {"assignment": None if held is None else _held(held), "outcome": told}


@router.post("/leads:requeue", tags=["leads"], response_model=Counted, responses=problems.WITH_BODY)
def requeue(body: LeadIds, call: Write) -> JSONResponse:
    """Let leads wait again; a rep who has one loses it."""
    return call.answered(lambda tx: Answer(200, {"count": tx.leads.requeue(list(dict.fromkeys(body.lead_ids)))}))


@router.post("/reps", tags=["reps"], response_model=Stored, responses=problems.WITH_BODY)
def put_reps(body: RepsGiven, call: Write) -> JSONResponse:
    """Store reps: each row takes the place of the one before it, whole. All rows, or none."""
    table = read("reps", body.reps)
    return call.answered(lambda tx: Answer(200, asdict(tx.reps.upsert(table))))


@router.get("/reps", tags=["reps"], response_model=RepPage, responses=problems.READ)
def list_reps(here: Here, _: Reading, after: AfterId = None, limit: PageLimit = 100) -> dict[str, Any]:
    """Reps who may get leads, in the order of their ids."""
    with here.store.read() as tx:
        page = tx.reps.page(after=after, limit=limit)
    return {"reps": [_rep(rep) for rep in page], "next": page.after}


@router.get("/reps/{rep_id:path}", tags=["reps"], response_model=RepTold, responses=problems.READ | problems.UNKNOWN)
def get_rep(rep_id: Id, here: Here, _: Reading) -> dict[str, Any]:
    """A rep, and the leads that they have now with the reasons (the first thousand)."""
    with here.store.read() as tx:
        rep, held = tx.reps.get(rep_id), tx.assignments.page(rep_id=rep_id, current=True, limit=1000)
    if rep is None:
        raise NotFoundError(f"There is no rep {rep_id!r}.")
    return _rep(rep) | {"assignments": [_held(one) for one in held]}


@router.post("/reps:retire", tags=["reps"], response_model=Counted, responses=problems.WITH_BODY)
def retire(body: RepIds, call: Write) -> JSONResponse:
    """Let reps get no more leads; they keep those that they have."""
    return call.answered(lambda tx: Answer(200, {"count": tx.reps.retire(body.rep_ids)}))


@router.post("/outcomes", tags=["outcomes"], response_model=Stored, responses=problems.WITH_BODY)
def put_outcomes(body: OutcomesGiven, call: Write) -> JSONResponse:
    """Say what became of leads; one that is won or lost is no longer open with its rep."""
    table = pd.DataFrame([_row(one.model_dump(exclude_none=True)) for one in body.outcomes], dtype=object)
    return call.answered(lambda tx: Answer(200, asdict(tx.outcomes.upsert(table))))


def _row(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Times are kept in UTC."""
    return {
        name: cell.astimezone(dt.UTC).isoformat() if isinstance(cell, dt.datetime) else cell
        for name, cell in outcome.items()
    }


def _lead(lead: Lead) -> dict[str, Any]:
    return {name: getattr(lead, name) for name in LeadShort.model_fields}


def _rep(rep: Rep) -> dict[str, Any]:
    return {name: getattr(rep, name) for name in RepShort.model_fields}


def _held(one: Assignment) -> dict[str, Any]:
    return {name: one.run_id if name == "plan_id" else getattr(one, name) for name in Held.model_fields}
