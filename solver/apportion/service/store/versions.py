"""Which version of a policy or model is in use: an append-only list of activations, the last of which counts."""

from __future__ import annotations

import sqlalchemy as sa

from apportion.service.store.desk import ROSTER, Desk
from apportion.service.store.schema import activations
from apportion_models.errors import ConflictError


class Versioned(Desk):
    """A desk whose subject comes in versions, one of them active."""

    kind: str

    def active_version(self) -> int | None:
        """The version in use; None before the first activation."""
        used = self._used()
        return used[-1] if used else None

    def activate(self, version: int) -> None:
        """Use this version from now on. Raises NotFoundError. Nothing happens where it is in use already."""
        self.get(version)
        if self.active_version() != version:
            self._turn_to(version, rolled_back=False)

    def roll_back(self) -> int:
        """Use the version that was in use before this one, and give it. Raises ConflictError where there is none."""
        used = self._used()
        if len(used) < 2:
            raise ConflictError(f"No earlier {self.kind} was in use: there is nothing to roll back to.")
        self._turn_to(used[-2], rolled_back=True)
        return used[-2]

    def get(self, version: int) -> object:
        """One version. Raises NotFoundError."""
        raise NotImplementedError

    def _used(self) -> list[int]:
        """The versions in use one after the other, each roll-back taking the last away."""
        asked = sa.select(activations.c.version, activations.c.rolled_back).where(activations.c.kind == self.kind)
        used: list[int] = []
        for row in self.rows(asked.order_by(activations.c.id)):
            if row.rolled_back:
                used.pop()
            else:
                used.append(int(row.version))
        return used

    def _turn_to(self, version: int, *, rolled_back: bool) -> None:
        now = self.tx.now()
        row = {"kind": self.kind, "version": version, "rolled_back": rolled_back, "at": now, "by": self.tx.actor}
        self.changed(sa.insert(activations).values(row))
        self.tx.tick(ROSTER)
        self.note(f"{self.kind}.{'roll_back' if rolled_back else 'activate'}", version=version)
