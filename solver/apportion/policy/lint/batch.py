"""Everything the checks look at, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked
from apportion.policy.context import LeadContext
from apportion.policy.eligibility import Eligibility
from apportion.policy.resolved import ResolvedLimit, ResolvedShare
from apportion.policy.schema import Policy
from apportion_models.errors import Finding


@dataclass(frozen=True, kw_only=True)
class CheckedBatch:
    """A batch as the policy sees it."""

    policy: Policy
    asked: Asked
    context: LeadContext
    reps: pd.DataFrame
    standing: NDArray[np.bool_]  # (L,) leads that stand for assignment
    effort: NDArray[np.float64]  # (L,)
    capacity: pd.DataFrame
    eligibility: Eligibility
    limits: tuple[ResolvedLimit, ...]
    shares: tuple[ResolvedShare, ...]
    weights: NDArray[np.float64]
    parcels: NDArray[np.int64]

    @cached_property
    def lead_ids(self) -> list[str]:
        """(L,)."""
        return [str(lead) for lead in self.context.leads["lead_id"]]

    @cached_property
    def rep_ids(self) -> list[str]:
        """(R,)."""
        return [str(rep) for rep in self.reps["rep_id"]]

    def told(self, severity: str, path: str, message: str, *, value: object = None, remedy: str = "") -> Finding:
        """A finding about a key of the policy."""
        kind = "error" if severity == "error" else "notice"
        return self.policy.finding(kind, path, message, value=value, remedy=remedy)  # type: ignore[arg-type]


def some(items: list[str], most: int = 5) -> str:
    """A few names, and how many more."""
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"
