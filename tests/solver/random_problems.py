"""Seeded random problems: one rule kind at a time in all its forms, or any mixture of rules together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from apportion import AssignmentProblem, LeadShare, Limit, MaxMin, OpportunityShare, RevenueShare

SHARES: dict[str, Any] = {
    "revenue_share": RevenueShare,
    "opportunity_share": OpportunityShare,
    "lead_share": LeadShare,
    "tier_share": LeadShare,
}
LIMITS = {f"limit_{measure}": measure for measure in ("leads", "effort", "revenue", "opportunity")}
RULE_KINDS = (*SHARES, *LIMITS, "limit_tier", "max_min_hard", "max_min_soft")
STRUCTURES = (
    "capacity",
    "fractional_capacity",
    "effort_of_lead",
    "effort_of_pair",
    "min_load",
    "must_assign_all",
    "must_assign_some",
    "parcels",
    "nurture",
    "eligibility",
    "negative",
)


def random_problem(
    seed: int, *, n_leads: int = 5, n_reps: int = 3, kinds: tuple[str, ...] | None = None
) -> AssignmentProblem:
    """A small problem; `kinds` names its rules, else up to three are drawn. Equal seeds give equal problems."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(RULE_KINDS, size=rng.integers(0, 4), replace=False) if kinds is None else kinds
    features = [name for name in STRUCTURES if rng.random() < 0.3]
    arguments = arrays(rng, n_leads, n_reps, features)
    return _with_rules(arguments, [random_rule(rng, str(kind), arguments) for kind in drawn])


def structured(seed: int, feature: str, *, n_leads: int = 4, n_reps: int = 3) -> AssignmentProblem:
    """A small problem without rules, in which one feature of STRUCTURES matters."""
    rng = np.random.default_rng(seed)
    return _with_rules(arrays(rng, n_leads, n_reps, (feature,)), [])


def with_rule(seed: int, kind: str, *, n_leads: int = 4, n_reps: int = 3, **form: Any) -> AssignmentProblem:
    """A small problem with one rule of the kind, in the form that is given (by, sides, soft); the rest is drawn."""
    rng = np.random.default_rng(seed)
    features = [name for name in STRUCTURES if rng.random() < 0.15]
    arguments = arrays(rng, n_leads, n_reps, features)
    return _with_rules(arguments, [random_rule(rng, kind, arguments, **form)])


def _with_rules(arguments: dict[str, Any], rules: Sequence[Any]) -> AssignmentProblem:
    return AssignmentProblem.from_arrays(
        **arguments,
        equity=[rule for rule in rules if not isinstance(rule, Limit)],
        limits=[rule for rule in rules if isinstance(rule, Limit)],
    )


def arrays(rng: np.random.Generator, n_leads: int, n_reps: int, features: Sequence[str]) -> dict[str, Any]:
    """Arguments of `from_arrays` without rules; `features` are of STRUCTURES."""
    shape = (n_leads, n_reps)
    whole = rng.random() < 0.3  # whole numbers make ties
    value = rng.integers(0, 6, shape).astype(float) if whole else rng.lognormal(0, 1, shape)
    if "negative" in features:
        value = value - rng.choice([0.5, 2.0])
    made: dict[str, Any] = {
        "value": value,
        "capacity": rng.integers(0, 4, n_reps).astype(float),
        "tier": rng.integers(0, 2, n_leads),
        "team": rng.integers(0, 2, n_reps),
    }
    if rng.random() < 0.2:
        made["revenue"] = rng.lognormal(0, 1, shape)
    if rng.random() < 0.2:
        made["opportunity"] = rng.lognormal(0, 1, n_leads)
    choices = {
        "fractional_capacity": lambda: {"capacity": rng.uniform(0, 3, n_reps)},
        "effort_of_lead": lambda: {"effort": rng.choice([0.0, 0.5, 1.0, 2.0], n_leads)},
        "effort_of_pair": lambda: {"effort": rng.uniform(0.3, 2, shape)},
        "min_load": lambda: {"min_load": rng.choice([0.0, 0.4, 1.0], n_reps)},
        "must_assign_all": lambda: {"must_assign": True},
        "must_assign_some": lambda: {"must_assign": rng.random(n_leads) < 0.4},
        "parcels": lambda: {"parcel": rng.integers(0, n_leads, n_leads)},
        "nurture": lambda: {"nurture": rng.choice([-0.5, 0.0, 0.3, 1.0], n_leads)},
        "eligibility": lambda: {"eligible": rng.random(shape) < 0.7},
    }
    for name, make in choices.items():
        if name in features:
            made |= make()
    return made


