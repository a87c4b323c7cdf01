"""`apportion demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apportion.app import AssignRequest, Sources
from apportion.cli import options
from apportion.cli.assign import run_assign
from apportion.connectors import sample_folder

SAMPLE_MOMENT = "2026-03-02T08:00Z"  # when the sample company assigns its batch


def sample_request(**settings: Any) -> AssignRequest:
    """The sample company's batch, at its own moment. settings : gap, time_limit, seed of the request."""
    folder = sample_folder()
    tables = ("leads", "reps", "history", "accounts", "teams", "territories", "calendar")
    sources = Sources(**{name: folder / f"{name}.csv" for name in tables})
    at = options.moment(SAMPLE_MOMENT)
    return AssignRequest(sources=sources, policy=folder / "policy.yaml", at=at, **settings)


def demo_command(
    out: options.Out = Path("out/demo"), as_json: options.AsJson = False, quiet: options.Quiet = False
) -> int:
    """Assign the shipped sample batch, and show what comes out.

    The sample company has 1,200 leads and 60 reps.

    Example:

    apportion demo --out out/demo
    """
    return run_assign(sample_request(), out, as_json=as_json, quiet=quiet)
