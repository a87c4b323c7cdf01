"""Bounds that contradict each other, or the capacity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.policy.lint.batch import CheckedBatch, some
from apportion.policy.ramp import profile_of
from apportion.policy.resolved import ResolvedLimit, ResolvedShare
from apportion.policy.schema import Policy
from apportion_models.errors import Finding


def bounds_of_capacity(batch: CheckedBatch) -> Iterator[Finding]:
    """More work than capacity; nobody with capacity."""
    room = float(batch.capacity["capacity"].sum())
    work = float(batch.effort[batch.standing].sum())
    if work > room:
        message = f"The batch needs {work:,.6g} effort units, and the reps have {room:,.6g}: the rest goes to nurture"
        nurture = batch.policy.nurture
        needed = nurture.must_assign is not None and nurture.must_assign_price == "hard"
        severity = "error" if room <= 0 or needed else "notice"
        yield batch.told(severity, "capacity", message)
    total = sum(rule.share for rule in batch.policy.reserve)
    if total > 1:
        yield batch.told("notice", "reserve", f"holds back {total:.0%} of the capacity in all", remedy="At most 100 %.")


def bounds_of_equity(batch: CheckedBatch) -> Iterator[Finding]:
    """Shares that cannot add up, or that capacity, caps or eligibility do not allow."""
    paths = {rule.name: f"equity[{index}]" for index, rule in enumerate(batch.policy.equity)}
    for rule in batch.shares:
        path = next(
            (found for name, found in paths.items() if rule.name in (name,) or rule.name.startswith(f"{name} (")),
            "equity",
        )
        severity = "error" if rule.price is None else "notice"
        inside = rule.group >= 0
        if inside.all() and rule.low is not None and rule.low > 1:
            yield batch.told(
                severity, f"{path}.low", "The lows add up to more than everything", value=rule.low, remedy="At most 1."
            )
        if inside.all() and rule.high is not None and rule.high < 1:
            yield batch.told(
                severity,
                f"{path}.high",
                "The highs add up to less than everything",
                value=rule.high,
                remedy="At least 1.",
            )
        if rule.low:
            yield from _floor(batch, rule, path, severity)


def _floor(batch: CheckedBatch, rule: ResolvedShare, path: str, severity: str) -> Iterator[Finding]:
    """Groups with a fair share whose floor is out of reach."""
    fair = batch.capacity["capacity"].to_numpy(dtype=float) * rule.weights * (rule.group >= 0)
    if not fair.sum():
        return
    fair = fair / fair.sum()
    counted: NDArray[np.bool_] = np.asarray(rule.leads & batch.standing)
    reached = (batch.eligibility.allowed & counted[:, None]).any(axis=0).reshape(-1)
    groups = range(len(rule.group_names))
    starved = [g for g in groups if fair[rule.group == g].sum() > 0 and not reached[rule.group == g].any()]
    if starved and counted.any():
        names = some([rule.group_names[g] for g in starved])
        message = f"'{rule.name}' owes {names} a share, and they may get none of the leads that count"
        yield batch.told(
            severity, f"{path}.low", message, value=rule.low, remedy="Widen what they cover, or except them."
        )
    if rule.measure != "leads":
        return
    room = _leads_room(batch)
    placed = min(float(counted.sum()), float(room.sum()))
    for g in groups:
        inside = rule.group == g
        owed = (rule.low or 0.0) * float(fair[inside].sum()) * placed
        if owed > room[inside].sum() + 1e-9 and g not in starved:
            left = f"capacity and caps leave {room[inside].sum():.4g}"
            message = f"'{rule.name}' owes {rule.group_names[g]} {owed:.4g} leads, and {left}"
            yield batch.told(
                severity, f"{path}.low", message, value=rule.low, remedy="Lower the floor, or raise the cap."
            )


def _leads_room(batch: CheckedBatch) -> NDArray[np.float64]:
    """(R,) leads that each rep can take at most."""
    least = float(batch.effort[batch.standing].min()) if batch.standing.any() else 1.0
    by_effort = np.floor(batch.capacity["capacity"].to_numpy(dtype=float) / least + 1e-9)
    return np.asarray(np.minimum(by_effort, batch.capacity["max_leads"].to_numpy(dtype=float)))


def bounds_of_limits(batch: CheckedBatch) -> Iterator[Finding]:
    """Lower bounds beyond what there is, what is allowed, or what capacity takes."""
    for rule in batch.limits:
        if rule.measure not in ("leads", "effort") or not rule.low.any():
            continue
        severity = "error" if rule.price is None else "notice"
        size = batch.effort if rule.measure == "effort" else np.ones(len(batch.effort))
        counted = rule.leads & batch.standing
        room = batch.capacity["capacity"].to_numpy(dtype=float) if rule.measure == "effort" else _leads_room(batch)
        path = _path(batch, rule)
        everything = float(size[counted].sum())
        used = sorted(set(rule.group[rule.group >= 0].tolist()))
        wanted = float(rule.low[used].sum())
        if wanted > everything:
            message = f"'{rule.name}' wants {wanted:.4g} in all, and there are {everything:.4g}"
            yield batch.told(severity, path, message, remedy="Lower it.")
            continue
        for g in used:
            inside = rule.group == g
            offered = float(size[counted & batch.eligibility.allowed[:, inside].any(axis=1)].sum())
            most = min(offered, float(room[inside].sum()))
            if rule.low[g] > most + 1e-9:
                why = "they may get" if offered <= room[inside].sum() else "capacity and caps leave"
                message = f"'{rule.name}' wants {rule.low[g]:.4g} for {rule.group_names[g]}, and {why} {most:.4g}"
                yield batch.told(severity, path, message, remedy="Lower it, or widen what they may get.")


def _path(batch: CheckedBatch, rule: ResolvedLimit) -> str:
    for section in ("limits", "explore"):
        for index, item in enumerate(getattr(batch.policy, section)):
            if rule.name == item.name or rule.name.startswith(f"{item.name} ("):
                return f"{section}[{index}]"
    return "limits"


def _priced(policy: Policy) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """(key path, rules) of every list whose rules have a price."""
    for section in ("ramp", "requirements", "rules", "screening", "equity", "limits", "reserve", "explore"):
        yield section, getattr(policy, section)
    yield "capacity.caps", policy.capacity.caps
    yield "territories.cover", policy.territories.cover


def _prices(policy: Policy) -> Iterator[tuple[str, object]]:
    """(key path, price) of every rule that is a key of its section."""
    yield "accounts.owner", policy.accounts.owner
    yield "accounts.together", policy.accounts.together
    yield "accounts.if_owner_away", policy.accounts.if_owner_away
    yield "territories.unmatched", policy.territories.unmatched
    yield "nurture.must_assign_price", policy.nurture.must_assign_price
    yield "capacity.overtime.price", None if policy.capacity.overtime is None else policy.capacity.overtime.price


def moot_rules(batch: CheckedBatch) -> Iterator[Finding]:
    """Rules that never make a difference: soft at no price, empty tiers, caps below the whole ramp."""
    policy = batch.policy
    for section, rules in _priced(policy):
        for index, rule in enumerate(rules):
            if rule.price == 0.0:
                yield batch.told(
                    "notice", f"{section}[{index}].price", f"'{rule.name}' costs nothing to break", value=0
                )
    for path, price in _prices(policy):
        if price == 0.0:
            yield batch.told("notice", path, "costs nothing to break", value=0)
    for index, name in enumerate(batch.context.tier_names if policy.tiers.bands else ()):
        if not (batch.context.tier == index).any():
            yield batch.told("notice", f"tiers.bands[{index}]", f"No lead of this batch is in tier '{name}'")
    chosen = profile_of(batch.asked)
    base = batch.capacity["base"].to_numpy(dtype=float)
    for number, cap in enumerate(policy.capacity.caps):
        capped = batch.asked.holds(cap.reps, f"capacity.caps[{number}].reps")
        for index, profile in enumerate(policy.ramp):
            reps = capped & (chosen == index)
            least = min(point.share for point in profile.points)
            most = cap.at_most * policy.capacity.effort.default
            if cap.per != "open" and least < 1 and reps.any() and (most <= least * base[reps]).all():
                message = f"'{cap.name}' is below even the start of ramp '{profile.name}': the ramp makes no difference"
                yield batch.told("notice", f"capacity.caps[{number}].at_most", message, value=cap.at_most)
