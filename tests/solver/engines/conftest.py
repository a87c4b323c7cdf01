"""The thousands of further cases run when they are asked for: `-m slow`, or APPORTION_TEST_SIZE=full."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the slow cases of this folder in the quick size."""
    if os.environ.get("APPORTION_TEST_SIZE") == "full" or config.option.markexpr:
        return
    left_out = [item for item in items if HERE in item.path.parents and item.get_closest_marker("slow")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(map(id, left_out))
        items[:] = [item for item in items if id(item) not in gone]
