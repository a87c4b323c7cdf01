"""Leads are given: counted, stored, told and answered, in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from apportion.service.runs.routing.asking import Ask, Routed
from apportion.service.runs.routing.deciding import ORIGIN, Decided, decide
from apportion.service.runs.routing.looking import Looked, Told, refusal_of
from apportion.service.runs.routing.standing import Standing
from apportion.service.store import Assignment, AwayError, Tx


class Moved(Exception):  # noqa: N818 - nothing is wrong: the leads are to be looked at again
    """More has happened in the store since the look than can be counted on top of it."""


class Writing:
    """What was looked at is written. `done` may be done again after a transaction that came to nothing.

    standing : where the reps stand afterwards.
    """

    def __init__(self, looked: Looked) -> None:
        self._looked = looked
        self.standing: Standing = looked.standing

    def done(self, tx: Tx) -> Told:
        """All that was asked. Raises Moved; AwayError while a batch has the floor to itself."""
        told, self.standing = dict(self._looked.told), self._looked.standing
        asks = [*self._looked.posed, *told]
        if not self._looked.posed:
            store_rows(tx, asks)
            return told
        tick = tx.tick("assignments")  # whoever else assigns waits from here on, so that what is counted stays true
        if tx.runs.is_exclusive():
            raise AwayError("A batch is being placed, and nothing else until it is done: try again a little later.")
        standing = self._looked.standing.copy()
        if not standing.follow([one for one in tx.assignments.since(standing.tick) if one.tick < tick], tick - 1):
            raise Moved
        store_rows(tx, asks)
        decided = self._decided(tx, standing, told, tick)
        told |= self._kept(tx, decided, tick)
        standing.tick = tick
        self.standing = standing
        return told

    def _decided(self, tx: Tx, standing: Standing, told: Told, tick: int) -> dict[Ask, Decided]:
        there = tx.leads.held([ask.lead_id for ask in self._looked.posed])
        decided: dict[Ask, Decided] = {}
        for ask, posed in self._looked.posed.items():
            once, lead = ask.once, there.get(ask.lead_id)
            kept = (
                None if once is None else tx.idempotency.begin(scope=once.scope, key=once.key, body_hash=once.body_hash)
            )
            refusal = refusal_of(ask, None if lead is None else lead.state)
            if kept is not None:
                told[ask] = Routed(None, kept)
            elif refusal is not None:
                told[ask] = refusal
                if ask.once is not None:
                    tx.idempotency.drop(scope=ask.once.scope, key=ask.once.key)
            else:
                assert lead is not None
                decided[ask] = decide(standing, posed, lead, at=self._looked.at, tick=tick)
        return decided

    def _kept(self, tx: Tx, decided: dict[Ask, Decided], tick: int) -> Told:
        """Stored, which tells the sinks, and answered."""
        for actor, asks in groupby(sorted(decided, key=_actor), key=_actor):
            with tx.acting(actor):
                tx.assignments.add(
                    [decided[ask].placement for ask in asks],
                    origin=ORIGIN,
                    at=self._looked.at.to_pydatetime(),
                    prices_run_id=self.standing.setting.key.prices_run_id,
                )
        stored = {one.lead_id: one for one in tx.assignments.of_tick(tick)}
        return {ask: self._answered(tx, ask, stored[ask.lead_id]) for ask in decided}

    def _answered(self, tx: Tx, ask: Ask, assignment: Assignment) -> Routed:
        if ask.once is None:
            return Routed(assignment)
        answer = ask.once.answer(assignment)
        tx.idempotency.finish(
            scope=ask.once.scope, key=ask.once.key, status=answer.status, response=answer.response, keep=ask.once.keep
        )
        return Routed(assignment, answer)


def store_rows(tx: Tx, asks: Sequence[Ask]) -> None:
    """Store the leads that came along."""
    for actor, own in groupby(sorted(asks, key=_actor), key=_actor):
        rows = [ask.row for ask in own if ask.row is not None]
        if rows:
            with tx.acting(actor):
                tx.leads.upsert_rows(rows)


def _actor(ask: Ask) -> str:
    return ask.actor
