"""Fixtures of the doctor: `said` looks at the test's store and gives what was said, by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

import pytest

from apportion.service.doctor import Check, Look, look_at_store
from apportion.service.outbox import Route
from apportion.service.store import Store

Said = Callable[..., dict[str, list[Check]]]


@pytest.fixture
def said() -> Said:
    """Every check of a store, by its name."""

    def look(store: Store, routes: Mapping[str, Route] | None = None) -> dict[str, list[Check]]:
        found: dict[str, list[Check]] = defaultdict(list)
        for check in look_at_store(store, Look(routes=routes)):
            found[check.name].append(check)
        return dict(found)

    return look
