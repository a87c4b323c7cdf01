"""Equity, limits, reserve, exploration and soft caps, resolved to arrays for one batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked, days_in_role, needed, texts
from apportion.policy.caps import cap_room
from apportion.policy.context import LeadContext, lead_context
from apportion.policy.resolved import ResolvedLimit, ResolvedShare
from apportion.policy.schema import Policy
from apportion.policy.schema.sharing import Equity, Explore, Limit
from apportion_models.errors import PolicyError, UsageError

MEASURED = {"opportunity": "opportunity", "revenue": "expected_revenue"}


def fair_weights(policy: Policy, reps: pd.DataFrame, *, at: object) -> NDArray[np.float64]:
    """(R,) factors on the reps' fair shares: the product of all weights that hold, else 1."""
    asked = Asked(policy, at=at, reps=reps)
    asked.check("weights")
    weights = np.ones(len(reps))
    for index, rule in enumerate(policy.weights):
        weights[asked.holds(rule.reps, f"weights[{index}].reps")] *= rule.weight
    return weights


def equity(
    policy: Policy,
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    *,
    at: object,
    tier: NDArray[np.int64] | None = None,
    assigned: pd.DataFrame | None = None,
) -> tuple[ResolvedShare, ...]:
    """The policy's equity rules over this batch; a rule on `each` tier becomes one a tier.

    A rolling window counts what `assigned` gave (`rep_id`, `assigned_at`, by need `opportunity`,
    `expected_revenue`, `tier`). Raises PolicyError, TableError.
    """
    asked = Asked(policy, at=at, reps=reps)
    asked.check("equity")
    context = lead_context(policy, leads, at=at, tier=tier, needs_tier=any(rule.tier for rule in policy.equity))
    weights = fair_weights(policy, reps, at=at)
    return tuple(
        resolved
        for index, rule in enumerate(policy.equity)
        for resolved in _equity_rule(asked, rule, index, context, weights, assigned)
    )


def _equity_rule(
    asked: Asked,
    rule: Equity,
    index: int,
    context: LeadContext,
    weights: NDArray[np.float64],
    assigned: pd.DataFrame | None,
) -> Iterator[ResolvedShare]:
    group, names = rep_groups(asked, rule.by, f"equity[{index}].by")
    if rule.except_reps is not None:
        group = np.where(asked.holds(rule.except_reps, f"equity[{index}].except"), -1, group)
    tiers = [None] if rule.tier is None else list(context.tier_names) if rule.tier == "each" else [rule.tier]
    for tier in tiers:
        everyone = np.ones(len(context.leads), dtype=bool)
        yield ResolvedShare(
            name=rule.name if tier is None or rule.tier != "each" else f"{rule.name} ({tier})",
            measure=rule.measure,
            leads=everyone if tier is None else context.tier == context.tier_names.index(tier),
            group=group,
            group_names=names,
            weights=weights,
            low=rule.low,
            high=rule.high,
            keep=rule.keep,
            earlier=_earlier(asked, rule, tier, group, len(names), assigned),
            price=None if rule.price == "hard" else float(rule.price),
        )


def _earlier(
    asked: Asked,
    rule: Equity,
    tier: str | None,
    group: NDArray[np.int64],
    groups: int,
    assigned: pd.DataFrame | None,
) -> NDArray[np.float64]:
    """(G,) what each group got in the rolling window before this batch."""
    assert asked.reps is not None
    totals = np.zeros(groups)
    if rule.window == "batch" or assigned is None or not len(assigned):
        return totals
    columns = ["rep_id", "assigned_at", *([MEASURED[rule.measure]] if rule.measure in MEASURED else [])]
    needed(assigned, "assignments", columns if tier is None else [*columns, "tier"])
    times = pd.to_datetime(assigned["assigned_at"], utc=True)
    counts = (times > asked.at - pd.Timedelta(days=float(rule.window))) & (times <= asked.at)
    if tier is not None:
        counts &= assigned["tier"].astype(object) == tier
    part = assigned[counts]
    amounts = part[MEASURED[rule.measure]].fillna(0.0) if rule.measure in MEASURED else pd.Series(1.0, part.index)
    place = {str(rep): index for index, rep in enumerate(asked.reps["rep_id"])}
    for rep, amount in zip(texts(part, "rep_id"), amounts, strict=True):
        index = place.get(rep) if rep is not None else None
        if index is not None and group[index] >= 0:
            totals[group[index]] += amount
    return totals


def limits(
    policy: Policy,
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    *,
    at: object,
    capacity: pd.DataFrame,
    tier: NDArray[np.int64] | None = None,
    assigned: pd.DataFrame | None = None,
) -> tuple[ResolvedLimit, ...]:
    """Limits, reserves, exploration floors and soft caps over this batch; `capacity` is `rep_capacity`'s answer.

    Raises PolicyError, TableError, UsageError.
    """
    if list(capacity["rep_id"].astype(str)) != list(reps["rep_id"].astype(str)):
        raise UsageError("capacity must be rep_capacity's answer for the same reps, in the same order.")
    context = lead_context(
        policy, leads, at=at, tier=tier, needs_tier=any(rule.each == "tier" for rule in policy.limits)
    )
    asked = Asked(policy, at=at, leads=context.leads, reps=reps)
    asked.check("limits", "reserve", "explore", "capacity.caps")
    found: list[ResolvedLimit] = []
    for index, rule in enumerate(policy.limits):
        found.extend(_limit_rule(asked, rule, index, context))
    found.extend(_reserves(asked, capacity))
    found.extend(_explores(asked, capacity, assigned))
    found.extend(_soft_caps(asked, assigned))
    return tuple(found)


