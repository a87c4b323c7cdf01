"""What is asked of the router, and what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apportion.service.store import Answer, Assignment
from apportion.service.store.cells import Record
from apportion.service.store.idempotency import KEPT


@dataclass(frozen=True)
class Once:
    """A request that is done once under a name. answer : what is kept, for `keep`, for whoever sends it again."""

    scope: str
    key: str
    body_hash: str
    answer: Callable[[Assignment], Answer]
    keep: dt.timedelta = KEPT

    @property
    def name(self) -> dict[str, str]:
        """Which request it is."""
        return {"scope": self.scope, "key": self.key, "body_hash": self.body_hash}


@dataclass(frozen=True, eq=False)
class Ask:
    """One lead to be routed. came : its row as it came, where it is to be stored first, and then `lead_id` is what that
    says. row : the same, read."""

    lead_id: str
    actor: str
    came: Mapping[str, Any] | None = None
    once: Once | None = None
    row: Record | None = None


@dataclass(frozen=True)
class Routed:
    """What became of it. assignment : None where the same request was answered before; then `answer` is that one."""

    assignment: Assignment | None
    answer: Answer | None = None
