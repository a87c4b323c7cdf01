"""`/v1/overrides`: locks and bans for the batches to come."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from apportion.service.api import problems
from apportion.service.api.access import Reading
from apportion.service.api.once import Write
from apportion.service.api.state import Here
from apportion.service.api.strict import After, Number, PageLimit, StrictRoute
from apportion.service.store import Answer, Override
from apportion.service.wire.rules import OverrideGiven, OverridePage, OverrideTold

router = APIRouter(route_class=StrictRoute, prefix="/v1/overrides", tags=["overrides"])


@router.post("", status_code=201, response_model=OverrideTold, responses=problems.WITH_BODY)
def set_override(body: OverrideGiven, call: Write) -> JSONResponse:
    """Lock a lead to a rep, or ban the pair, in every batch to come. The same again gives the one there is."""
    return call.answered(lambda tx: Answer(201, _override(tx.overrides.set(**body.model_dump()))))


@router.get("", response_model=OverridePage, responses=problems.READ)
def list_overrides(here: Here, _: Reading, after: After = None, limit: PageLimit = 100,
                   holding: bool = True) -> dict[str, Any]:  # fmt: skip
    """Overrides in the order in which they were set. holding : only those that hold."""
    with here.store.read() as tx:
        page = tx.overrides.page(after=after, limit=limit, holding=holding)
    return {"overrides": [_override(one) for one in page], "next": page.after}


@router.delete("/{number:int}", response_model=OverrideTold, responses=problems.WRITE | problems.UNKNOWN)
def lift_override(number: Number, call: Write) -> JSONResponse:
    """Let an override hold no longer."""
    return call.answered(lambda tx: Answer(200, _override(tx.overrides.lift(number))))


def _override(one: Override) -> dict[str, Any]:
    return OverrideTold(**asdict(one)).model_dump(mode="json")
