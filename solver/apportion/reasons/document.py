"""plan.json: the whole plan with its reasons as one document. NaN and infinity become null; keys have a fixed order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from apportion.build.batch import Batch
from apportion.problem import Plan
from apportion.reasons.certificate import verdict_of
from apportion.reasons.explain import Explanations, explain
from apportion.reasons.frames import assignments_frame
from apportion.reasons.swapped import swap_document

SCHEMA = "apportion.plan/1"

_LEAD_KEYS = (
    "fit",
    "deal_value",
    "expected_revenue",
    "expected_cost",
    "opportunity",
    "tier",
    "priced_value",
    "runner_up_rep_id",
    "runner_up_cost",
    "binding",
    "propensity",
    "code",
    "reason",
)


def plan_document(batch: Batch, plan: Plan, *, explanations: Explanations | None = None) -> dict[str, Any]:
    """Give the plan as a JSON-able dict, schema `apportion.plan/1`; `json.dumps(..., allow_nan=False)` takes it as it
    is.

    Keys: schema, at, currency, policy, status, certificate, swaps (null without a draw), prices, rules, summary,
    assignments, screened, reps, notes. The components of an assignment add up to its priced_value, in their order.
    """
    reasons = explanations or explain(batch, plan)
    document = {
        "schema": SCHEMA,
        "at": batch.at.isoformat(),
        "currency": reasons.facts.currency,
        "policy": {key: getattr(batch.policy, key, None) for key in ("name", "version", "fingerprint")},
        "status": str(plan.status),
        "certificate": _certificate(reasons),
        "swaps": swap_document(reasons.facts),
        "prices": _prices(reasons),
        "rules": [
            {"rule": rule.rule, "holds": rule.holds, "violation": rule.violation, "where": rule.where}
            for rule in verdict_of(reasons.facts).rules
        ],
        "summary": summary(batch, plan, reasons),
        "assignments": _assignments(reasons),
        "screened": _screened(batch, plan, reasons),
        "reps": reasons.reps.to_dict(orient="records"),
        "notes": [
            {
                "severity": note.severity,
                "table": note.table,
                "row": note.row,
                "column": note.column,
                "value": note.value,
                "count": note.count,
                "message": note.message,
                "remedy": note.remedy,
            }
            for note in batch.notes
        ],
    }
    whole: dict[str, Any] = plain(document)
    return whole


def summary(batch: Batch, plan: Plan, reasons: Explanations) -> dict[str, Any]:
    """Counts of every outcome and the expected revenue, in currency."""
    outcomes = assignments_frame(batch, plan, explanations=reasons)["outcome"].value_counts()
    return {
        "leads": len(batch.leads),
        "assigned": int(outcomes.get("assigned", 0)),
        "nurture": int(outcomes.get("nurture", 0)),
        "reject": int(outcomes.get("reject", 0)),
        "reps": batch.problem.n_reps,
        "expected_revenue": math.fsum(reasons.leads["expected_revenue"].dropna()),
        "expected_cost": math.fsum(reasons.leads["expected_cost"].dropna()),
        "opportunity": math.fsum(reasons.reps["opportunity"]),
        "effort": math.fsum(reasons.reps["load"]),
        "capacity": math.fsum(reasons.reps["capacity"]),
    }


def _certificate(reasons: Explanations) -> dict[str, Any]:
    plan = reasons.facts.plan
    certificate = plan.certificate
    return {
        "objective": plan.objective,
        "bound": plan.bound,
        "gap": plan.gap,
        "proof": certificate.proof,
        "price_bound": certificate.price_bound,
        "resolution": certificate.resolution,
        "worst_off": certificate.worst_off,
        "worst_off_bound": certificate.worst_off_bound,
        "engine": certificate.engine,
        "why_engine": certificate.why_engine,
        "verified": verdict_of(reasons.facts).ok,
        "words": list(reasons.certificate),
    }


def _prices(reasons: Explanations) -> dict[str, Any]:
    problem, prices = reasons.facts.batch.problem, reasons.facts.plan.prices
    rules = {}
    for rule in problem.rules:
        price = prices.rules.get(str(rule.name))
        if price is not None:
            groups = problem.groups(rule.by)[1]
            rules[str(rule.name)] = [
                {"group": group, "low": low, "high": high}
                for group, low, high in zip(groups, price.low.tolist(), price.high.tolist(), strict=True)
            ]
    return {
        "capacity": dict(zip(problem.rep_ids, prices.capacity.tolist(), strict=True)),
        "min_load": dict(zip(problem.rep_ids, prices.min_load.tolist(), strict=True)),
        "rules": rules,
        "words": reasons.prices["sentence"].tolist(),
    }


def _assignments(reasons: Explanations) -> list[dict[str, Any]]:
    rows = reasons.leads.to_dict(orient="records")
    return [
        {
            "lead_id": row["lead_id"],
            "outcome": row["outcome"],
            "rep_id": row["rep_id"],
            **{str(key): row[key] for key in _LEAD_KEYS},
            "components": reasons.components(place),
        }
        for place, row in enumerate(rows)
    ]


def _screened(batch: Batch, plan: Plan, reasons: Explanations) -> list[dict[str, Any]]:
    table = assignments_frame(batch, plan, explanations=reasons)
    out = np.setdiff1d(np.arange(len(table)), batch.rows)
    return [
        {"lead_id": row["lead_id"], "outcome": row["outcome"], "reason": row["reason"]}
        for row in table.iloc[out][["lead_id", "outcome", "reason"]].to_dict(orient="records")
    ]


def plain(item: Any) -> Any:
    """JSON's own types and nothing else: NaN, infinity and missing values become null."""
    if isinstance(item, dict):
        return {str(key): plain(value) for key, value in item.items()}
    if isinstance(item, (list, tuple, set, np.ndarray)):
        return [plain(value) for value in (sorted(item) if isinstance(item, set) else item)]
    if item is None or item is pd.NaT or isinstance(item, (bool, str)):
        return None if item is pd.NaT else item
    if isinstance(item, np.bool_):
        return bool(item)
    if isinstance(item, (int, np.integer)):
        return int(item)
    if isinstance(item, (float, np.floating)):
        return float(item) if math.isfinite(item) else None
    return None if item is pd.NA else str(item)
