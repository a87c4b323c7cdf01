"""Tables, policy and estimates become a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build.batch import Batch
from apportion.build.inputs import Estimates, Tables
from apportion.build.rules import capacity_rules, equity_rule, full_capacity, limit_rule, unreachable_notes
from apportion.policy import (
    Eligibility,
    Policy,
    apart_effect,
    eligible_pairs,
    equity,
    fair_weights,
    lead_effort,
    limits,
    must_assign,
    nurture_values,
    pair_costs,
    pair_values,
    parcels,
    rep_capacity,
    screen,
    tiers,
)
from apportion.problem import AssignmentProblem
from apportion_models.errors import Finding

Floats = NDArray[np.float64]


def build_batch(
    policy: Policy,
    tables: Tables,
    estimates: Estimates,
    *,
    at: pd.Timestamp,
    share_out: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    capacity: pd.DataFrame | None = None,
) -> Batch:
    """Pose one batch as an assignment problem, with what its reasons will need.

    Leads that screening sends to nurture or rejects do not stand for assignment. capacity : the reps' capacity as
    `rep_capacity` gives it; asked where it is absent. share_out : takes it and gives the part of it that this batch may
    use (an arm of an experiment). Raises PolicyError and TableError where policy and tables do not fit together.
    """
    screened = screen(policy, tables.leads, at=at)
    rows = np.flatnonzero((screened["outcome"] == "assign").to_numpy())
    standing = replace(tables, leads=tables.leads.iloc[rows].reset_index(drop=True))
    believed = _taken(estimates, rows)
    tier, tier_names = tiers(policy, standing.leads, believed.revenue.mean(axis=1), at=at)
    if capacity is None:
        capacity = rep_capacity(policy, tables.reps, at=at, assigned=tables.assigned, calendar=tables.calendar)
    if share_out is not None:
        capacity = share_out(capacity)
    eligibility = eligible_pairs(
        policy,
        standing.leads,
        tables.reps,
        at=at,
        assigned=tables.assigned,
        accounts=tables.accounts,
        territories=tables.territories,
        overrides=tables.overrides,
        tier=tier,
        capacity=capacity,
    )
    apart = apart_effect(
        policy,
        standing.leads,
        tables.reps,
        believed.revenue,
        eligibility,
        at=at,
        capacity=capacity,
        accounts=tables.accounts,
        assigned=tables.assigned,
    )
    if apart is not None:
        eligibility = replace(eligibility, effects=(*eligibility.effects, apart))
    cost = pair_costs(policy, standing.leads, tables.reps, believed.revenue, at=at, tier=tier)
    problem, notes = _problem(policy, standing, believed, tier, capacity, eligibility, cost, at)
    return Batch(
        problem=problem,
        policy=policy,
        at=at,
        leads=tables.leads,
        reps=tables.reps,
        rows=rows,
        fit=believed.fit,
        deal_value=believed.deal_value,
        capacity=capacity,
        eligibility=eligibility,
        screened=screened,
        tier=tier,
        tier_names=tier_names,
        notes=(*tables.findings, *notes),
        cost=cost,
    )


def _taken(estimates: Estimates, rows: NDArray[np.int64]) -> Estimates:
    spread = None if estimates.spread is None else estimates.spread[rows]
    return Estimates(estimates.fit[rows], estimates.deal_value[rows], spread)


def _problem(
    policy: Policy,
    tables: Tables,
    believed: Estimates,
    tier: NDArray[np.int64],
    capacity: pd.DataFrame,
    eligibility: Eligibility,
    cost: Floats | None,
    at: pd.Timestamp,
) -> tuple[AssignmentProblem, list[Finding]]:
    leads, reps = tables.leads, tables.reps
    revenue = believed.revenue
    worth = pair_values(
        policy, leads, reps, revenue, at=at, spread=believed.spread, calendar=tables.calendar, cost=cost
    )
    value = worth + sum((effect.amount for effect in eligibility.effects), np.zeros(worth.shape))
    effort = lead_effort(policy, leads, at=at)
    opportunity = _opportunity(revenue, eligibility.allowed)
    weights = capacity["capacity"].to_numpy(dtype=float) * fair_weights(policy, reps, at=at)
    reachable = np.asarray(eligibility.allowed.any(axis=0), dtype=bool)
    shares = equity(policy, leads, reps, at=at, tier=tier, assigned=tables.assigned)
    bounds = limits(policy, leads, reps, at=at, capacity=capacity, tier=tier, assigned=tables.assigned)
    locked = eligibility.lock >= 0
    problem = AssignmentProblem.from_arrays(
        value,
        revenue=revenue,
        eligible=eligibility.allowed,
        capacity=_with_locks(policy, full_capacity(policy, capacity), effort, eligibility.lock),
        effort=effort,
        nurture=nurture_values(policy, leads, opportunity, at=at, tier=tier),
        must_assign=must_assign(policy, leads, at=at, tier=tier) | locked,
        parcel=parcels(policy, leads, accounts=tables.accounts),
        tier=tier,
        team=_team(reps),
        opportunity=opportunity,
        equity=[equity_rule(rule, weights, reachable) for rule in shares],
        limits=[*(limit_rule(rule) for rule in bounds), *capacity_rules(policy, capacity, eligibility.lock)],
        lead_ids=leads["lead_id"].astype(str).tolist(),
        rep_ids=reps["rep_id"].astype(str).tolist(),
    )
    return problem, list(unreachable_notes(reps, weights, reachable)) if len(leads) else []


def _opportunity(revenue: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """(L,) mean expected revenue over the eligible reps, whatever their order; over all reps where none is eligible."""
    ordered = np.sort(np.where(allowed, revenue, 0.0), axis=1)
    count = allowed.sum(axis=1)
    eligible = ordered.sum(axis=1) / np.maximum(count, 1)
    return np.where(count > 0, eligible, np.sort(revenue, axis=1).mean(axis=1) if revenue.shape[1] else 0.0)


def _with_locks(policy: Policy, capacity: Floats, effort: Floats, lock: NDArray[np.int64]) -> Floats:
    """A person's locks may break the capacity, where the policy lets them."""
    if not policy.overrides.locks_break_capacity:
        return capacity
    locked = np.bincount(lock[lock >= 0], weights=effort[lock >= 0], minlength=len(capacity))
    return np.maximum(capacity, locked)


def _team(reps: pd.DataFrame) -> NDArray[np.int64] | None:
    if "team_id" not in reps:
        return None
    codes, _ = pd.factorize(reps["team_id"], sort=True)
    return codes.astype(np.int64)
