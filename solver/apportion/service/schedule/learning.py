"""Learning the fit anew on schedule: the new model is kept, and goes live only if the gate lets it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pandas as pd

from apportion.policy import people_rules
from apportion.service.schedule.due import Slot
from apportion.service.schedule.gate import Judgement, judge
from apportion.service.schedule.history import history_of, reps_of
from apportion.service.store import StillRunningError, Store, Tx
from apportion_models import FitModel
from apportion_models.errors import ApportionError

SCOPE = "retrain"
LONGEST = 3600.0  # seconds that learning may take before another takes it over

Histories = Callable[[Tx], pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What became of one slot. version : of the new model; None where none could be learnt."""

    slot: str
    version: int | None
    live: bool
    why: str


def learn_anew(store: Store, slot: Slot, *, owner: str, histories: Histories = history_of) -> Learnt | None:
    """Learn from what is known now, judge, and activate; None where another does so, or did.

    histories : what to learn from; the store's own past where it is not said. A model that goes live can be taken back
    with `tx.models.roll_back()`. A history that cannot be learnt from leaves the model in use as it is, and says why.
    """
    try:
        there = store.attempt(lambda tx: _reserve(tx, slot), actor=owner)
    except StillRunningError:
        return None
    if there:
        return None
    try:
        model, verdict = _learn(store, histories)
    except ApportionError as error:
        first = str(error).split("\n")[0]
        learnt = Learnt(slot=slot.name, version=None, live=False, why=f"Could not be learnt: {first}")
        store.attempt(lambda tx: _finish(tx, slot, learnt), actor=owner)
        return learnt
    return store.attempt(lambda tx: _keep(tx, slot, model, verdict), actor=owner)


def learnt_since(tx: Tx) -> dt.datetime | None:
    """When the newest model was added: what was due before that is done."""
    newest = tx.models.page(limit=1).items
    return newest[0].added_at if newest else None


def _reserve(tx: Tx, slot: Slot) -> bool:
    """Whether the slot was answered before."""
    return tx.idempotency.begin(scope=SCOPE, key=slot.name, body_hash="", seconds=LONGEST) is not None


def _learn(store: Store, histories: Histories) -> tuple[FitModel, Judgement]:
    with store.read() as tx:
        history, reps, now = histories(tx), reps_of(tx), tx.now()
        policy, version = tx.policies.active(), tx.models.active_version()
        in_use = None if version is None else tx.models.load(version)
    policies = () if policy is None else (policy.policy,)
    model = FitModel(random_state=0, **people_rules(policies)).fit(history, reps, until=pd.Timestamp(now))
    if in_use is None:
        return model, Judgement(rows=0, used=None, new=None, live=True, why="The first model: there is none in use.")
    rule = None if policy is None else policy.policy.schedule.retrain
    tolerance = 0.0 if rule is None else rule.tolerance
    return model, judge(history, reps, in_use=in_use, tolerance=tolerance, policies=policies)


def _keep(tx: Tx, slot: Slot, model: FitModel, verdict: Judgement) -> Learnt:
    version = tx.models.add(model).version
    if verdict.live:
        tx.models.activate(version)
    learnt = Learnt(slot=slot.name, version=version, live=verdict.live, why=verdict.why)
    _finish(tx, slot, learnt)
    return learnt


def _finish(tx: Tx, slot: Slot, learnt: Learnt) -> None:
    tx.idempotency.finish(scope=SCOPE, key=slot.name, status=200, response=asdict(learnt))
    tx.audit.note("model.learn", slot=slot.name, version=learnt.version, live=learnt.live)
