"""Leases: who may do something, until when; and a fence that tells a worker which was taken over from the one now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import sqlalchemy as sa

from apportion.service.store.desk import Desk
from apportion.service.store.errors import LostError
from apportion.service.store.schema import leases

FORESEEN = dt.timedelta(days=1)  # nothing of ours is meant for later: what seems to be is of a clock that was wrong


@dataclass(frozen=True)
class Lease:
    """The right to do what `name` names. fence : grows by one whenever the right changes hands."""

    name: str
    owner: str
    fence: int
    until: dt.datetime


class Leases(Desk):
    """What can be asked and said of leases."""

    def take(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Take what nobody has, or what its owner let lapse; None where another has it still.

        One that would lapse in the far future has lapsed: no owner asks for so much, and a clock that was wrong for a
        moment must not keep its run from others for years. The fence tells a living owner apart all the same.
        """
        now = self.tx.now()
        until = now + dt.timedelta(seconds=seconds)
        first = self.tx.insert(leases).values(name=name, owner=owner, fence=1, until=until)
        taken = first.on_conflict_do_update(
            index_elements=["name"],
            set_={"owner": owner, "until": until, "fence": leases.c.fence + 1},
            where=leases.c.until.is_(None) | (leases.c.until <= now) | (leases.c.until > now + FORESEEN),
        )
        row = self.first(taken.returning(leases.c.fence))
        return None if row is None else Lease(name, owner, int(row.fence), until)

    def beat(self, lease: Lease, seconds: float) -> Lease:
        """Keep it for `seconds` from now. Raises LostError where another has taken it."""
        until = self.tx.now() + dt.timedelta(seconds=seconds)
        if not self.changed(_own(lease).values(until=until)):
            raise _lost(lease)
        return replace(lease, until=until)

    def hold(self, lease: Lease) -> None:
        """Raise LostError where another has taken it; else nobody can before this transaction ends."""
        mine = sa.select(leases.c.fence).where(leases.c.name == lease.name, leases.c.fence == lease.fence)
        if self.first(mine.with_for_update()) is None:
            raise _lost(lease)

    def give_back(self, lease: Lease) -> None:
        """Let others take it at once. Nothing happens where another has taken it."""
        self.changed(_own(lease).values(until=None, owner=None))

    def holder(self, name: str) -> Lease | None:
        """Who has it now; None where it is free or lapsed."""
        row = self.first(sa.select(leases).where(leases.c.name == name, leases.c.until > self.tx.now()))
        return None if row is None else Lease(row.name, row.owner, int(row.fence), row.until)


def _own(lease: Lease) -> sa.Update:
    return sa.update(leases).where(leases.c.name == lease.name, leases.c.fence == lease.fence)


def _lost(lease: Lease) -> LostError:
    return LostError(f"{lease.name} was taken over from {lease.owner}: what it did does not count.")
