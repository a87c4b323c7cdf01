"""`/v1/scenarios`: what would be otherwise, and how sure that is. Nothing is kept and nobody is assigned."""

from __future__ import annotations

import time
from typing import Any

import pandas as pd
from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from apportion.app.sources import default_moment
from apportion.policy import Policy
from apportion.service.api import problems
from apportion.service.api.access import Reading
from apportion.service.api.asking import need_model
from apportion.service.api.parsing import has_large_whole
from apportion.service.api.policies import TOO_LARGE, read_policy
from apportion.service.api.state import Here, Service
from apportion.service.api.strict import StrictRoute
from apportion.service.api.tables import read_batch
from apportion.service.wire.scenarios import Comparison, ScenariosAsk
from apportion.whatif import How, Scenario, Setting, compare, load_scenarios
from apportion_models import FitModel
from apportion_models.errors import Finding, InputError

router = APIRouter(route_class=StrictRoute, prefix="/v1/scenarios", tags=["scenarios"])


@router.post("", response_model=Comparison, responses=problems.WITH_BODY | problems.responses(504))
async def ask(body: ScenariosAsk, here: Here, _: Reading) -> dict[str, Any]:
    """Compare scenarios with the base. Those that could not be finished in time are named in `unfinished`."""
    async with here.seats.taken() as seconds:
        return await run_in_threadpool(_compared, body, here, seconds)


def _compared(body: ScenariosAsk, here: Service, seconds: float) -> dict[str, Any]:
    end = time.monotonic() + seconds
    scenarios = _scenarios(body)
    tables = read_batch(body)
    policy, model = _beliefs(body, here)
    at = default_moment(tables) if body.at is None else pd.Timestamp(body.at)
    how = How(gap=body.gap, time_limit=seconds / (2 + len(scenarios)), seed=body.seed, draws=body.draws, sources=False,
              routers=False, workers=1)  # fmt: skip
    base = Setting(tables=tables, policy=policy, model=model, at=at)
    return compare(base, scenarios, how, cancelled=lambda: time.monotonic() > end).document()


def _scenarios(body: ScenariosAsk) -> tuple[Scenario, ...]:
    """Raises InputError: also for a model by its folder, for no request may name a path of this machine."""
    if has_large_whole(body.scenarios):
        raise InputError([Finding(severity="error", table="scenario", message=TOO_LARGE)])
    found = load_scenarios(body.scenarios)
    if named := [one for one in found if one.fit.model is not None]:
        message = "must not name a folder here."
        raise InputError(
            [Finding(severity="error", table=one.name, column="fit.model", message=message) for one in named]
        )
    return found


def _beliefs(body: ScenariosAsk, here: Service) -> tuple[Policy, FitModel]:
    with here.store.read() as tx:
        active = tx.policies.active()
        model = tx.models.load(need_model(tx))
    if body.policy is not None:
        return read_policy(body.policy), model
    return Policy() if active is None else active.policy, model
