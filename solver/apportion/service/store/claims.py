"""Claims: which run has which leads. A lead is in one open run at a time; the database itself holds that."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from apportion.service.store.desk import Desk, parts
from apportion.service.store.schema import claims, leads


class Claims(Desk):
    """What can be asked and said of claims."""

    def take(self, run_id: str, *, limit: int | None = None) -> list[int]:
        """Claim the leads that wait, the oldest first, and give their keys. Leads that another is just claiming are
        passed over."""
        waiting = sa.select(leads.c.lead_key).where(leads.c.state == "waiting")
        oldest = waiting.order_by(leads.c.created_at, leads.c.lead_id).limit(limit).with_for_update(skip_locked=True)
        mine = sa.update(leads).where(leads.c.lead_key.in_(oldest)).values(state="claimed", waiting_since=None)
        keys = sorted(int(row.lead_key) for row in self.rows(mine.returning(leads.c.lead_key)))
        for part in parts(keys):
            self.changed(sa.insert(claims), [{"run_id": run_id, "lead_key": key, "is_open": True} for key in part])
        return keys

    def name(self, run_id: str, lead_keys: Sequence[int]) -> None:
        """Note which leads a run speaks of that it does not claim."""
        for part in parts(lead_keys):
            rows = [{"run_id": run_id, "lead_key": key, "is_open": False} for key in part]
            self.changed(sa.insert(claims), rows)

    def of(self, run_id: str) -> list[int]:
        """The leads that a run has, or had, in the order of their keys."""
        asked = sa.select(claims.c.lead_key).where(claims.c.run_id == run_id).order_by(claims.c.lead_key)
        return [int(row.lead_key) for row in self.rows(asked)]

    def close(self, run_id: str) -> None:
        """The run has placed its leads."""
        self.changed(sa.update(claims).where(claims.c.run_id == run_id).values(is_open=False))

    def give_back(self, run_id: str) -> None:
        """The run came to nothing: its leads wait again."""
        held = sa.select(claims.c.lead_key).where(claims.c.run_id == run_id, claims.c.is_open)
        self._wait_again([int(row.lead_key) for row in self.rows(held)])
        self.close(run_id)

    def _wait_again(self, keys: Sequence[int]) -> None:
        for part in parts(keys):
            back = sa.update(leads).where(leads.c.lead_key.in_(part), leads.c.state == "claimed")
            self.changed(back.values(state="waiting", waiting_since=self.tx.now()))
