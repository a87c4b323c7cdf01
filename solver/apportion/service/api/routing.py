"""`POST /v1/leads:route`: one lead, now, by the current prices, within remaining capacity."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from apportion.service.api import problems
from apportion.service.api.once import RouteCall
from apportion.service.api.state import Here
from apportion.service.api.strict import StrictRoute
from apportion.service.api.tables import read
from apportion.service.store import Answer, Assignment
from apportion.service.wire.people import RouteAsk, Routed

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["leads"])


@router.post("/leads:route", response_model=Routed, responses=problems.WITH_BODY | problems.UNKNOWN)
def route(body: RouteAsk, call: RouteCall, here: Here) -> JSONResponse:
    """Route one lead by the prices of the last batch, within what its rep has left in the window, under the policy in
    use. A lead that nobody should get goes to nurture."""

    def done() -> Answer:
        lead_id = str(body.lead_id)
        if body.lead is not None:
            table = read("leads", [body.lead])
            lead_id = str(table["lead_id"].iloc[0])
            here.store.attempt(lambda tx: tx.leads.upsert(table), actor=call.actor, patience=5.0)
        return Answer(200, _told(here.leads.route(lead_id, actor=call.actor)))

    answer = call.held(done, seconds=here.limits.request_seconds)
    return JSONResponse(answer.response, status_code=answer.status)


def _told(one: Assignment) -> dict[str, object]:
    told = Routed(**{name: getattr(one, name) for name in Routed.model_fields})
    return told.model_dump(mode="json")
