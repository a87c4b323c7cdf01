"""What the numbers were measured on: nothing that names a person, a path or a host."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "scipy", "ortools", "numba", "pandas", "scikit-learn")
ROOT = Path(__file__).resolve().parents[1]


def machine() -> dict[str, Any]:
    """Cores, processor, memory, versions, commit, date and load, for JSON."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "--short", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--", "solver", "models", "benchmarks")),
        "threads": os.environ.get("OMP_NUM_THREADS", "not limited"),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def busy(others: list[float]) -> str:
    """In a word, from the shares of the machine that other work used during the cases."""
    if not others:
        return "unknown"
    middle = sorted(others)[len(others) // 2]
    word = "quiet" if middle < 0.05 else "somewhat busy" if middle < 0.25 else "busy"
    return f"{word}: other work used {100 * middle:.0f} % of the cores in the middle case"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
