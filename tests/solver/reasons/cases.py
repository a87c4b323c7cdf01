"""Small batches with plans by brute force, and prices by the linear relaxation: what reasons are tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from apportion.build.batch import Batch
from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, RulePrice, Status, price_bound, verify
from tests.solver.oracle import best_plan

AT = pd.Timestamp("2026-03-02T08:00:00Z")


@dataclass(frozen=True)
class Effect:
    """A soft rule of the policy: what it adds to each pair, in currency."""

    name: str
    amount: np.ndarray


@dataclass(frozen=True)
class Eligibility:
    """Which pairs are allowed, by which rule not."""

    allowed: np.ndarray
    blocked_by: np.ndarray
    rules: tuple[str, ...]
    effects: tuple[Effect, ...]
    lock: np.ndarray
    territory: np.ndarray
    covers: np.ndarray


@dataclass(frozen=True)
class Policy:
    """What reasons read of a policy."""

    name: str = "spring"
    currency: str = "EUR"
    version: int = 1
    fingerprint: str = "0" * 64


def batch_of(
    fit: Any,
    deal_value: Any,
    *,
    capacity: Any,
    blocked_by: Any = None,
    rules: Sequence[str] = (),
    effects: Sequence[Effect] = (),
    screened: Sequence[tuple[str, str, str]] = (),
    names: Sequence[str] | None = None,
    lead_ids: Sequence[str] | None = None,
    notes: Sequence[Any] = (),
    lock: Any = None,
    territory: Any = None,
    covers: Any = None,
    **problem: Any,
) -> Batch:
    """A batch of (L, R) fit and (L,) deal value. `screened` are more leads, put first: (lead id, outcome, reason)."""
    fit = np.asarray(fit, dtype=np.float32)
    deal_value = np.asarray(deal_value, dtype=float)
    n_leads, n_reps = fit.shape
    blocked = np.full((n_leads, n_reps), -1) if blocked_by is None else np.asarray(blocked_by)
    lead_ids = [f"L{i}" for i in range(n_leads)] if lead_ids is None else list(lead_ids)
    rep_ids = [f"R{j}" for j in range(n_reps)]
    revenue = fit.astype(float) * deal_value[:, None]
    value = revenue + sum((effect.amount for effect in effects), np.zeros((n_leads, n_reps)))
    arrays = {"eligible": blocked < 0, "capacity": capacity, "revenue": revenue, **problem}
    built = AssignmentProblem.from_arrays(value, lead_ids=lead_ids, rep_ids=rep_ids, **arrays)
    all_ids = [lead for lead, _, _ in screened] + lead_ids
    n_out = len(screened)
    none = np.full(n_leads, -1)
    eligibility = Eligibility(
        allowed=blocked < 0,
        blocked_by=blocked.astype(np.int16),
        rules=tuple(rules),
        effects=tuple(effects),
        lock=none if lock is None else np.asarray(lock),
        territory=none if territory is None else np.asarray(territory),
        covers=np.zeros((0, n_reps), dtype=np.int64) if covers is None else np.asarray(covers),
    )
    return Batch(
        problem=built,
        policy=Policy(),  # type: ignore[arg-type]
        at=AT,
        leads=pd.DataFrame({"lead_id": all_ids, "country": ["SE"] * len(all_ids)}),
        reps=pd.DataFrame({"rep_id": rep_ids, "name": list(names or rep_ids)}),
        rows=np.arange(n_out, n_out + n_leads),
        fit=fit,
        deal_value=deal_value,
        capacity=pd.DataFrame(
            {"rep_id": rep_ids, "base": built.capacity, "why": [f"{c:g} slots a week." for c in built.capacity]}
        ),
        eligibility=eligibility,  # type: ignore[arg-type]
        screened=pd.DataFrame(
            {
                "outcome": [outcome for _, outcome, _ in screened] + ["assign"] * n_leads,
                "reason": [reason for _, _, reason in screened] + [""] * n_leads,
            }
        ),
        tier=np.zeros(n_leads, dtype=np.int64),
        tier_names=("warm",),
        notes=tuple(notes),
    )


def plan_of(problem: AssignmentProblem, *, prices: Prices | None = None, rep: Any = None) -> Plan:
    """The plan by brute force, or the one given, with prices of the relaxation (capacity alone), or those given."""
    if rep is None:
        found = best_plan(problem)
        assert found is not None
        rep = found[0]
    prices = capacity_prices(problem) if prices is None else prices
    bound = price_bound(problem, prices)
    certificate = Certificate(
        objective=np.nan,
        bound=bound,
        gap=0.0,
        proof="prices",
        engine="brute force",
        why_engine="the case is small",
        price_bound=bound,
    )
    plan = Plan(np.asarray(rep, dtype=np.int64), Status.OPTIMAL, np.nan, bound, prices, certificate)
    return plan.replace(objective=verify(problem, plan).objective)


def capacity_prices(problem: AssignmentProblem) -> Prices:
    """Duals of capacity in the linear relaxation without the other rules on reps."""
    pairs = problem.pairs
    n_pairs = pairs.n_pairs
    if n_pairs == 0:
        return Prices.none(problem.n_reps)
    rows = np.zeros((problem.n_leads + problem.n_reps, n_pairs))
    rows[pairs.lead, np.arange(n_pairs)] = 1.0
    rows[problem.n_leads + pairs.rep, np.arange(n_pairs)] = problem.effort
    gain = problem.value - problem.nurture[pairs.lead]
    limits = np.concatenate([np.ones(problem.n_leads), problem.capacity])
    solved = linprog(-gain, A_ub=rows, b_ub=limits, method="highs")
    capacity = -solved.ineqlin.marginals[problem.n_leads :]
    return Prices(capacity=np.maximum(capacity, 0.0), min_load=np.zeros(problem.n_reps))


def random_prices(problem: AssignmentProblem, rng: np.random.Generator) -> Prices:
    """Prices of any size for every rule: the arithmetic must hold for all of them."""
    by_rule = {}
    for rule in problem.rules:
        n_groups = len(problem.groups(rule.by)[1])
        by_rule[str(rule.name)] = RulePrice(rng.random(n_groups), rng.random(n_groups))
    return Prices(rng.random(problem.n_reps) * 20, rng.random(problem.n_reps) * 5, by_rule)
