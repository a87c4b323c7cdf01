"""`/v1/overrides` and `/v1/policies`: what people decide about the plans to come."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from apportion.policy import Policy, load_policy
from apportion.service.api import problems
from apportion.service.api.access import Reading
from apportion.service.api.once import Rule, Write
from apportion.service.api.state import Here
from apportion.service.api.strict import Cursor, Name, PageSize, Strict, StrictRoute
from apportion.service.store import Answer, Override, PolicyVersion, Tx

router = APIRouter(route_class=StrictRoute, prefix="/v1")
REFUSED = problems.responses(401, 403, 422, 429, 503)
WRITTEN = REFUSED | problems.responses(404, 409)
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
After = Annotated[Cursor, Query()]
Size = Annotated[PageSize, Query()]
Given = dict[str, Any] | Annotated[str, Field(min_length=1, max_length=200_000)]


class OverrideGiven(Strict):
    """A lock: this lead, this rep. A ban: this lead, not this rep."""

    lead_id: Name
    rep_id: Name
    kind: Literal["lock", "ban"]
    said_by: Name | None = None
    reason: Annotated[str, Field(max_length=2000)] | None = None


class PolicyGiven(Strict):
    """A policy, as JSON or as the text of a YAML file."""

    policy: Given


class PolicyChecked(BaseModel):
    """What a policy would be known by. version : of the same rules, where the store has them."""

    name: str
    fingerprint: str
    version: int | None = None


class InUse(BaseModel):
    """The policy in use."""

    version: int


def read_policy(given: dict[str, Any] | str) -> Policy:
    """A policy from a body. A text is YAML and never a path: the line break at its end says so."""
    return load_policy(given if isinstance(given, dict) else given + "\n")


@router.post("/overrides", tags=["overrides"], status_code=201, responses=WRITTEN)
def set_override(body: OverrideGiven, call: Write) -> JSONResponse:
    """Lock a lead to a rep, or ban the pair, in every batch to come. The same again gives the one there is."""
    return call.answered(lambda tx: Answer(201, _override(tx.overrides.set(**body.model_dump()))))


@router.get("/overrides", tags=["overrides"], responses=REFUSED)
def list_overrides(here: Here, _: Reading, after: After = None, limit: Size = 100,
                   holding: bool = True) -> dict[str, Any]:  # fmt: skip
    """Overrides in the order in which they were set. holding : only those that hold."""
    with here.store.read() as tx:
        page = tx.overrides.page(after=after, limit=limit, holding=holding)
    return {"overrides": [_override(one) for one in page], "next": page.after}


@router.delete("/overrides/{number}", tags=["overrides"], responses=WRITTEN)
def lift_override(number: Number, call: Write) -> JSONResponse:
    """Let an override hold no longer."""
    return call.answered(lambda tx: Answer(200, _override(tx.overrides.lift(number))))


@router.post("/policies:validate", tags=["policies"], response_model=PolicyChecked, responses=REFUSED)
def validate(body: PolicyGiven, here: Here, _: Reading) -> PolicyChecked:
    """Check a policy and keep nothing; each fault with its key and line."""
    policy = read_policy(body.policy)
    return PolicyChecked(name=policy.name, fingerprint=policy.fingerprint)


@router.post("/policies", tags=["policies"], status_code=201, response_model=PolicyChecked, responses=WRITTEN)
def add_policy(body: PolicyGiven, call: Rule) -> JSONResponse:
    """Keep a policy; equal rules have one version. It is not in use before it is activated."""
    policy = read_policy(body.policy)
    source = body.policy if isinstance(body.policy, str) else None

    def added(tx: Tx) -> Answer:
        kept = tx.policies.add(policy, source=source)
        return Answer(201, {"name": kept.name, "fingerprint": kept.fingerprint, "version": kept.version})

    return call.answered(added)


@router.get("/policies", tags=["policies"], responses=REFUSED)
def list_policies(here: Here, _: Reading, after: After = None, limit: Size = 100) -> dict[str, Any]:
    """Versions, the newest first, and which is in use."""
    with here.store.read() as tx:
        page, active = tx.policies.page(after=after, limit=limit), tx.policies.active_version()
    return {"policies": [_policy(one, active) for one in page], "next": page.after}


@router.get("/policies/{version}", tags=["policies"], responses=REFUSED | problems.responses(404))
def get_policy(version: Number, here: Here, _: Reading) -> dict[str, Any]:
    """One version, whole."""
    with here.store.read() as tx:
        one, active = tx.policies.get(version), tx.policies.active_version()
    return _policy(one, active) | {"policy": one.policy.model_dump(mode="json", by_alias=True), "source": one.source}


@router.post("/policies/{version}:activate", tags=["policies"], response_model=InUse, responses=WRITTEN)
def activate(version: Number, call: Rule) -> JSONResponse:
    """Use this version from now on."""

    def activated(tx: Tx) -> Answer:
        tx.policies.activate(version)
        return Answer(200, {"version": version})

    return call.answered(activated)


@router.post("/policies:roll-back", tags=["policies"], response_model=InUse, responses=WRITTEN)
def roll_back(call: Rule) -> JSONResponse:
    """Use again the version that was in use before."""
    return call.answered(lambda tx: Answer(200, {"version": tx.policies.roll_back()}))


def _override(one: Override) -> dict[str, Any]:
    told = asdict(one)
    return told | {name: None if told[name] is None else told[name].isoformat() for name in ("set_at", "lifted_at")}


def _policy(one: PolicyVersion, active: int | None) -> dict[str, Any]:
    names = ("version", "name", "fingerprint", "added_at", "added_by")
    return {name: getattr(one, name) for name in names} | {"in_use": one.version == active}
