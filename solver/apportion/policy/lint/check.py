"""The order of the checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked
from apportion.policy.capacity import lead_effort, rep_capacity
from apportion.policy.context import lead_context, tiers
from apportion.policy.eligibility import eligible_pairs
from apportion.policy.lint.batch import CheckedBatch
from apportion.policy.lint.bounds import bounds_of_capacity, bounds_of_equity, bounds_of_limits, moot_rules
from apportion.policy.lint.coverage import idle_reps, leads_without_rep, missing_skills, uncovered_territories
from apportion.policy.lint.draws import few_swaps
from apportion.policy.lint.people import audited, odd_parcels, overridden, unknown_holidays
from apportion.policy.lint.reach import shadowed, unknown_values, unreached
from apportion.policy.lint.times import nobody_at_work, too_often
from apportion.policy.nurture import nurture_values
from apportion.policy.schema import Policy
from apportion.policy.screening import parcels, screen
from apportion.policy.shares import equity, fair_weights, limits
from apportion_models.errors import Finding, InputError

CHECKS: tuple[Callable[[CheckedBatch], Iterator[Finding]], ...] = (
    unreached,
    shadowed,
    unknown_values,
    uncovered_territories,
    idle_reps,
    missing_skills,
    leads_without_rep,
    bounds_of_capacity,
    bounds_of_equity,
    bounds_of_limits,
    moot_rules,
    overridden,
    odd_parcels,
    unknown_holidays,
    audited,
    few_swaps,
    nobody_at_work,
    too_often,
)


def check_policy(
    policy: Policy,
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    *,
    at: object,
    expected: NDArray[np.floating] | None = None,
    assigned: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    territories: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    overrides: pd.DataFrame | None = None,
) -> list[Finding]:
    """What is wrong or odd with a policy on these tables, errors first; an empty list is a clean bill.

    `expected` is (L,) the leads' expected revenue, for tiers by it; the lead's `deal_value` stands in when it is
    absent. Each finding names the key path (`column`) and line (`row`) of the policy, or the table and row at fault.
    """
    broken = _misfits(policy, leads, reps, at)
    if broken:
        return broken
    tables = {"assigned": assigned, "accounts": accounts, "territories": territories}
    try:
        batch = _prepare(policy, leads, reps, at, expected, calendar, overrides, tables)
    except InputError as error:
        return list(error.findings)
    found = [finding for check in CHECKS for finding in check(batch)]
    return sorted(found, key=lambda finding: finding.severity != "error")


def _misfits(policy: Policy, leads: pd.DataFrame, reps: pd.DataFrame, at: object) -> list[Finding]:
    """Predicates that do not fit the tables, with the columns that the policy itself adds to the leads."""
    extra = {}
    if policy.territories.cover:
        extra["territory"] = policy.territories.cover[0].name
    if policy.tiers.bands:
        extra["tier"] = policy.tiers.bands[0].name
    whole = Asked(policy, at=at, leads=leads.assign(**extra), reps=reps)
    return list(whole.misfits([""]))


def _prepare(
    policy: Policy,
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    at: object,
    expected: NDArray[np.floating] | None,
    calendar: pd.DataFrame | None,
    overrides: pd.DataFrame | None,
    tables: dict[str, Any],
) -> CheckedBatch:
    if expected is None and "deal_value" in leads.columns:
        expected = leads["deal_value"].to_numpy(dtype=float, na_value=np.nan)
    measure = np.zeros(len(leads)) if expected is None else expected
    tier, _ = tiers(policy, leads, measure, at=at)
    context = lead_context(policy, leads, at=at, tier=tier)
    screened = screen(policy, leads, at=at)
    capacity = rep_capacity(policy, reps, at=at, assigned=tables["assigned"], calendar=calendar)
    nurture_values(policy, leads, measure, at=at, tier=tier)
    return CheckedBatch(
        policy=policy,
        asked=Asked(policy, at=at, leads=context.leads, reps=reps),
        context=context,
        reps=reps,
        standing=(screened["outcome"] == "assign").to_numpy(dtype=bool),
        effort=lead_effort(policy, leads, at=at),
        capacity=capacity,
        eligibility=eligible_pairs(
            policy, leads, reps, at=at, overrides=overrides, tier=tier, capacity=capacity, **tables
        ),
        limits=limits(policy, leads, reps, at=at, capacity=capacity, tier=tier, assigned=tables["assigned"]),
        shares=equity(policy, leads, reps, at=at, tier=tier, assigned=tables["assigned"]),
        weights=fair_weights(policy, reps, at=at),
        parcels=parcels(policy, leads, accounts=tables["accounts"]),
    )
