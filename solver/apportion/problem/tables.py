"""A problem and its plan as tidy DataFrames: one row a pair, a lead or a rep."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from apportion.problem.pairs import Floats, Ints
from apportion.problem.plan import Plan
from apportion.problem.problem import AssignmentProblem
from apportion_models.errors import UsageError


def pair_frame(problem: AssignmentProblem) -> pd.DataFrame:
    """One row for each eligible pair, lead by lead: lead_id, rep_id (categories), value, revenue (currency), effort.

    P rows: of a large problem some 40 bytes each.
    """
    pairs = problem.pairs
    return pd.DataFrame(
        {
            "lead_id": pd.Categorical.from_codes(pairs.lead, categories=pd.Index(problem.lead_ids)),
            "rep_id": pd.Categorical.from_codes(pairs.rep, categories=pd.Index(problem.rep_ids)),
            "value": problem.value,
            "revenue": problem.revenue,
            "effort": problem.effort,
        }
    )


def lead_frame(problem: AssignmentProblem, plan: Plan) -> pd.DataFrame:
    """One row a lead, in the problem's order.

    lead_id; rep_id (None for nurture); value, currency, of the pair or of nurture; revenue (currency) and effort, 0 in
    nurture; opportunity, currency; tier and parcel where the problem has them.
    """
    placed, pair = _held(problem, plan)
    value = problem.nurture.copy()
    revenue, effort = np.zeros(problem.n_leads), np.zeros(problem.n_leads)
    for column, name in ((value, "value"), (revenue, "revenue"), (effort, "effort")):
        column[placed] = problem.entries(name).at(pair, placed)  # type: ignore[arg-type]
    owners = (*problem.rep_ids, None)
    columns: dict[str, Any] = {
        "lead_id": list(problem.lead_ids),
        "rep_id": pd.Series([owners[rep] for rep in plan.rep.tolist()], dtype=object),
        "value": value,
        "revenue": revenue,
        "effort": effort,
        "opportunity": problem.opportunity,
    }
    labels = {"tier": problem.tier, "parcel": problem.parcel}
    return pd.DataFrame(columns | {name: label for name, label in labels.items() if label is not None})


def rep_frame(problem: AssignmentProblem, plan: Plan) -> pd.DataFrame:
    """One row a rep, in the problem's order.

    rep_id; team where the problem has teams; leads (count); load, capacity, room (effort units); revenue, opportunity
    (currency); fair_share (fraction of 1, by capacity); revenue_share, opportunity_share (multiples of the fair share:
    1 is exactly fair, NaN without one); price (currency for one more effort unit).
    """
    placed, pair = _held(problem, plan)
    owner = plan.rep[placed]

    def summed(amount: Floats) -> Floats:
        return np.bincount(owner, weights=amount, minlength=problem.n_reps).astype(np.float64)

    load = summed(problem.entries("effort").at(pair, placed))
    revenue = summed(problem.entries("revenue").at(pair, placed))
    opportunity = summed(problem.opportunity[placed])
    columns: dict[str, Any] = {"rep_id": list(problem.rep_ids)}
    if problem.team is not None:
        columns["team"] = problem.team
    return pd.DataFrame(
        columns
        | {
            "leads": np.bincount(owner, minlength=problem.n_reps),
            "load": load,
            "capacity": problem.capacity,
            "room": np.maximum(problem.capacity - load, 0.0),
            "revenue": revenue,
            "opportunity": opportunity,
            "fair_share": problem.fair_share,
            "revenue_share": of_fair_share(revenue, problem.fair_share),
            "opportunity_share": of_fair_share(opportunity, problem.fair_share),
            "price": np.maximum(plan.prices.capacity, 0.0),
        }
    )


def of_fair_share(amount: Floats, fair: Floats) -> Floats:
    """(R,) amount / (fair share × all amounts): 1 is exactly fair, NaN where there is none to share."""
    due = fair * math.fsum(amount)
    return np.asarray(np.divide(amount, due, out=np.full(len(amount), np.nan), where=due > 0), dtype=np.float64)


def _held(problem: AssignmentProblem, plan: Plan) -> tuple[Ints, Ints]:
    """The leads that are placed, and their pairs. UsageError where the plan is none, or not of this problem."""
    if not plan.status.has_plan:
        raise UsageError(f"The plan must have leads to show. Its status is {plan.status}.")
    placed = np.flatnonzero(plan.rep >= 0)
    fits = len(plan.rep) == problem.n_leads and len(plan.prices) == problem.n_reps
    pair = problem.pairs.position(placed, plan.rep[placed]) if fits else np.full(1, -1)
    if (pair < 0).any():
        raise UsageError(
            f"The plan must be one of this problem ({problem.n_leads} leads × {problem.n_reps} reps, eligible pairs "
            f"only). Got one over {len(plan.rep)} leads and {len(plan.prices)} reps. Give the problem that was solved."
        )
    return placed, pair
