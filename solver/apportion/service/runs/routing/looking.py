"""Looking at the store for those who ask: their leads, what routing depends on, and where the reps stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from apportion.service.runs.routing.asking import Ask, Routed
from apportion.service.runs.routing.posing import Posed, kinds_of, pose_singly
from apportion.service.runs.routing.setting import Setting, key_of, read_setting
from apportion.service.runs.routing.standing import Standing
from apportion.service.store import Override, Store, Tx
from apportion.service.store.cells import Record
from apportion_models import FitModel
from apportion_models.errors import ApportionError, ConflictError, NotFoundError

Told = dict[Ask, Routed | ApportionError]


@dataclass(frozen=True, eq=False)
class Looked:
    """What was seen. posed : those whose leads can be placed; told : those who are answered already. Who is in neither
    is to be looked at again when these are done. at : when they are given."""

    standing: Standing
    at: pd.Timestamp
    posed: Mapping[Ask, Posed]
    told: Told


@dataclass(eq=False)
class _Found:
    """What the store has for those who ask. rows : of the leads that can be placed."""

    rows: dict[Ask, Record] = field(default_factory=dict)
    told: Told = field(default_factory=dict)
    overrides: dict[str, list[Override]] = field(default_factory=dict)


class Looker:
    """Keeps what does not depend on a lead for as long as it holds. One thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._models: dict[int, FitModel] = {}
        self._setting: Setting | None = None
        self._standing: Standing | None = None

    def look(self, asks: Sequence[Ask]) -> Looked:
        """Look, and pose as many as may be posed together. Raises ConflictError where no model is in use, and what is
        wrong with the tables; what is wrong with a lead is told to who asked."""
        with self._store.read() as tx:
            standing = self._stands(tx)
            found = _find(tx, asks[:1] if standing.setting.alone else asks)
            at = standing.moment(tx)
        posed: dict[Ask, Posed] = {}
        for kind in _kinds(standing, found.rows):
            posed |= _posed(standing, kind, found, at)
        return Looked(standing, at, posed, found.told)

    def went_on(self, standing: Standing) -> None:
        """What was given is counted in here."""
        self._standing = None if standing.setting.alone else standing

    def _stands(self, tx: Tx) -> Standing:
        key = key_of(tx)
        if self._setting is None or self._setting.key != key:
            self._standing, self._setting = None, read_setting(tx, key, self._models)
        there, tick = self._standing, tx.last_tick("assignments")
        if there is not None and there.tick < tick and not there.follow(tx.assignments.since(there.tick), tick):
            there = None
        if there is None or not there.holds_at(there.moment(tx)):
            there = Standing(self._setting, tx)
        self._standing = there
        return there


def _find(tx: Tx, asks: Sequence[Ask]) -> _Found:
    found, there = _Found(), tx.leads.many([ask.lead_id for ask in asks])
    for ask in asks:
        lead = there.get(ask.lead_id)
        state = None if lead is None else lead.state
        if ask.row is not None and state in (None, "outside"):
            state = "waiting"  # it is stored before it is placed
        refusal = refusal_of(ask, state)
        if refusal is None:
            found.rows[ask] = ask.row if ask.row is not None else dict(there[ask.lead_id].content)
            continue
        kept = None if ask.once is None else tx.idempotency.find(**ask.once.name)
        found.told[ask] = refusal if kept is None else Routed(None, kept)
    for one in tx.overrides.of([lead.lead_key for lead in there.values()]):
        found.overrides.setdefault(one.lead_id, []).append(one)
    return found


def refusal_of(ask: Ask, state: str | None) -> ApportionError | None:
    """Why a lead in this state cannot be routed; None where it can. state : None for no lead."""
    if state is None:
        return NotFoundError(f"There is no lead {ask.lead_id!r}.")
    return None if state == "waiting" else ConflictError(f"The lead is {state}: only one that waits can be routed.")


def _kinds(standing: Standing, rows: Mapping[Ask, Record]) -> Iterable[list[Ask]]:
    """Those whose leads may be posed together: none has to do with the account of another, for who gets the first may
    own the account of the next."""
    seen: set[str] = set()
    kinds: dict[object, list[Ask]] = {}
    for (ask, row), kind in zip(rows.items(), kinds_of(standing.setting, list(rows.values())), strict=True):
        accounts = standing.owners.about(row)
        if not accounts & seen:
            kinds.setdefault(kind, []).append(ask)
        seen |= accounts
    return kinds.values()


def _posed(standing: Standing, asks: Sequence[Ask], found: _Found, at: pd.Timestamp) -> dict[Ask, Posed]:
    """These leads posed together; where that fails, each by itself, and the fault is told to who asked for it."""
    overrides = [override for ask in asks for override in found.overrides.get(ask.lead_id, ())]
    rows = [found.rows[ask] for ask in asks]
    try:
        return dict(zip(asks, pose_singly(standing.setting, standing, rows, overrides, at=at), strict=True))
    except ApportionError as error:
        if len(asks) == 1:
            found.told[asks[0]] = error
            return {}
    return {ask: posed for one in asks for ask, posed in _posed(standing, [one], found, at).items()}
