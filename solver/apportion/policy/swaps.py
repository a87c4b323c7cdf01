"""Which leads and reps may take part in a draw, for one batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked
from apportion.policy.context import lead_context
from apportion.policy.schema import Policy

Bools = NDArray[np.bool_]


def may_swap(
    policy: Policy,
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    *,
    at: object,
    tier: NDArray[np.int64] | None = None,
) -> tuple[Bools, Bools]:
    """(L,) leads and (R,) reps that the policy's `swaps` lets take part; none where it has no such section.

    Raises PolicyError where a predicate does not fit the tables.
    """
    rule = policy.swaps
    if rule is None:
        return np.zeros(len(leads), dtype=bool), np.zeros(len(reps), dtype=bool)
    asked = Asked(policy, at=at, leads=lead_context(policy, leads, at=at, tier=tier).leads, reps=reps)
    asked.check("swaps")
    return asked.holds(rule.leads, "swaps.leads"), asked.holds(rule.reps, "swaps.reps")
