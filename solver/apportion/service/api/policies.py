"""`/v1/policies`: check, keep, put in use, go back."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from apportion.policy import Policy, load_policy
from apportion.service.api import problems
from apportion.service.api.access import Reading
from apportion.service.api.once import Rule
from apportion.service.api.parsing import has_large_whole
from apportion.service.api.state import Here
from apportion.service.api.strict import After, Number, PageLimit, StrictRoute
from apportion.service.store import Answer, PolicyVersion, Tx
from apportion.service.wire.rules import InUse, PolicyAdded, PolicyAsk, PolicyChecked, PolicyPage, PolicyTold
from apportion_models.errors import Finding, PolicyError

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["policies"])
TOO_LARGE = "must hold no whole number of more than 64 bits."


def read_policy(given: dict[str, Any] | str) -> Policy:
    """A policy from a body. A text is YAML and never a path: the line break at its end says so. Raises PolicyError."""
    if has_large_whole(given):
        raise PolicyError(Finding(severity="error", table="policy", message=TOO_LARGE))
    return load_policy(given if isinstance(given, dict) else given + "\n")


@router.post("/policies:validate", responses=problems.WITH_BODY)
def validate(body: PolicyAsk, _: Reading) -> PolicyChecked:
    """Check a policy and keep nothing; each fault with its key and line."""
    policy = read_policy(body.policy)
    return PolicyChecked(name=policy.name, fingerprint=policy.fingerprint)


@router.post("/policies", status_code=201, response_model=PolicyAdded, responses=problems.WITH_BODY)
def add_policy(body: PolicyAsk, call: Rule) -> JSONResponse:
    """Keep a policy; equal rules have one version. It is not in use before it is activated."""
    policy = read_policy(body.policy)
    source = body.policy if isinstance(body.policy, str) else None

    def added(tx: Tx) -> Answer:
        kept = tx.policies.add(policy, source=source)
        return Answer(201, {"name": kept.name, "fingerprint": kept.fingerprint, "version": kept.version})

    return call.answered(added)


@router.get("/policies", response_model=PolicyPage, responses=problems.READ)
def list_policies(here: Here, _: Reading, after: After = None, limit: PageLimit = 100) -> dict[str, Any]:
    """Versions, the newest first, and which is in use."""
    with here.store.read() as tx:
        page, active = tx.policies.page(after=after, limit=limit), tx.policies.active_version()
    return {"policies": [_policy(one, active) for one in page], "next": page.after}


@router.get("/policies/{version:int}", response_model=PolicyTold, responses=problems.READ | problems.UNKNOWN)
def get_policy(version: Number, here: Here, _: Reading) -> dict[str, Any]:
    """One version, whole."""
    with here.store.read() as tx:
        one, active = tx.policies.get(version), tx.policies.active_version()
    return _policy(one, active) | {"policy": one.policy.model_dump(mode="json", by_alias=True), "source": one.source}


@router.post("/policies/{version:int}:activate", response_model=InUse, responses=problems.WRITE | problems.UNKNOWN)
def activate(version: Number, call: Rule) -> JSONResponse:
    """Use this version from now on."""

    def activated(tx: Tx) -> Answer:
        tx.policies.activate(version)
        return Answer(200, {"version": version})

    return call.answered(activated)


@router.post("/policies:roll-back", response_model=InUse, responses=problems.WRITE)
def roll_back(call: Rule) -> JSONResponse:
    """Use again the version that was in use before."""
    return call.answered(lambda tx: Answer(200, {"version": tx.policies.roll_back()}))


def _policy(one: PolicyVersion, active: int | None) -> dict[str, Any]:
    names = ("version", "name", "fingerprint", "added_at", "added_by")
    return {name: getattr(one, name) for name in names} | {"in_use": one.version == active}
