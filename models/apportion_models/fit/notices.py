"""What a history says against itself: reasons to doubt what was learned, told in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from apportion_models.errors import Finding
from apportion_models.fit.history import Cases

MOSTLY_OPEN = 0.5  # share of leads without an outcome from which little is known
SHIFTED = 3.0  # standard errors
SHIFTED_BY = 0.1  # of the expected rate


def notices(cases: Cases, measures: Mapping[str, Any], level: str) -> list[Finding]:
    """Notices on a history that is shorter than the sales cycle, and on a base rate that moved.

    measures : level -> what was measured out of time, see `validation.metrics`.
    """
    return [*_mostly_open(cases), *_shift(measures.get(level))]


def _mostly_open(cases: Cases) -> list[Finding]:
    still = int((cases.outcome < 0).sum())
    if still < MOSTLY_OPEN * len(cases):
        return []
    message = (
        f"{still:,} of {len(cases):,} leads are still open: the history is short against the sales cycle. Each counts "
        "as the share of a win that its age leaves open, and what is learned rests on the few that are closed."
    )
    return [_told(message, "Give an older or longer history.")]


def _shift(measured: Mapping[str, Any] | None) -> list[Finding]:
    """The later leads converted at another rate than everything before let expect."""
    if measured is None or not measured["rows"]:
        return []
    expected, observed, rows = measured["expected_rate"], measured["observed_rate"], measured["rows"]
    error = float(np.sqrt(max(expected * (1.0 - expected), 1e-12) / rows))
    if abs(observed - expected) < max(SHIFTED * error, SHIFTED_BY * expected):
        return []
    message = (
        f"the base rate moved: of the {rows:,} latest leads {observed:.1%} converted, and what came before let expect "
        f"{expected:.1%}."
    )
    remedy = "Expected revenue is off by as much until newer leads are closed; look at what changed, and fit again."
    return [_told(message, remedy)]


def _told(message: str, remedy: str) -> Finding:
    return Finding(severity="notice", table="history", column="outcome", message=message, remedy=remedy)
