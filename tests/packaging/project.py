"""What the tests of this folder know of the project: its root, its packages, its pyproject."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCES = {"apportion": ROOT / "solver" / "apportion", "apportion_models": ROOT / "models" / "apportion_models"}


def pyproject() -> dict[str, Any]:
    """The project's own declaration."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def modules() -> list[str]:
    """Every module of both packages, by the name that imports it; `__main__` runs, so it is not among them."""
    found = []
    for package, folder in SOURCES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            if parts[-1] != "__main__":
                found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def pages() -> list[Path]:
    """Every page for people."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "data" / "README.md"]
