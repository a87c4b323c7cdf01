"""What a pair is worth to the plan: expected revenue with caution, decay while waiting, less the costs of work."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked, moment, needed, numbers
from apportion.policy.availability import rep_availability
from apportion.policy.capacity import lead_effort
from apportion.policy.context import lead_context
from apportion.policy.schema import Policy
from apportion_models.errors import UsageError


def pair_values(
    policy: Policy,
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    revenue: NDArray[np.floating],
    *,
    at: object,
    spread: NDArray[np.floating] | None = None,
    calendar: pd.DataFrame | None = None,
    cost: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """(L, R) currency: (revenue − caution × spread) × decay − cost.

    `revenue` is (L, R) fit × deal value; `spread` (L, R) its standard error, needed for `estimate: lower`, which
    is never taken below 0. `cost` is (L, R) as by `pair_costs`, which is asked where it is absent. Decay is
    2^(−hours waited / half-life), down to its floor; a lead waits from `created_at` until the rep next works. Raises
    UsageError, PolicyError, TableError.
    """
    rule = policy.value
    worth = np.array(revenue, dtype=float)
    if rule.estimate == "lower":
        if spread is None:
            raise UsageError(
                "The policy's value.estimate is lower: pass spread=, (L, R) standard errors of the revenue."
            )
        worth = np.maximum(worth - rule.caution * np.asarray(spread, dtype=float), 0.0)
    if rule.decay is not None:
        worth *= _decay(policy, leads, reps, at=at, calendar=calendar)
    cost = pair_costs(policy, leads, reps, revenue, at=at) if cost is None else cost
    return worth if cost is None else worth - cost


def pair_costs(
    policy: Policy,
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    revenue: NDArray[np.floating],
    *,
    at: object,
    tier: NDArray[np.int64] | None = None,
) -> NDArray[np.float64] | None:
    """(L, R) currency that each pair costs by the policy; None where nothing costs anything.

    cost per lead + effort × cost per effort (the rep's own, where a column has it) + every rule of `value.costs` that
    holds: per lead + effort × per effort + share of `revenue` (L, R) + the lead's own amount. Raises PolicyError and
    TableError.
    """
    rule = policy.value
    by_rep = np.full(len(reps), rule.cost_per_effort)
    if rule.cost_column is not None:
        needed(reps, "reps", (rule.cost_column,))
        own = numbers(reps, rule.cost_column)
        by_rep = np.where(np.isnan(own), by_rep, own)
    if not (rule.cost_per_lead or by_rep.any() or rule.costs):
        return None
    effort = lead_effort(policy, leads, at=at)[:, None]
    cost = rule.cost_per_lead + effort * by_rep[None, :]
    if rule.costs:
        asked = Asked(policy, at=at, leads=lead_context(policy, leads, at=at, tier=tier).leads, reps=reps)
        asked.check("value.costs")
    for index, item in enumerate(rule.costs):
        each = item.per_lead + effort * item.per_effort + item.of_revenue * np.asarray(revenue, dtype=float)
        if item.column is not None:
            needed(leads, "leads", (item.column,))
            each = each + np.nan_to_num(numbers(leads, item.column), nan=0.0)[:, None]
        cost = cost + np.where(asked.holds(item.when, f"value.costs[{index}].when"), each, 0.0)
    return np.asarray(cost, dtype=np.float64)


def _decay(
    policy: Policy, leads: pd.DataFrame, reps: pd.DataFrame, *, at: object, calendar: pd.DataFrame | None
) -> NDArray[np.float64]:
    """(L, R) what is left of a lead's worth when the rep gets to it."""
    rule = policy.value.decay
    assert rule is not None
    needed(leads, "leads", ("created_at",))
    waited = (moment(at) - pd.to_datetime(leads["created_at"], utc=True)).dt.total_seconds().to_numpy(dtype=float)
    hours = np.maximum(np.nan_to_num(waited, nan=0.0) / 3600.0, 0.0)
    free = rep_availability(policy, reps, at=at, calendar=calendar)["first_free"].to_numpy(dtype=float)
    # A rep who does not work in the window has no capacity in it; the wait is then of no account.
    still = np.nan_to_num(free, nan=0.0)
    return np.asarray(np.maximum(0.5 ** ((hours[:, None] + still[None, :]) / rule.half_life_hours), rule.floor))
