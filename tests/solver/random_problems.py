"""Seeded random problems in which any mixture of rules may stand together."""

from __future__ import annotations

from typing import Any

import numpy as np

from apportion import AssignmentProblem, LeadShare, Limit, MaxMin, OpportunityShare, RevenueShare

RULE_KINDS = (
    "revenue_share",
    "opportunity_share",
    "lead_share",
    "tier_share",
    "limit_leads",
    "limit_effort",
    "limit_tier",
    "limit_opportunity",
    "max_min_hard",
    "max_min_soft",
)


def random_problem(
    seed: int, *, n_leads: int = 5, n_reps: int = 3, kinds: tuple[str, ...] | None = None
) -> AssignmentProblem:
    """A small problem; `kinds` names its rules, else up to three are drawn. Equal seeds give equal problems."""
    rng = np.random.default_rng(seed)
    whole = rng.random() < 0.3  # whole numbers make ties
    value = rng.integers(0, 6, (n_leads, n_reps)).astype(float) if whole else rng.lognormal(0, 1, (n_leads, n_reps))
    eligible = rng.random((n_leads, n_reps)) < 0.85
    drawn = rng.choice(RULE_KINDS, size=rng.integers(0, 4), replace=False) if kinds is None else kinds
    rules = [_rule(kind, rng, n_leads, n_reps) for kind in drawn]
    efforts = {0: None, 1: rng.choice([0.5, 1.0, 2.0], n_leads), 2: rng.uniform(0.5, 2, (n_leads, n_reps))}
    return AssignmentProblem.from_arrays(
        value,
        capacity=rng.integers(0, 4, n_reps).astype(float),
        effort=efforts[int(rng.integers(3))],
        eligible=eligible,
        nurture=rng.choice([0.0, 0.3, 1.0], n_leads) if rng.random() < 0.5 else None,
        must_assign=rng.random(n_leads) < 0.15 if rng.random() < 0.4 else False,
        min_load=rng.choice([0.0, 0.0, 1.0], n_reps) if rng.random() < 0.3 else None,
        tier=rng.integers(0, 2, n_leads),
        team=rng.integers(0, 2, n_reps),
        parcel=rng.integers(0, n_leads, n_leads) if rng.random() < 0.3 else None,
        equity=[rule for rule in rules if not isinstance(rule, Limit)],
        limits=[rule for rule in rules if isinstance(rule, Limit)],
    )


def _rule(kind: str, rng: np.random.Generator, n_leads: int, n_reps: int) -> Any:
    price = None if rng.random() < 0.5 else float(rng.choice([0.0, 0.2, 1.0, 5.0]))
    by: Any = rng.choice(["rep", "team", "all"]) if kind.startswith("limit") else rng.choice(["rep", "team"])
    if rng.random() < 0.2:
        by = rng.integers(-1, 2, n_reps)
    low, high = float(rng.uniform(0, 0.8)), float(rng.uniform(1.0, 2.5))
    n_groups = n_reps if isinstance(by, str) and by == "rep" else None
    share = {"low": low, "high": high, "by": by, "price": price}
    if rng.random() < 0.3:
        share["weights"] = rng.integers(0, 4, n_reps).astype(float)
    if n_groups and rng.random() < 0.3:
        share["earlier"] = rng.uniform(0, 3, n_groups)
    limit = {"low": float(rng.integers(0, 2)), "high": float(rng.integers(1, 4)), "by": by, "price": price}
    mask = rng.random(n_leads) < 0.6
    made = {
        "revenue_share": lambda: RevenueShare(**share),
        "opportunity_share": lambda: OpportunityShare(**share),
        "lead_share": lambda: LeadShare(**share),
        "tier_share": lambda: LeadShare(**share, tier=0),
        "limit_leads": lambda: Limit(measure="leads", **limit),
        "limit_effort": lambda: Limit(measure="effort", **limit),
        "limit_tier": lambda: Limit(measure="leads", leads=mask, **limit),
        "limit_opportunity": lambda: Limit(measure="opportunity", **limit),
        "max_min_hard": lambda: MaxMin(keep=float(rng.choice([0.7, 0.9, 1.0])), by=by),
        "max_min_soft": lambda: MaxMin(price=float(rng.choice([0.1, 1.0, 3.0])), by=by),
    }
    return made[kind]()
