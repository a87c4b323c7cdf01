"""`POST /v1/leads:route`: one lead, now, by the current prices, within remaining capacity."""

from __future__ import annotations

import datetime as dt
from asyncio import wrap_future
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, model_validator

from apportion.service.api import problems
from apportion.service.api.once import RouteCall
from apportion.service.api.state import Here
from apportion.service.api.strict import Name, Row, Strict, StrictRoute
from apportion.service.runs.routing import Ask, Once
from apportion.service.store import Answer, Assignment

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["leads"])


class RouteAsk(Strict):
    """A lead that waits, by its id; or a row of the leads table, which is stored first."""

    lead_id: Name | None = None
    lead: Row | None = None

    @model_validator(mode="after")
    def _one(self) -> RouteAsk:
        if (self.lead_id is None) == (self.lead is None):
            raise ValueError("give lead_id, or lead")
        return self


class Routed(BaseModel):
    """Who has the lead now, and why. rep_id : null for nurture."""

    lead_id: str
    rep_id: str | None
    outcome: Literal["assigned", "nurture", "reject"]
    reason: str | None
    fit: float | None
    deal_value: float | None
    expected_revenue: float | None
    assigned_at: dt.datetime


@router.post("/leads:route", response_model=Routed, responses=problems.responses(401, 403, 404, 409, 422, 429, 503))
async def route(body: RouteAsk, call: RouteCall, here: Here) -> JSONResponse:
    """Route one lead by the prices of the last batch, within what its rep has left in the window, under the policy in
    use. A lead that nobody should get goes to nurture."""
    once = None if call.name is None else Once(call.scope, call.name, call.digest, _answer)
    routed = await wrap_future(here.leads.ask(Ask(str(body.lead_id), call.actor, body.lead, once)))
    answer = routed.answer or _answer(routed.assignment)
    return JSONResponse(answer.response, status_code=answer.status)


def _answer(one: Assignment | None) -> Answer:
    told = Routed(**{name: getattr(one, name) for name in Routed.model_fields})
    return Answer(200, told.model_dump(mode="json"))
