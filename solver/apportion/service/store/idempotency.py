"""Idempotency: the same key under the same body gets the same answer, and nothing is done twice."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from apportion.service.store.desk import Desk
from apportion.service.store.schema import idempotency
from apportion_models.errors import ConflictError, InputError

KEPT = dt.timedelta(hours=24)


class StillRunningError(ConflictError):
    """The first request with this key is being answered yet: ask again a little later."""


class OtherBodyError(InputError):
    """The key was used with another body."""

    code = "other_body"


@dataclass(frozen=True)
class Answer:
    """What was answered to a key."""

    status: int
    response: Any


class Idempotency(Desk):
    """What can be asked and said of keys."""

    def begin(self, *, scope: str, key: str, body_hash: str, seconds: float = 60.0) -> Answer | None:
        """Reserve a key; the answer that it got before, if it did. scope : the API key's id and the call.

        A request that is not answered within `seconds` (its process died) may be sent again under its key. Raises
        OtherBodyError; StillRunningError.
        """
        now = self.tx.now()
        row = {"scope": scope, "key": key, "body_hash": body_hash, "created_at": now}
        first = self.tx.insert(idempotency).values(**row, until=now + dt.timedelta(seconds=seconds))
        again = first.on_conflict_do_update(
            index_elements=["scope", "key"],
            set_={name: first.excluded[name] for name in ("body_hash", "created_at", "until")}
            | {"status": None, "response": None},
            where=idempotency.c.until <= now,
        )
        if self.inserted(again):
            return None
        found = self.find(scope=scope, key=key, body_hash=body_hash)
        assert found is not None
        return found

    def find(self, *, scope: str, key: str, body_hash: str) -> Answer | None:
        """The answer that a key got; None where it was not used, or is kept no longer. Raises as `begin` does."""
        there = self.first(sa.select(idempotency).where(*_mine(scope, key), idempotency.c.until > self.tx.now()))
        if there is None:
            return None
        if there.body_hash != body_hash:
            raise OtherBodyError("The Idempotency-Key was used with another body before: use a new key.")
        if there.status is None:
            raise StillRunningError("The first request with this Idempotency-Key is not answered yet: ask again later.")
        return Answer(int(there.status), there.response)

    def finish(self, *, scope: str, key: str, status: int, response: Any, keep: dt.timedelta = KEPT) -> None:
        """Keep the answer for so long: in the transaction that did what it tells of."""
        kept = {"status": status, "response": response, "until": self.tx.now() + keep}
        self.changed(sa.update(idempotency).where(*_mine(scope, key)).values(kept))

    def drop(self, *, scope: str, key: str) -> None:
        """Forget a key whose request came to nothing and changed nothing."""
        self.changed(sa.delete(idempotency).where(*_mine(scope, key), idempotency.c.status.is_(None)))

    def sweep(self) -> int:
        """Remove what is kept no longer. Gives how many."""
        return self.changed(sa.delete(idempotency).where(idempotency.c.until <= self.tx.now()))


def _mine(scope: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return idempotency.c.scope == scope, idempotency.c.key == key
