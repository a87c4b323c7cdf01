"""Who gets a lead, of those who have room: one lead after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from apportion.online import Decision
from apportion.service.runs.routing.posing import Posed
from apportion.service.runs.routing.standing import Standing
from apportion.service.store import Lead, Placement
from apportion.service.store.assignments import Given

ORIGIN = "route"


@dataclass(frozen=True, eq=False)
class Decided:
    """A lead's placement, and the same as those who count need it."""

    placement: Placement
    given: Given


def decide(standing: Standing, posed: Posed, lead: Lead, *, at: pd.Timestamp, tick: int) -> Decided:
    """Decide on one lead within what the reps can take now, and count it."""
    decision = None if posed.screened is not None else _decided(standing, posed)
    rep_id = None if decision is None else decision.rep_id
    told = _told(standing, posed, decision)
    account = posed.row.get("account_id")
    placement = Placement(
        lead_key=lead.lead_key,
        rep_key=None if rep_id is None else standing.rep_keys[rep_id],
        outcome=told["outcome"],
        told=told,
        account_id=None if account is None else str(account),
        propensity=1.0,
        reason=told["reason"],
        **{name: told[name] for name in (*posed.believed, "fit", "expected_revenue") if name in told},
    )
    measured = placement.effort, placement.deal_value, placement.account_id
    given = Given(tick, ORIGIN, *measured, at.to_pydatetime(), rep_id)
    standing.give(given)
    return Decided(placement, given)


def _decided(standing: Standing, posed: Posed) -> Decision:
    units = standing.room()
    if posed.lock >= 0 and standing.setting.policy.overrides.locks_break_capacity:
        units[posed.lock] = max(units[posed.lock], posed.effort)
    posed.router.new_window(capacity=units)
    return posed.router.judge(
        posed.row["lead_id"],
        value=posed.value,
        effort=np.where(posed.allowed, posed.effort, 0.0),
        eligible=posed.allowed & (standing.free >= 1),
        nurture=posed.nurture,
        opportunity=posed.opportunity,
        tier=posed.tier,
        counts=posed.counts,
    )


def _told(standing: Standing, posed: Posed, decision: Decision | None) -> dict[str, Any]:
    """The lead's entry, as plan.json has it."""
    lead_id = posed.row["lead_id"]
    if decision is None:
        assert posed.screened is not None
        outcome, reason = posed.screened
        return {"lead_id": lead_id, "outcome": outcome, "rep_id": None, "reason": reason}
    rep_id = decision.rep_id
    told = {"lead_id": lead_id, "outcome": "nurture" if rep_id is None else "assigned", "rep_id": rep_id}
    told |= {"reason": decision.reason, **posed.believed}
    if rep_id is None:
        return told
    fit = float(posed.fit[standing.place(rep_id)])
    return told | {"fit": fit, "expected_revenue": fit * posed.deal_value}
