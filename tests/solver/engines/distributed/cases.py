"""Problems that are worth cutting up, and all that a plan says as bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from apportion import AssignmentProblem, LeadShare, Plan, RevenueShare


def banded(seed: int = 0, n_leads: int = 1_500, n_reps: int = 12, **more: Any) -> AssignmentProblem:
    """Territories, tiers and revenue bands together."""
    rng = np.random.default_rng(seed)
    shape = (n_leads, n_reps)
    arguments: dict[str, Any] = {
        "value": rng.lognormal(0, 1, (n_leads, 1)) * rng.lognormal(0, 0.5, shape),
        "eligible": rng.random(shape) < 0.6,
        "capacity": np.full(n_reps, 0.7 * n_leads / n_reps),
        "tier": rng.integers(0, 3, n_leads),
        "equity": (RevenueShare(0.8, 1.25), LeadShare(0.7, 1.4, tier=0)),
    }
    return AssignmentProblem.from_arrays(**(arguments | more))


def said(plan: Plan) -> tuple[bytes, ...]:
    """A plan's reps, numbers and prices."""
    rules = [part.tobytes() for price in plan.prices.rules.values() for part in (price.low, price.high)]
    numbers = np.array([plan.objective, plan.bound, plan.certificate.price_bound])
    return (plan.rep.tobytes(), numbers.tobytes(), plan.prices.capacity.tobytes(), *rules, plan.status.encode())
