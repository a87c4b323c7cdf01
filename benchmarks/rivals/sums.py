"""An instance's rules as a user would write them down: which sums over pairs lie between which bounds.

Read from the instance alone; no code of Apportion's engines, so that a mistake there cannot hide here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from apportion import LeadShare, Limit, MaxMin
from benchmarks.instances import Instance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Listed:
    """The eligible pairs, lead by lead: lead, rep, value and effort of each, (P,)."""

    lead: Ints
    rep: Ints
    value: Floats
    effort: Floats


@dataclass(frozen=True)
class Bounded:
    """low <= sum of `amount` over the pairs of each group <= high; multiples of the sum over all pairs if `shares`.

    amount : (P,). group : (P,) 0 to G - 1, -1 for pairs that count in no group but in the total. low, high : (G,),
    infinite for no bound; already times the fair share if `shares`. price : currency a unit of violation; None is hard.
    """

    amount: Floats
    group: Ints
    low: Floats
    high: Floats
    shares: bool = False
    price: float | None = None


def cannot_state(instance: Instance) -> str | None:
    """The rule that is no linear sum, or whose form no row uses; None where all can be written down."""
    for rule in (*instance.equity, *instance.limits):
        if isinstance(rule, MaxMin):
            return "cannot state max-min"
        if not isinstance(rule, Limit) and (rule.weights is not None or rule.earlier is not None):
            return "cannot state weights or a rolling window"
    return None


def more_than_counts(instance: Instance) -> str | None:
    """The first rule beyond who may get what and how many; None for plain counts."""
    if instance.equity or instance.limits:
        return f"cannot state {type((*instance.equity, *instance.limits)[0]).__name__}"
    if instance.parcel is not None:
        return "cannot state that leads stay together"
    if instance.min_load is not None:
        return "cannot state a minimum load"
    if instance.effort is not None and not (np.asarray(instance.effort) == 1).all():
        return "cannot state effort that differs"
    return None


def listed(instance: Instance) -> Listed:
    """List the eligible pairs."""
    if bool(sp.issparse(instance.value)):
        stored = instance.value.tocoo()
        lead, rep, value = stored.row.astype(np.int64), stored.col.astype(np.int64), stored.data.astype(float)
    else:
        allowed = np.ones(instance.value.shape, dtype=bool) if instance.eligible is None else instance.eligible
        lead, rep = np.nonzero(allowed)
        value = instance.value[lead, rep].astype(float)
    effort = np.ones(len(lead))
    if instance.effort is not None:
        effort = instance.effort[lead] if instance.effort.ndim == 1 else instance.effort[lead, rep]
    return Listed(lead, rep, value, effort)


def nurture_of(instance: Instance) -> Floats:
    """(L,) what a lead is worth that no rep gets."""
    return np.zeros(instance.n_leads) if instance.nurture is None else instance.nurture


def bounded(instance: Instance, pairs: Listed) -> list[Bounded]:
    """Write down capacity with minimum load, then each rule."""
    least = np.zeros(instance.n_reps) if instance.min_load is None else instance.min_load
    found = [Bounded(pairs.effort, pairs.rep, least, instance.capacity)]
    fair = instance.capacity / instance.capacity.sum()
    for rule in (*instance.equity, *instance.limits):
        group_of_rep = _groups(instance, rule.by)
        n_groups = int(group_of_rep.max()) + 1
        low = np.broadcast_to(-np.inf if rule.low is None else np.asarray(rule.low, dtype=float), n_groups)
        high = np.broadcast_to(np.inf if rule.high is None else np.asarray(rule.high, dtype=float), n_groups)
        shares = not isinstance(rule, Limit)
        if shares:
            inside = group_of_rep >= 0
            part = np.bincount(group_of_rep[inside], weights=fair[inside], minlength=n_groups)
            low = np.where(np.isfinite(low), np.nan_to_num(low, neginf=0.0) * part, low)
            high = np.where(np.isfinite(high), np.nan_to_num(high, posinf=0.0) * part, high)
        amount = _measured(instance, pairs, rule)
        found.append(Bounded(amount, group_of_rep[pairs.rep], low, high, shares, rule.price))
    return found


def together(instance: Instance) -> list[tuple[int, int]]:
    """Pairs of leads (first of the parcel, another of it) that must get the same answer."""
    if instance.parcel is None:
        return []
    _, first, member = np.unique(instance.parcel, return_index=True, return_inverse=True)
    others = np.flatnonzero(first[member] != np.arange(len(member)))
    return [(int(first[member[one]]), int(one)) for one in others]


def _groups(instance: Instance, by: Any) -> Ints:
    if not isinstance(by, str):
        return np.asarray(by, dtype=np.int64)
    if by == "rep":
        return np.arange(instance.n_reps)
    if by == "all":
        return np.zeros(instance.n_reps, dtype=np.int64)
    assert instance.team is not None
    return np.unique(instance.team, return_inverse=True)[1].astype(np.int64)


def _measured(instance: Instance, pairs: Listed, rule: Any) -> Floats:
    if rule.measure == "leads":
        amount = np.ones(len(pairs.lead))
    elif rule.measure == "effort":
        amount = pairs.effort
    elif rule.measure == "revenue":
        amount = pairs.value
    else:  # opportunity: what a lead is worth on average over its eligible reps
        n_leads = instance.n_leads
        count = np.maximum(np.bincount(pairs.lead, minlength=n_leads), 1)
        amount = (np.bincount(pairs.lead, weights=pairs.value, minlength=n_leads) / count)[pairs.lead]
    if isinstance(rule, LeadShare) and rule.tier is not None:
        assert instance.tier is not None
        amount = amount * (instance.tier[pairs.lead] == rule.tier)
    if rule.leads is not None:
        amount = amount * np.asarray(rule.leads)[pairs.lead]
    return amount


def plan_from_parts(instance: Instance, pairs: Listed, part: Floats) -> tuple[Ints, int]:
    """Give each lead to the rep with the largest part of it; and count the leads that are split.

    part : (P,) of each pair, 0 to 1. A lead goes to nurture where more than half of it does.
    """
    placed = np.bincount(pairs.lead, weights=part, minlength=instance.n_leads)
    order = np.lexsort((part, pairs.lead))
    last = np.flatnonzero(np.append(np.diff(pairs.lead[order]) != 0, len(order) > 0))
    best = order[last]
    rep = np.full(instance.n_leads, -1, dtype=np.int64)
    rep[pairs.lead[best]] = pairs.rep[best]
    rep[placed < 0.5] = -1
    broken = (part > 1e-6) & (part < 1 - 1e-6)
    return rep, len(np.unique(pairs.lead[broken]))
