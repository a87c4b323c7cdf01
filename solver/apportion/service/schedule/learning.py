"""Learning the fit anew on schedule: the new model is kept, and goes live only if the gate lets it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pandas as pd
import sqlalchemy as sa

from apportion.policy import people_rules
from apportion.service.schedule.due import Slot
from apportion.service.schedule.gate import Judgement, judge
from apportion.service.schedule.history import history_of, reps_of
from apportion.service.store import StillRunningError, Store, Tx
from apportion.service.store.schema import idempotency
from apportion_models import FitModel
from apportion_models.errors import ApportionError, ServiceError

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
        model, verdict, rival = _learn(store, histories)
    except ServiceError:
        raise  # the store is away: another may learn when this one's time is over
    except ApportionError as error:
        return _come_to_nothing(store, slot, str(error).split("\n")[0], owner)
    except Exception as error:
        _come_to_nothing(store, slot, f"a bug in Apportion ({type(error).__name__}), see the log.", owner)
        raise
    return store.attempt(lambda tx: _keep(tx, slot, model, verdict, rival), actor=owner)


def learnt_since(tx: Tx) -> dt.datetime | None:
    """When the newest model was added: what was due before that is done."""
    newest = tx.models.page(limit=1).items
    return newest[0].added_at if newest else None


def learnt_lately(tx: Tx) -> tuple[Learnt, ...]:
    """What became of the slots of the last day, whoever learnt them."""
    told = sa.select(idempotency.c.response).where(idempotency.c.scope == SCOPE, idempotency.c.status.is_not(None))
    return tuple(Learnt(**row.response) for row in tx.idempotency.rows(told.order_by(idempotency.c.key)))


def _come_to_nothing(store: Store, slot: Slot, why: str, owner: str) -> Learnt:
    learnt = Learnt(slot=slot.name, version=None, live=False, why=f"Could not be learnt: {why}")
    store.attempt(lambda tx: _finish(tx, slot, learnt), actor=owner)
    return learnt


def _reserve(tx: Tx, slot: Slot) -> bool:
    """Whether the slot was answered before."""
    return tx.idempotency.begin(scope=SCOPE, key=slot.name, body_hash="", seconds=LONGEST) is not None


def _learn(store: Store, histories: Histories) -> tuple[FitModel, Judgement, int | None]:
    """The new model, the verdict on it, and the version in use that it was judged against."""
    with store.read() as tx:
        history, reps, now = histories(tx), reps_of(tx), tx.now()
        policy, version = tx.policies.active(), tx.models.active_version()
        in_use = None if version is None else tx.models.load(version)
    policies = () if policy is None else (policy.policy,)
    model = FitModel(random_state=0, **people_rules(policies)).fit(history, reps, until=pd.Timestamp(now))
    if in_use is None:
        first = Judgement(rows=0, used=None, new=None, live=True, why="The first model: there is none in use.")
        return model, first, None
    rule = None if policy is None else policy.policy.schedule.retrain
    tolerance = 0.0 if rule is None else rule.tolerance
    return model, judge(history, reps, in_use=in_use, tolerance=tolerance, policies=policies), version


def _keep(tx: Tx, slot: Slot, model: FitModel, verdict: Judgement, rival: int | None) -> Learnt:
    """Keep the model; use it if it may be used, and nobody chose another while it was learnt."""
    version, live, why = tx.models.add(model).version, verdict.live, verdict.why
    if live and tx.models.active_version() != rival:
        live, why = False, "While it was learnt, another model was activated, which it was not compared with."
    if live:
        tx.models.activate(version)
    learnt = Learnt(slot=slot.name, version=version, live=live, why=why)
    _finish(tx, slot, learnt)
    return learnt


def _finish(tx: Tx, slot: Slot, learnt: Learnt) -> None:
    tx.idempotency.finish(scope=SCOPE, key=slot.name, status=200, response=asdict(learnt))
    tx.audit.note("model.learn", slot=slot.name, version=learnt.version, live=learnt.live)
