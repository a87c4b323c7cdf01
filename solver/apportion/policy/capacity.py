"""How much each rep can take in the window: base × ramp × availability × adjustment × throttle − backlog, under
caps."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked, base_capacity, numbers
from apportion.policy.availability import rep_availability
from apportion.policy.caps import CapRoom, cap_room
from apportion.policy.ramp import ramp_shares
from apportion.policy.schema import Policy

Floats = NDArray[np.float64]
Row = Mapping[Hashable, Any]


@dataclass
class Factor:
    """One factor of the capacity: (R,) shares, and for each rep what made them other than 1."""

    share: Floats
    notes: list[list[str]] = field(default_factory=list)


def rep_capacity(
    policy: Policy,
    reps: pd.DataFrame,
    *,
    at: object,
    assigned: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row a rep, in rep order: `rep_id`, `base`, `ramp`, `availability`, `adjustment`, `throttle`, `backlog`,
    `capacity` (effort units, >= 0), `max_leads` (free under the hard caps, inf when none), `cap` (the name of the hard
    cap that leaves least, "" when none), `binding`, `why`.

    `assigned` holds earlier assignments (`rep_id`, `assigned_at`), for the caps by hour, day, week and month.
    Raises PolicyError and TableError.
    """
    asked = Asked(policy, at=at, reps=reps)
    asked.check("capacity.adjust", "capacity.caps", "ramp", "throttle", "availability")
    available = rep_availability(policy, reps, at=at, calendar=calendar)
    factors = {
        "ramp": _ramp(asked),
        "availability": Factor(
            available["share"].to_numpy(dtype=float), [[note] if note else [] for note in available["note"]]
        ),
        "adjustment": _adjustment(asked),
        "throttle": _throttle(asked),
    }
    base = base_capacity(policy, reps)
    full = base * np.prod([factor.share for factor in factors.values()], axis=0)
    backlog = _backlog(policy, reps, full)
    rooms = [room for room in cap_room(asked, assigned) if room.price is None]
    frame = pd.DataFrame({"rep_id": reps["rep_id"].to_numpy(), "base": base})
    for name, factor in factors.items():
        frame[name] = factor.share
    frame["backlog"] = backlog
    frame["capacity"] = np.maximum(full - backlog, 0.0)
    frame["max_leads"] = np.min([np.full(len(reps), np.inf), *(room.free for room in rooms)], axis=0)
    frame["cap"] = [_tightest(rooms, rep) for rep in range(len(reps))]
    rows = frame.to_dict(orient="records")
    frame["binding"] = [_binding(row, rep, factors, rooms, policy) for rep, row in enumerate(rows)]
    frame["why"] = [_why(row, rep, factors, rooms) for rep, row in enumerate(rows)]
    return frame


def _ramp(asked: Asked) -> Factor:
    shares, names = ramp_shares(asked)
    return Factor(shares, [[name] if name else [] for name in names])


def _adjustment(asked: Asked) -> Factor:
    assert asked.reps is not None
    factor = Factor(np.ones(len(asked.reps)), [[] for _ in range(len(asked.reps))])
    for index, rule in enumerate(asked.policy.capacity.adjust):
        for rep in np.flatnonzero(asked.holds(rule.reps, f"capacity.adjust[{index}].reps")):
            factor.share[rep] *= rule.factor
            factor.notes[rep].append(rule.name)
    return factor


def _throttle(asked: Asked) -> Factor:
    assert asked.reps is not None
    factor = Factor(np.ones(len(asked.reps)), [[] for _ in range(len(asked.reps))])
    for index, rule in enumerate(asked.policy.throttle):
        amount = numbers(asked.reps, rule.column)
        holds = asked.holds(rule.reps, f"throttle[{index}].reps")
        for rep in np.flatnonzero(holds):
            reached = [step.factor for step in rule.steps if amount[rep] > step.above]
            if reached:
                factor.share[rep] *= reached[-1]
                factor.notes[rep].append(f"{rule.name}: {rule.column} {amount[rep]:,.0f}")
    return factor


def _backlog(policy: Policy, reps: pd.DataFrame, full: Floats) -> Floats:
    rule = policy.capacity.backlog
    open_leads = np.nan_to_num(numbers(reps, "open_leads"), nan=0.0)
    return np.minimum(open_leads * rule.effort_each, full * rule.at_most)


def _tightest(rooms: list[CapRoom], rep: int) -> str:
    """The name of the hard cap that leaves least to a rep; the first of equals."""
    holding = [room for room in rooms if room.free[rep] < np.inf]
    return min(holding, key=lambda room: room.free[rep]).name if holding else ""


def _binding(row: Row, rep: int, factors: dict[str, Factor], rooms: list[CapRoom], policy: Policy) -> str:
    """The name of what holds this rep back most: a cap, a factor, the backlog, or plain capacity."""
    leads_by_capacity = row["capacity"] / policy.capacity.effort.default
    if row["max_leads"] < leads_by_capacity:
        return min(rooms, key=lambda room: room.free[rep]).name
    lost = {name: 1.0 - float(factor.share[rep]) for name, factor in factors.items()}
    full = row["base"] * np.prod([factor.share[rep] for factor in factors.values()])
    lost["backlog"] = float(row["backlog"] / full) if full > 0 else 0.0
    worst = max(lost, key=lambda name: lost[name])
    return worst if lost[worst] > 0 else "capacity"


def _why(row: Row, rep: int, factors: dict[str, Factor], rooms: list[CapRoom]) -> str:
    parts = [f"{row['base']:.4g}"]
    for name, factor in factors.items():
        if factor.share[rep] != 1.0 or factor.notes[rep]:
            told = f" ({', '.join(factor.notes[rep])})" if factor.notes[rep] else ""
            parts.append(f"× {name} {factor.share[rep]:.3g}{told}")
    if row["backlog"] > 0:
        parts.append(f"− backlog {row['backlog']:.4g}")
    if len(parts) > 1:
        parts.append(f"= {row['capacity']:.4g}")
    sentence = f"{' '.join(parts)} effort units"
    tight = [room for room in rooms if room.free[rep] < np.inf]
    if tight:
        room = min(tight, key=lambda room: room.free[rep])
        sentence += f"; at most {room.free[rep]:.0f} leads ({room.name}: {room.used[rep]:.0f} of {room.at_most} taken)"
    return sentence + "."


def overtime(policy: Policy, capacity: pd.DataFrame) -> tuple[Floats, float] | None:
    """(R,) effort units by which each rep may exceed the capacity, and their price each; None where it is hard."""
    rule = policy.capacity.overtime
    if rule is None:
        return None
    return capacity["capacity"].to_numpy(dtype=float) * rule.share, rule.price


def lead_effort(policy: Policy, leads: pd.DataFrame, *, at: object) -> Floats:
    """(L,) effort units of each lead: the first rule that holds, else the column, else the default."""
    asked = Asked(policy, at=at, leads=leads)
    asked.check("capacity.effort")
    rule = policy.capacity.effort
    column = numbers(leads, rule.column)
    effort = np.where(np.isnan(column), rule.default, column)
    chosen = asked.first(
        ((f"capacity.effort.rules[{k}].when", item.when) for k, item in enumerate(rule.rules)), len(leads)
    )
    for index, item in enumerate(rule.rules):
        effort[chosen == index] = item.effort
    return effort