def _limit_rule(asked: Asked, rule: Limit, index: int, context: LeadContext) -> Iterator[ResolvedLimit]:
    path = f"limits[{index}]"
    group, names = rep_groups(asked, rule.by, f"{path}.by")
    group = np.where(asked.holds(rule.reps, f"{path}.reps"), group, -1)
    counted = asked.holds(rule.leads, f"{path}.leads")
    for value, mask in _lead_groups(asked, rule, f"{path}.each", context):
        yield ResolvedLimit(
            name=rule.name if value is None else f"{rule.name} ({value})",
            measure=rule.measure,
            leads=counted & mask,
            group=group,
            group_names=names,
            low=np.full(len(names), rule.low or 0.0),
            high=np.full(len(names), np.inf if rule.high is None else rule.high),
            price=None if rule.price == "hard" else float(rule.price),
        )


def _lead_groups(
    asked: Asked, rule: Limit, path: str, context: LeadContext
) -> Iterator[tuple[str | None, NDArray[np.bool_]]]:
    if rule.each is None:
        yield None, np.ones(len(context.leads), dtype=bool)
        return
    if rule.each not in context.leads.columns:
        known = ", ".join(map(str, context.leads.columns))
        raise_column(asked, path, rule.each, f"tier, territory, or a column of the leads: {known}")
    values = texts(context.leads, rule.each)
    for value in sorted({value for value in values if value is not None}):
        yield value, np.array([other == value for other in values], dtype=bool)


def _reserves(asked: Asked, capacity: pd.DataFrame) -> Iterator[ResolvedLimit]:
    group, names = rep_groups(asked, "rep", "reserve")
    effective = capacity["capacity"].to_numpy(dtype=float)
    for index, rule in enumerate(asked.policy.reserve):
        held = asked.holds(rule.reps, f"reserve[{index}].reps")
        yield ResolvedLimit(
            name=rule.name,
            measure="effort",
            leads=~asked.holds(rule.leads, f"reserve[{index}].leads"),
            group=np.where(held, group, -1),
            group_names=names,
            low=np.zeros(len(names)),
            high=(1.0 - rule.share) * effective,
            price=None if rule.price == "hard" else float(rule.price),
        )


def _explores(asked: Asked, capacity: pd.DataFrame, assigned: pd.DataFrame | None) -> Iterator[ResolvedLimit]:
    assert asked.leads is not None
    group, names = rep_groups(asked, "rep", "explore")
    room = np.minimum(np.floor(capacity["capacity"]), capacity["max_leads"]).to_numpy(dtype=float)
    for index, rule in enumerate(asked.policy.explore):
        new = _is_new(asked, rule, assigned) & asked.holds(rule.reps, f"explore[{index}].reps")
        yield ResolvedLimit(
            name=rule.name,
            measure="leads",
            leads=np.ones(len(asked.leads), dtype=bool),
            group=np.where(new, group, -1),
            group_names=names,
            low=np.minimum(float(rule.minimum), room),
            high=np.full(len(names), np.inf),
            price=None if rule.price == "hard" else float(rule.price),
        )


def _is_new(asked: Asked, rule: Explore, assigned: pd.DataFrame | None) -> NDArray[np.bool_]:
    assert asked.reps is not None
    new = np.zeros(len(asked.reps), dtype=bool)
    if rule.first_days is not None:
        days = days_in_role(asked.reps, asked.at)
        new |= (days >= 0) & (days < rule.first_days)
    if rule.fewer_than is not None:
        past = pd.Series(texts(assigned, "rep_id") if assigned is not None else [], dtype=object).value_counts()
        new |= np.array([past.get(str(rep), 0) < rule.fewer_than for rep in asked.reps["rep_id"]], dtype=bool)
    return new


def _soft_caps(asked: Asked, assigned: pd.DataFrame | None) -> Iterator[ResolvedLimit]:
    assert asked.leads is not None
    group, names = rep_groups(asked, "rep", "capacity.caps")
    for room in cap_room(asked, assigned):
        if room.price is not None:
            yield ResolvedLimit(
                name=room.name,
                measure="leads",
                leads=np.ones(len(asked.leads), dtype=bool),
                group=group,
                group_names=names,
                low=np.zeros(len(names)),
                high=room.free,
                price=room.price,
            )


def rep_groups(asked: Asked, by: str, path: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(R,) group of each rep, -1 where the column is missing, and the groups' names: reps in order, others sorted."""
    assert asked.reps is not None
    if by == "all":
        return np.zeros(len(asked.reps), dtype=np.int64), ("all",)
    column = group_column(by)
    if column not in asked.reps.columns:
        raise_column(asked, path, by, f"rep, team, or a column of the reps: {', '.join(map(str, asked.reps.columns))}")
    values = texts(asked.reps, column)
    known: Sequence[str] = [value for value in values if value is not None]
    names = tuple(known) if by == "rep" else tuple(sorted(set(known)))
    place = {name: index for index, name in enumerate(names)}
    return np.array([-1 if value is None else place[value] for value in values], dtype=np.int64), names


def group_column(by: str) -> str:
    """The column of the reps that a rule's `by` means."""
    return {"rep": "rep_id", "team": "team_id"}.get(by, by)


def raise_column(asked: Asked, path: str, value: str, known: str) -> NoReturn:
    """Refuse the name of a column that is not there."""
    raise PolicyError(
        asked.policy.finding("error", path, "must name a column that is there", value=value, remedy=f"Write {known}.")
    )
