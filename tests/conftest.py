"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Benchmark data beside the repository, or where APPORTION_SHARED says; skips where there is none."""
    path = Path(os.environ.get("APPORTION_SHARED", ROOT.parent / "shared"))
    if not path.is_dir():
        pytest.skip(f"no shared benchmark data at {path}: set APPORTION_SHARED to its folder")
    return path
