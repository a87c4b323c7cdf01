"""`POST /v1/leads:route`: one lead, now, by the current prices, within remaining capacity."""

from __future__ import annotations

from asyncio import wrap_future

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from apportion.service.api import problems
from apportion.service.api.once import RouteCall
from apportion.service.api.state import Here
from apportion.service.api.strict import StrictRoute
from apportion.service.runs.routing import Ask, Once
from apportion.service.store import Answer, Assignment
from apportion.service.wire.people import RouteAsk, Routed

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["leads"])


@router.post("/leads:route", response_model=Routed, responses=problems.WITH_BODY | problems.UNKNOWN)
async def route(body: RouteAsk, call: RouteCall, here: Here) -> JSONResponse:
    """Route one lead by the prices of the last batch, within what its rep has left in the window, under the policy in
    use. A lead that nobody should get goes to nurture."""
    once = None if call.name is None else Once(call.scope, call.name, call.digest, _answer, here.limits.answers_kept)
    routed = await wrap_future(here.leads.ask(Ask(str(body.lead_id), call.actor, body.lead, once)))
    answer = routed.answer or _answer(routed.assignment)
    return JSONResponse(answer.response, status_code=answer.status)


def _answer(one: Assignment | None) -> Answer:
    told = Routed(**{name: getattr(one, name) for name in Routed.model_fields})
    return Answer(200, told.model_dump(mode="json"))
