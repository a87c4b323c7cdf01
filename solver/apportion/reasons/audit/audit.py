"""One audit of one plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from apportion.reasons.audit.groups import group_of
from apportion.reasons.audit.rates import CONFIDENCE, rates
from apportion.reasons.explain import Explanations
from apportion_models.errors import UsageError
from apportion_models.features.protected import attribute_of

# measure -> column of the reps' table
MEASURES = {"offered": "opportunity", "placed": "leads", "expected revenue": "expected_revenue"}


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupAudit:
    """What groups of reps get, by one attribute. column : of the reps. protected : what it holds, or None.

    table : one row a group and measure: group, reps (with a fair share), fair_share (fraction of 1), measure
    ("offered", "placed", "expected revenue"), amount, rate (multiple of the fair share), low, high (of its 90 %
    interval).
    p : measure -> chance that groups dealt at random would lie as far apart.
    """

    column: str
    protected: str | None
    table: pd.DataFrame
    p: dict[str, float]

    def document(self) -> dict[str, Any]:
        """Plain values for plan.json; NaN where nothing is known."""
        return {
            "by": self.column,
            "protected": self.protected,
            "confidence": CONFIDENCE,
            "p": dict(self.p),
            "groups": self.table.to_dict(orient="records"),
        }


def audit_plan(
    reasons: Explanations, column: str, *, at_least: int = 3, declared: Iterable[str] = (), seed: int = 0
) -> GroupAudit:
    """Audit a plan by a column of the reps; the attribute need not be, and is not made, a feature of anything.

    at_least : groups of fewer reps are told together. declared : columns that are protected whatever their name.
    Reps without a fair share, such as those away, do not count. Raises UsageError where the reps lack the column.
    """
    reps, batch = reasons.reps, reasons.facts.batch
    if column not in batch.reps.columns:
        known = ", ".join(map(str, batch.reps.columns))
        raise UsageError(f"An audit must be by team, or by a column of the reps: {known}. Got {column!r}.")
    fair = reps["fair_share"].to_numpy(dtype=float)
    names, of = group_of(batch.reps, column, fair > 0, at_least)
    group = np.array(of, dtype=np.int64)
    counted = group >= 0
    many = np.bincount(group[counted], minlength=len(names))
    due = np.bincount(group[counted], weights=fair[counted], minlength=len(names))
    rows: list[pd.DataFrame] = []
    chance: dict[str, float] = {}
    for measure, name in MEASURES.items():
        found = rates(reps[name].to_numpy(dtype=float), fair, group, len(names), seed=seed)
        chance[measure] = found.p
        columns = {"amount": found.amount, "rate": found.rate, "low": found.low, "high": found.high}
        rows.append(pd.DataFrame({"group": names, "reps": many, "fair_share": due, "measure": measure, **columns}))
    return GroupAudit(
        column=column,
        protected=attribute_of(column, declared),
        table=pd.concat(rows, ignore_index=True),
        p=chance,
    )
