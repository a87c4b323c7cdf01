"""What it is worth to leave a lead to nurture, and which leads must not be left to it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked
from apportion.policy.context import lead_context
from apportion.policy.schema import Policy


def nurture_values(
    policy: Policy,
    leads: pd.DataFrame,
    opportunity: NDArray[np.floating],
    *,
    at: object,
    tier: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """(L,) currency: value + share × the lead's opportunity, by the first rule that holds or the section's own.

    Less the price of must_assign, where that is soft, for the leads that it holds for.
    """
    rule = policy.nurture
    context = lead_context(policy, leads, at=at, tier=tier)
    asked = Asked(policy, at=at, leads=context.leads)
    asked.check("nurture.rules")
    offered = np.asarray(opportunity, dtype=float)
    worth = rule.value + rule.share * offered
    chosen = asked.first(((f"nurture.rules[{k}].when", item.when) for k, item in enumerate(rule.rules)), len(leads))
    for index, item in enumerate(rule.rules):
        worth = np.where(chosen == index, item.value + item.share * offered, worth)
    if rule.must_assign is not None and rule.must_assign_price != "hard":
        asked.check("nurture.must_assign")
        worth = worth - float(rule.must_assign_price) * asked.holds(rule.must_assign, "nurture.must_assign")
    return worth


def must_assign(
    policy: Policy, leads: pd.DataFrame, *, at: object, tier: NDArray[np.int64] | None = None
) -> NDArray[np.bool_]:
    """(L,) leads that need a rep, whatever it costs."""
    rule = policy.nurture.must_assign
    if rule is None or policy.nurture.must_assign_price != "hard":
        return np.zeros(len(leads), dtype=bool)
    asked = Asked(policy, at=at, leads=lead_context(policy, leads, at=at, tier=tier).leads)
    asked.check("nurture.must_assign")
    return asked.holds(rule, "nurture.must_assign")
