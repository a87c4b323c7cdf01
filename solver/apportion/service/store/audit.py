"""The audit trail: what was done, by whom, each entry holding the hash of the one before it.

The database refuses to change or remove an entry. None tells of a person: leads and reps stand in it as numbers.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from apportion.service.store.columns import canonical
from apportion.service.store.desk import Desk, Page
from apportion.service.store.schema import audit

FIRST = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One thing that was done. hash : over all else, the hash of the entry before it too."""

    seq: int
    at: dt.datetime
    actor: str
    action: str
    about: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class Trail:
    """Whether the trail is whole. broken_at : the first entry that does not follow from those before it."""

    entries: int
    head: str
    broken_at: int | None

    @property
    def ok(self) -> bool:
        """Whether every entry follows from those before it."""
        return self.broken_at is None


class Audit(Desk):
    """What can be asked and said of the trail."""

    def __init__(self, tx: Any) -> None:
        super().__init__(tx)
        self._noted: list[tuple[str, str, dict[str, Any]]] = []

    def note(self, action: str, **about: Any) -> None:
        """Enter something into the trail when the transaction ends. about : nothing that tells of a person."""
        self._noted.append((self.tx.actor, action, {name: value for name, value in about.items() if value is not None}))

    def seal(self) -> None:
        """Write what was noted. The count is what one transaction after the other must take: held to the end only."""
        if not self._noted:
            return
        self.tx.tick("audit")
        last = self.first(sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
        seq, previous = (0, FIRST) if last is None else (int(last.seq), str(last.hash))
        rows, at = [], self.tx.now()
        for actor, action, about in self._noted:
            seq += 1
            row = {"seq": seq, "at": at, "actor": actor, "action": action, "about": about, "previous": previous}
            previous = entry_hash(row)
            rows.append(row | {"hash": previous})
        self.changed(sa.insert(audit), rows)
        self._noted.clear()

    def page(self, *, after: str | None = None, limit: int = 100) -> Page[Entry]:
        """Entries, the oldest first."""
        place = None if after is None else int(after)
        return self.listed(sa.select(audit), audit.c.seq, _entry, after=place, limit=limit)

    def verify(self) -> Trail:
        """Go through the whole trail."""
        count, previous = 0, FIRST
        for row in self.tx.connection.execute(sa.select(audit).order_by(audit.c.seq)):
            count += 1
            told = dict(row._mapping)
            if (row.seq, row.previous, row.hash) != (count, previous, entry_hash(told)):
                return Trail(count, row.hash, count)
            previous = row.hash
        return Trail(count, previous, None)


def entry_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 over an entry's content and the hash of the one before it."""
    at = row["at"].astimezone(dt.UTC).isoformat(timespec="microseconds")
    told = [row["seq"], at, row["actor"], row["action"], row["about"], row["previous"]]
    return hashlib.sha256(canonical(told).encode()).hexdigest()


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(**row._mapping)
