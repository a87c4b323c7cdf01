"""How hard the property tests try: `APPORTION_TEST_SIZE=full` gives each of them ten times as many cases."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from hypothesis import settings

HELD = "_hypothesis_internal_use_settings"  # where Hypothesis keeps a test's settings; test_size.py watches


def pytest_collection_modifyitems(items: Iterable[Any]) -> None:
    """Enlarge, if asked."""
    if os.environ.get("APPORTION_TEST_SIZE") == "full":
        enlarge(items)


def enlarge(items: Iterable[Any], times: int = 10) -> None:
    """Give each property `times` as many cases: once, though its parameters make several items of it."""
    for test in {id(item.obj): item.obj for item in items if hasattr(item, "obj")}.values():
        if held := getattr(test, HELD, None):
            setattr(test, HELD, settings(held, max_examples=times * held.max_examples, deadline=None))
