"""An audit in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from apportion.reasons.audit.audit import MEASURES, GroupAudit
from apportion.reasons.words import count, listed, percent, quoted

RARE = 0.05
MOST_GROUPS = 8
SAID = {"offered": "offered", "placed": "given in leads", "expected revenue": "expected to earn"}


def audit_words(audit: GroupAudit) -> tuple[str, ...]:
    """What each group is offered, placed and expected to earn, and whether chance explains the differences."""
    by = quoted(audit.column)
    table = audit.table
    names = table["group"].unique().tolist()
    if len(names) < 2:
        who = f"all reps who count are one group ({names[0]})" if names else "no rep has a fair share"
        return (f"By {by} there is nothing to compare: {who}.",)
    lines = [_sentence(audit, measure) for measure in MEASURES]
    if audit.protected is not None:
        lines.append(f"{by} is a protected attribute: it is audited here, and is no feature of the fit model.")
    return tuple(lines)


def _sentence(audit: GroupAudit, measure: str) -> str:
    rows = audit.table[audit.table["measure"] == measure].to_dict(orient="records")
    told = [f"{row['group']} {_rate(row)}" for row in rows if math.isfinite(row["rate"])]
    what = f"By {quoted(audit.column)}, {SAID[measure]}, of the fair share"
    if not told:
        return f"{what}: nothing."
    return f"{what}: {listed(told, MOST_GROUPS)}. {_judged(audit.p[measure])}"


def _rate(row: Mapping[Any, Any]) -> str:
    rate, low, high = (float(row[name]) for name in ("rate", "low", "high"))
    interval = f", 90 % interval {percent(low)} to {percent(high)}" if math.isfinite(low) else ""
    return f"{percent(rate)} ({count(int(row['reps']), 'rep')}{interval})"


def _judged(p: float) -> str:
    if not math.isfinite(p):
        return "Too few reps to tell more."
    if p > RARE:
        return f"Groups dealt at random would lie as far apart in {percent(p)} of cases: no evidence of a difference."
    return (
        f"Groups dealt at random would lie as far apart in only {percent(p)} of cases: chance does not explain it. "
        "Look at what the groups cover, at their ramp and at the rules."
    )
