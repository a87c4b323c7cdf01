"""From the policy's resolved rules to rules of the problem."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy import Policy, ResolvedLimit, ResolvedShare, overtime
from apportion.problem import LeadShare, Limit, MaxMin, OpportunityShare, RevenueShare, Rule, Share
from apportion_models.errors import Finding

SHARES: dict[str, type[Share]] = {"leads": LeadShare, "opportunity": OpportunityShare, "revenue": RevenueShare}
NO_FLOOR = -np.inf  # a floor of 0 would be a bound like any other, and could come to have a price


def equity_rule(rule: ResolvedShare, weights: NDArray[np.float64], reachable: NDArray[np.bool_]) -> Rule:
    """One equity rule of the problem.

    weights : (R,) what fair shares are proportional to. reachable : (R,) reps with any eligible lead; a group of others
    only has no floor, for nothing could lift it.
    """
    group = _numbered(rule.group)
    if rule.measure == "max_min":
        counted = np.where(reachable, weights, 0.0)
        keep = 0.98 if rule.keep is None else rule.keep
        return MaxMin(keep=keep, price=rule.price, by=group, weights=counted, name=rule.name)
    n_groups = len(rule.group_names)
    low = None
    if rule.low is not None:
        some = np.bincount(rule.group[rule.group >= 0], weights=reachable[rule.group >= 0], minlength=n_groups) > 0
        low = np.where(some, rule.low, 0.0)[_used(rule.group)]
    return SHARES[rule.measure](
        low=low,
        high=rule.high,
        by=group,
        leads=None if rule.leads.all() else rule.leads,
        weights=weights,
        earlier=rule.earlier[_used(rule.group)] if rule.earlier.any() else None,
        price=rule.price,
        name=rule.name,
    )


def limit_rule(rule: ResolvedLimit) -> Limit:
    """One limit of the problem."""
    used = _used(rule.group)
    return Limit(
        measure=rule.measure,  # type: ignore[arg-type]
        low=np.where(rule.low > 0, rule.low, NO_FLOOR)[used],
        high=rule.high[used],
        by=_numbered(rule.group),
        leads=None if rule.leads.all() else rule.leads,
        price=rule.price,
        name=rule.name,
    )


def capacity_rules(policy: Policy, capacity: pd.DataFrame, lock: NDArray[np.int64]) -> Iterator[Limit]:
    """The hard caps on leads, each rep under the one that leaves least, and the price of overtime.

    lock : (L,) index of the rep that each lead is locked to, -1 none; such leads go beyond a cap where the policy lets
    them go beyond capacity.
    """
    most = capacity["max_leads"].to_numpy(dtype=float)
    if policy.overrides.locks_break_capacity:
        most = np.maximum(most, np.bincount(lock[lock >= 0], minlength=len(most)))
    for cap in policy.capacity.caps:
        under = (capacity["cap"] == cap.name).to_numpy(dtype=bool)
        if under.any():
            yield Limit(measure="leads", low=NO_FLOOR, high=np.where(under, most, np.inf), name=cap.name)
    extra = overtime(policy, capacity)
    if extra is not None:
        own = capacity["capacity"].to_numpy(dtype=float)
        yield Limit(measure="effort", low=NO_FLOOR, high=own, price=extra[1], name="overtime")


def full_capacity(policy: Policy, capacity: pd.DataFrame) -> NDArray[np.float64]:
    """(R,) effort units that no rep may exceed: the capacity and what overtime adds."""
    own = capacity["capacity"].to_numpy(dtype=float)
    extra = overtime(policy, capacity)
    return own if extra is None else own + extra[0]


def unreachable_notes(
    reps: pd.DataFrame, weights: NDArray[np.float64], reachable: NDArray[np.bool_]
) -> Iterator[Finding]:
    """Tell which reps have capacity but no lead of this batch that they may get."""
    alone = np.flatnonzero((weights > 0) & ~reachable)
    if len(alone):
        first = str(reps["rep_id"].iloc[int(alone[0])])
        yield Finding(
            severity="notice",
            table="reps",
            column="rep_id",
            value=first,
            count=len(alone),
            message="has capacity, but no lead of this batch is eligible; "
            "floors of fair share do not hold for such reps.",
            remedy="See `apportion policy check` for the rules that stand in the way.",
        )


def _used(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """The groups that have a rep, ascending: the problem numbers groups by the reps that are in them."""
    return np.unique(group[group >= 0])


def _numbered(group: NDArray[np.int64]) -> NDArray[np.int64] | str:
    """The reps' groups; "rep" where each rep is its own, in order."""
    return "rep" if np.array_equal(group, np.arange(len(group))) else group
