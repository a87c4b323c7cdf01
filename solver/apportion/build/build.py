"""Tables, policy and estimates become a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

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
from apportion.policy.asked import with_derived
from apportion.policy.window import without_used
from apportion.problem import AssignmentProblem
from apportion_models.errors import Finding

Floats = NDArray[np.float64]

# Sections that touch neither pairs, tiers nor capacity: where policies differ in these alone, the rest of a batch is
# the same.
LATE = ("name", "equity", "limits", "reserve", "explore", "weights", "nurture", "swaps", "audits", "solve", "schedule")


def alike_early(one: Policy, other: Policy) -> bool:
    """Whether two policies differ in `LATE` sections alone."""
    sections = (name for name in Policy.model_fields if name not in LATE)
    return one is other or all(getattr(one, name) == getattr(other, name) for name in sections)


def build_batch(
    policy: Policy,
    tables: Tables,
    estimates: Estimates,
    *,
    at: pd.Timestamp,
    share_out: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    capacity: pd.DataFrame | None = None,
    like: Batch | None = None,
    whole_capacity: bool = False,
) -> Batch:
    """Pose one batch as an assignment problem, with what its reasons will need.

    Leads that screening sends to nurture or rejects do not stand for assignment. capacity : of the reps, as
    `rep_capacity` gives it; where it is absent, theirs by the policy, less what earlier batches gave in the same window
    (`tables.assigned`, unless it is from the history). share_out : takes it and gives the part of it that this batch
    may use (an arm of an experiment). whole_capacity : take nothing off for earlier batches. like : the batch of the
    same tables, estimates, moment and capacity under another policy; where the two policies differ in `LATE` sections
    alone, all that these do not touch is taken from it. Raises PolicyError and TableError where policy and tables do
    not fit together.
    """
    posed = replace(tables, reps=with_derived(policy, tables.reps, at))  # once, and not by each of the policy's rooms
    early: _Early | Batch
    if like is not None and alike_early(policy, like.policy):
        early = like
    else:
        early = _early(policy, posed, estimates, at, capacity, share_out, whole_capacity)
    standing = replace(posed, leads=tables.leads.iloc[early.rows].reset_index(drop=True))
    problem, notes = _problem(policy, standing, _taken(estimates, early.rows), early, at)
    known = {field.name: getattr(early, field.name) for field in fields(_Early)}
    return Batch(
        **known,
        problem=problem,
        policy=policy,
        at=at,
        leads=tables.leads,
        reps=tables.reps,
        notes=(*tables.findings, *notes),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Early:
    """What of a batch does not depend on `LATE` sections, as `Batch` has it."""

    rows: NDArray[np.int64]
    fit: NDArray[np.float32]
    deal_value: Floats
    capacity: pd.DataFrame
    eligibility: Eligibility
    screened: pd.DataFrame
    tier: NDArray[np.int64]
    tier_names: tuple[str, ...]
    cost: Floats | None


def _early(
    policy: Policy,
    tables: Tables,
    estimates: Estimates,
    at: pd.Timestamp,
    capacity: pd.DataFrame | None,
    share_out: Callable[[pd.DataFrame], pd.DataFrame] | None,
    whole_capacity: bool,
) -> _Early:
    screened = screen(policy, tables.leads, at=at)
    rows = np.flatnonzero((screened["outcome"] == "assign").to_numpy())
    standing = replace(tables, leads=tables.leads.iloc[rows].reset_index(drop=True))
    believed = _taken(estimates, rows)
    tier, tier_names = tiers(policy, standing.leads, believed.revenue.mean(axis=1), at=at)
    if capacity is None:
        capacity = rep_capacity(policy, tables.reps, at=at, assigned=tables.assigned, calendar=tables.calendar)
        if not whole_capacity and not tables.from_history:
            capacity = without_used(capacity, policy, tables.reps, tables.assigned, at=at)
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
    return _Early(
        rows=rows,
        fit=believed.fit,
        deal_value=believed.deal_value,
        capacity=capacity,
        eligibility=eligibility,
        screened=screened,
        tier=tier,
        tier_names=tier_names,
        cost=pair_costs(policy, standing.leads, tables.reps, believed.revenue, at=at, tier=tier),
    )


def _taken(estimates: Estimates, rows: NDArray[np.int64]) -> Estimates:
    spread = None if estimates.spread is None else estimates.spread[rows]
    return Estimates(estimates.fit[rows], estimates.deal_value[rows], spread)


def _problem(
    policy: Policy,
    tables: Tables,
    believed: Estimates,
    early: _Early | Batch,
    at: pd.Timestamp,
) -> tuple[AssignmentProblem, list[Finding]]:
    leads, reps, revenue = tables.leads, tables.reps, believed.revenue
    tier, capacity, eligibility = early.tier, early.capacity, early.eligibility
    worth = pair_values(
        policy, leads, reps, revenue, at=at, spread=believed.spread, calendar=tables.calendar, cost=early.cost
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
