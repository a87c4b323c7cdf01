"""`/v1/scenarios`: what would be otherwise, and how sure that is. Nothing is kept and nobody is assigned."""

from __future__ import annotations

import time
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter
from pydantic import Field

from apportion.app.assign import read_tables
from apportion.app.sources import Sources, default_moment
from apportion.policy import Policy
from apportion.service.api import problems
from apportion.service.api.access import Reading
from apportion.service.api.rules import Given, read_policy
from apportion.service.api.state import Here, Service
from apportion.service.api.strict import Moment, Strict, StrictRoute
from apportion.service.api.tables import Rows, frame
from apportion.whatif import How, Scenario, Setting, compare, load_scenarios
from apportion_models import FitModel
from apportion_models.errors import ConflictError, Finding, InputError

router = APIRouter(route_class=StrictRoute, prefix="/v1/scenarios", tags=["scenarios"])
TABLES = ("leads", "reps", "accounts", "territories", "calendar", "overrides")


class ScenariosAsk(Strict):
    """The tables of a batch and the scenarios that are compared with it, as in docs/whatif.md."""

    leads: Rows
    reps: Rows
    accounts: Rows | None = None
    territories: Rows | None = None
    calendar: Rows | None = None
    overrides: Rows | None = None
    scenarios: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=20)]
    policy: Given | None = Field(None, description="Else the policy in use.")
    at: Moment | None = Field(None, description="Else the day of the newest lead.")
    gap: Annotated[float, Field(ge=0, lt=1)] | None = None
    draws: Annotated[int, Field(ge=20, le=5000)] = 400
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None


@router.post("", responses=problems.responses(401, 403, 409, 422, 429, 503, 504))
def ask(body: ScenariosAsk, here: Here, _: Reading) -> dict[str, Any]:
    """Compare scenarios with the base. Those that could not be finished in time are named in `unfinished`."""
    scenarios = _scenarios(body)
    given: dict[str, Any] = {
        name: frame(name, getattr(body, name)) for name in TABLES if getattr(body, name) is not None
    }
    tables = read_tables(Sources(**given)).tables
    policy, model = _beliefs(body, here)
    at = default_moment(tables) if body.at is None else pd.Timestamp(body.at)
    most = 0.8 * here.limits.request_seconds
    end = time.monotonic() + most
    how = How(gap=body.gap, time_limit=most / (2 + len(scenarios)), seed=body.seed, draws=body.draws, sources=False,
              routers=False, workers=1)  # fmt: skip
    base = Setting(tables=tables, policy=policy, model=model, at=at)
    return compare(base, scenarios, how, cancelled=lambda: time.monotonic() > end).document()


def _scenarios(body: ScenariosAsk) -> tuple[Scenario, ...]:
    """Raises InputError: also for a model by its folder, for no request may name a path of this machine."""
    found = load_scenarios(body.scenarios)
    if named := [one for one in found if one.fit.model is not None]:
        message = "must not name a folder here."
        raise InputError(
            [Finding(severity="error", table=one.name, column="fit.model", message=message) for one in named]
        )
    return found


def _beliefs(body: ScenariosAsk, here: Service) -> tuple[Policy, FitModel]:
    with here.store.read() as tx:
        active, version = tx.policies.active(), tx.models.active_version()
        if version is None:
            raise ConflictError("No fit model is in use: add one with `apportion store model DIR`, which activates it.")
        model = tx.models.load(version)
    own = Policy() if active is None else active.policy
    return own if body.policy is None else read_policy(body.policy), model
