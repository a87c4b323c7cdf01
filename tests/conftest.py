"""What all tests share: the public data beside the checkout, and how hard the property tests try.

`APPORTION_TEST_SIZE=full` gives each property ten times as many cases, and runs what is marked slow, as does `-m slow`;
each of those has a smaller sister that always runs. `APPORTION_SHARED` says where the data is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

HELD = "_hypothesis_internal_use_settings"  # where Hypothesis keeps a test's settings; test_size.py watches


def pytest_collection_modifyitems(config: pytest.Config, items: Iterable[Any]) -> None:
    """Enlarge, if asked; else what is slow waits until it is asked for."""
    if os.environ.get("APPORTION_TEST_SIZE") == "full":
        enlarge(items)
    elif not config.getoption("markexpr"):
        waits = pytest.mark.skip(reason="slow: APPORTION_TEST_SIZE=full or -m slow runs it")
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(waits)


def enlarge(items: Iterable[Any], times: int = 10) -> None:
    """Give each property `times` as many cases: once, though its parameters make several items of it."""
    for test in {id(item.obj): item.obj for item in items if hasattr(item, "obj")}.values():
        if held := getattr(test, HELD, None):
            setattr(test, HELD, settings(held, max_examples=times * held.max_examples, deadline=None))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Benchmark data beside the repository, or where APPORTION_SHARED says; skips where there is none."""
    path = Path(os.environ.get("APPORTION_SHARED", ROOT.parent / "shared"))
    if not path.is_dir():
        pytest.skip(f"no shared benchmark data at {path}: set APPORTION_SHARED to its folder")
    return path
