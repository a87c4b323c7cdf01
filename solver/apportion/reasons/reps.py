"""What each rep gets, against what they can take and what is their fair share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from apportion.problem import OpportunityShare
from apportion.problem.tables import of_fair_share
from apportion.reasons.facts import Facts
from apportion.reasons.pricing import Floats

CAPACITY_COLUMNS = ("base", "ramp", "availability", "adjustment", "throttle", "backlog", "max_leads", "binding", "why")


def rep_table(facts: Facts) -> pd.DataFrame:
    """One row a rep, in the order of the reps table.

    rep_id, name, team_id; leads (count); load, capacity, room (effort units); expected_revenue, opportunity
    (currency); fair_share (fraction of 1); opportunity_share, revenue_share (multiples of the fair share: 1 is
    exactly fair, NaN without one; opportunity counts earlier batches where the equity rule does); opportunity_floor
    (the same multiple that the policy asks for, NaN without one); slot_price (currency for one more effort unit);
    then how the capacity came about.
    """
    problem, reps = facts.batch.problem, facts.batch.reps
    held = facts.pair[facts.pair >= 0]
    owner = problem.pairs.rep[held]
    opportunity = _sum(owner, problem.opportunity[problem.pairs.lead[held]], problem.n_reps)
    revenue = _sum(owner, problem.revenue[held], problem.n_reps)
    rule = _opportunity_rule(facts)
    fair = problem.fair_share if rule is None or rule.weights is None else _shares(rule.weights)
    earlier = (
        np.zeros(problem.n_reps) if rule is None or rule.earlier is None else np.asarray(rule.earlier, dtype=float)
    )
    low = None if rule is None else rule.low
    columns: dict[str, Any] = {
        "rep_id": list(problem.rep_ids),
        "name": list(facts.people),
        "team_id": reps["team_id"].tolist() if "team_id" in reps.columns else [None] * problem.n_reps,
        "leads": np.bincount(owner, minlength=problem.n_reps),
        "load": facts.load,
        "capacity": problem.capacity,
        "room": np.maximum(problem.capacity - facts.load, 0.0),
        "expected_revenue": revenue,
        "opportunity": opportunity,
        "fair_share": fair,
        "opportunity_share": of_fair_share(opportunity + earlier, fair),
        "revenue_share": of_fair_share(revenue, fair),
        "opportunity_floor": np.full(problem.n_reps, np.nan) if low is None else np.broadcast_to(low, problem.n_reps),
        "slot_price": np.maximum(facts.plan.prices.capacity, 0.0),
    }
    for name in CAPACITY_COLUMNS:
        if name in facts.batch.capacity.columns:
            columns[name] = facts.batch.capacity[name].tolist()
    return pd.DataFrame(columns)


def _opportunity_rule(facts: Facts) -> OpportunityShare | None:
    """The rule by rep that bounds opportunity from below, if there is one."""
    for rule in facts.batch.problem.equity:
        if (
            isinstance(rule, OpportunityShare)
            and isinstance(rule.by, str)
            and rule.by == "rep"
            and rule.low is not None
        ):
            return rule
    return None


def _sum(owner: Any, amount: Floats, n_reps: int) -> Floats:
    return np.asarray(np.bincount(owner, weights=amount, minlength=n_reps), dtype=np.float64)


def _shares(weights: Any) -> Floats:
    array = np.asarray(weights, dtype=np.float64)
    total = float(array.sum())
    return np.asarray(array / total if total > 0 else np.zeros_like(array))