def random_rule(
    rng: np.random.Generator,
    kind: str,
    arguments: dict[str, Any],
    *,
    by: str | None = None,
    sides: str | None = None,
    soft: bool | None = None,
) -> Any:
    """One rule. by : "rep", "team", "all" or "labels"; sides : "low", "high" or "both"; what is None is drawn."""
    n_leads, n_reps = np.shape(arguments["value"])
    by = str(rng.choice(["rep", "team", "labels"])) if by is None else by
    sides = str(rng.choice(["low", "high", "both"], p=[0.25, 0.25, 0.5])) if sides is None else sides
    soft = bool(rng.random() < 0.5) if soft is None else soft
    groups: Any = rng.integers(-1, 2, n_reps) if by == "labels" else by
    price = float(rng.choice([0.0, 0.2, 1.0, 5.0])) if soft else None
    if kind.startswith("max_min"):
        weights = rng.integers(0, 4, n_reps).astype(float) if rng.random() < 0.3 else None
        if kind == "max_min_hard":
            return MaxMin(keep=float(rng.choice([0.7, 0.9, 1.0])), by=groups, weights=weights)
        return MaxMin(price=float(rng.choice([0.1, 1.0, 3.0])), by=groups, weights=weights)
    mask = rng.random(n_leads) < 0.6 if rng.random() < 0.3 or kind == "limit_tier" else None
    n_groups = _n_groups(groups, n_reps, arguments["team"])
    if kind in SHARES:
        bounds = _bounds(rng, sides, n_groups, (0.0, 0.9), (0.9, 2.5), missing=None)
        more = {"tier": 0} if kind == "tier_share" else {}
        weights = rng.integers(0, 4, n_reps).astype(float) if rng.random() < 0.3 else None
        earlier = rng.uniform(0, 3, n_groups) if rng.random() < 0.3 else None
        return SHARES[kind](**bounds, by=groups, leads=mask, weights=weights, earlier=earlier, price=price, **more)
    measure: Any = LIMITS.get(kind, "leads")
    bounds = _bounds(rng, sides, n_groups, (0.0, 1.5), (0.5, 4.0), missing=None)
    if rng.random() < 0.6:
        bounds = {side: None if bound is None else np.rint(bound) for side, bound in bounds.items()}
        if bounds["low"] is not None and bounds["high"] is not None:
            bounds["high"] = np.maximum(bounds["low"], bounds["high"])
    return Limit(
        measure=measure, low=0.0 if bounds["low"] is None else bounds["low"], high=bounds["high"], by=groups,
        leads=mask, price=price,
    )  # fmt: skip


def _bounds(
    rng: np.random.Generator,
    sides: str,
    n_groups: int,
    low: tuple[float, float],
    high: tuple[float, float],
    missing: float | None,
) -> dict[str, Any]:
    """A scalar or one a group; the side that is not asked for is missing."""
    size = n_groups if rng.random() < 0.3 else None
    upper = rng.uniform(*high, size)
    lower = np.minimum(rng.uniform(*low, size), upper)
    return {"low": missing if sides == "high" else lower, "high": missing if sides == "low" else upper}


def _n_groups(by: Any, n_reps: int, team: Any) -> int:
    if isinstance(by, str) and by in ("rep", "all"):
        return n_reps if by == "rep" else 1
    labels = np.asarray(team if isinstance(by, str) else by)
    return len(np.unique(labels[labels >= 0]))
