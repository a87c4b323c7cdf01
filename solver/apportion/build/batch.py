"""Batch: an assignment problem together with the business context that its reasons need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem
from apportion_models.errors import Finding

if TYPE_CHECKING:
    from apportion.policy import Eligibility, Policy


@dataclass(frozen=True, eq=False)
class Batch:
    """One batch, ready to solve and to explain. L leads stand for assignment out of all the leads given; R reps.

    leads, reps : the tables as read, in input order. rows : (L,) positions in `leads` of the problem's leads.
    fit : (L, R) P(convert | lead, rep). deal_value : (L,) currency. Both in the order of `rows` and of `reps`.
    capacity : one row a rep, how its capacity came about. eligibility : which pairs are allowed, by which rule not, and
        the effects of soft rules.
    screened : one row a lead of `leads`: outcome ("assign", "nurture", "reject") and reason.
    tier : (L,) index into tier_names. notes : what a person should know about this batch. cost : (L, R) currency that
        each pair costs by the policy, None where nothing does; the problem's values are net of it, its revenue is not.
    """

    problem: AssignmentProblem
    policy: Policy
    at: pd.Timestamp
    leads: pd.DataFrame
    reps: pd.DataFrame
    rows: NDArray[np.int64]
    fit: NDArray[np.float32]
    deal_value: NDArray[np.float64]
    capacity: pd.DataFrame
    eligibility: Eligibility
    screened: pd.DataFrame
    tier: NDArray[np.int64]
    tier_names: tuple[str, ...]
    notes: tuple[Finding, ...] = ()
    cost: NDArray[np.float64] | None = None
