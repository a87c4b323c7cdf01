"""The service on a store, with one endpoint more: round robin through the same key check, store and answers.

`python -m benchmarks.service.server STORE PORT`
"""

from __future__ import annotations

import itertools
import sys

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from apportion.service.api import Limits, make_app
from apportion.service.api.once import RouteCall
from apportion.service.api.state import Here
from apportion.service.api.strict import StrictRoute
from apportion.service.api.tables import read
from apportion.service.store import Answer, Placement, Tx, open_store
from apportion.service.wire.people import RouteAsk

TURN = "/v1/leads:turn"
turns = APIRouter(route_class=StrictRoute)
_next = itertools.count()


@turns.post(TURN)
def turn(body: RouteAsk, call: RouteCall, here: Here) -> JSONResponse:
    """Give a lead to the rep whose turn it is: what a router by rules does, stored and audited as ours."""
    assert body.lead is not None
    table = read("leads", [body.lead])
    lead_id = str(table["lead_id"].iloc[0])

    def given(tx: Tx) -> Answer:
        tx.leads.upsert(table)
        reps = tx.reps.all()
        rep = reps[next(_next) % len(reps)]
        told = {"lead_id": lead_id, "outcome": "assigned", "rep_id": rep.rep_id, "reason": "Its turn."}
        key = tx.leads.keys([lead_id])[lead_id]
        placement = Placement(lead_key=key, rep_key=rep.rep_key, outcome="assigned", told=told, reason="Its turn.")
        tx.assignments.add([placement], origin="route", at=tx.now())
        return Answer(200, told)

    return call.answered(given)


def app(store_url: str) -> FastAPI:
    """The application, without a limit of requests a minute."""
    made = make_app(open_store(store_url), limits=Limits(per_minute=0, request_seconds=300.0))
    made.include_router(turns)
    return made


if __name__ == "__main__":
    uvicorn.run(app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="critical", access_log=False)
