"""What routing a lead depends on besides the lead and what was given already: read once, kept until it changes."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from apportion.app.sources import Sources, read_sources
from apportion.build import Tables
from apportion.policy import Policy
from apportion.problem import Prices
from apportion.service.runs.starting import gathered
from apportion.service.store import Tx
from apportion.service.store.cells import frame
from apportion.service.store.reps import TOLD
from apportion_models import FitModel, load_model
from apportion_models.errors import ConflictError, Finding, InputError

MOVING = frozenset({*TOLD, "workload"})  # what rules may ask of a rep that each lead given changes
NO_MODEL = "No fit model is in use: add one with `apportion store model DIR`, which activates it."


@dataclass(frozen=True)
class Key:
    """What tells one setting from another. roster : the count of changes of reps, tables, policy and model in use."""

    roster: int
    policy_version: int | None
    model_version: int | None
    prices_run_id: str | None


@dataclass(frozen=True, eq=False)
class Setting:
    """Tables, policy, model and prices. tables : without leads; the reps' open leads are those of the first reading.

    singly : the policy as it is for a lead that is alone in its batch. words : every name that the policy uses.
    factors : whether the factors of a rep's capacity change with each lead. alone : whether more than capacity and caps
    may change with each lead given, so that each is to be posed by itself.
    """

    key: Key
    tables: Tables
    policy: Policy
    singly: Policy
    model: FitModel
    prices: Prices | None
    words: frozenset[str]
    factors: bool
    alone: bool


def key_of(tx: Tx) -> Key:
    """What the setting is now. Raises ConflictError where no model is in use."""
    model = tx.models.active_version()
    if model is None:
        raise ConflictError(NO_MODEL)
    return Key(tx.last_tick("roster"), tx.policies.active_version(), model, tx.runs.last_planned())


def read_setting(tx: Tx, key: Key, models: dict[int, FitModel]) -> Setting:
    """Read it all. models : those that were loaded before. Raises InputError for tables that cannot be used."""
    rows = gathered(tx, ())
    rows.pop("leads")
    sources: dict[str, Any] = {name: frame(table, name) for name, table in rows.items()}
    read = read_sources(Sources(leads=frame([], "leads"), **sources))
    if not len(read.tables.reps):
        raise InputError(Finding(severity="error", table="reps", message="must have at least one rep; it has none."))
    policy = Policy() if key.policy_version is None else tx.policies.get(key.policy_version).policy
    assert key.model_version is not None
    if key.model_version not in models:
        models.clear()
        models[key.model_version] = _model(tx, key.model_version)
    model, told = models[key.model_version], policy.model_dump(mode="json", by_alias=True)
    return Setting(
        key=key,
        tables=read.tables,
        policy=policy,
        singly=singly(policy),
        model=model,
        prices=_prices(tx, key.prices_run_id, read.tables.reps["rep_id"].astype(str).tolist()),
        words=_words(told),
        factors=bool(_words([told.pop("throttle"), told["capacity"].pop("adjust")]) & MOVING),
        alone=bool(_words(told) & MOVING) or _holds_back(policy) or bool(_learnt(model) & MOVING),
    )


def singly(policy: Policy) -> Policy:
    """The same rules for leads each of which is alone in its batch: a best share of one lead is that lead, and it has
    no other of its account beside it."""
    bands = tuple(band if band.top is None else band.model_copy(update={"top": 1.0}) for band in policy.tiers.bands)
    tiers, accounts = policy.tiers.model_copy(update={"bands": bands}), {"together": "off"}
    return policy.model_copy(update={"tiers": tiers, "accounts": policy.accounts.model_copy(update=accounts)})


def _holds_back(policy: Policy) -> bool:
    """Whether bounds other than capacity and caps follow what is left of a rep's capacity."""
    return bool(policy.reserve) or any(rule.price == "hard" for rule in policy.explore)


def _words(told: Any) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", json.dumps(told, ensure_ascii=False)))


def _learnt(model: FitModel) -> frozenset[str]:
    """The columns of reps that the model uses."""
    return frozenset(coder.name for coder in model.scorer_.reps.coders)


def _model(tx: Tx, version: int) -> FitModel:
    with tempfile.TemporaryDirectory() as folder:
        return load_model(tx.models.write(version, Path(folder)))


def _prices(tx: Tx, run_id: str | None, rep_ids: list[str]) -> Prices | None:
    """The plan's capacity prices; a rep who was not there costs what the others do at the median."""
    plan: Mapping[str, Any] | None = None if run_id is None else tx.runs.get(run_id).plan
    told = {} if plan is None else plan["prices"]["capacity"]
    if not told:
        return None
    usual = float(np.median([float(price) for price in told.values()]))
    capacity = np.array([max(0.0, float(told.get(rep_id, usual))) for rep_id in rep_ids])
    return Prices(capacity=capacity, min_load=np.zeros(len(rep_ids)))


def with_reps(tables: Tables, **columns: Any) -> Tables:
    """The tables with these columns of the reps in the place of the old ones."""
    return replace(tables, reps=tables.reps.assign(**columns))
