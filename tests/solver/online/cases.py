"""Seeded routers and arrivals with random mixtures of what a router knows, and a replay of them in plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from apportion import LeadShare, Limit, OpportunityShare, RevenueShare
from apportion.online import Router


@dataclass
class Case:
    """Arguments of a Router and of N arrivals; the limits among its rules, as the test reads them."""

    router: dict[str, Any]
    arrivals: dict[str, Any]
    lead_ids: list[str]
    limits: list[Limit]

    def make(self) -> Router:
        return Router(**self.router)

    def lead(self, row: int) -> dict[str, Any]:
        """The arguments of `route` for one arrival."""
        picked: dict[str, Any] = {}
        for name, given in self.arrivals.items():
            if name == "counts":
                picked[name] = {rule: bool(flags[row]) for rule, flags in given.items()}
            else:
                picked[name] = given[row] if np.ndim(given) else given
        return picked


def random_case(seed: int, *, n_leads: int = 60, rules: bool = True) -> Case:
    rng = np.random.default_rng(seed)
    n_reps = int(rng.integers(1, 7))
    whole = rng.random() < 0.3  # ties
    value = rng.integers(0, 4, (n_leads, n_reps)).astype(float) if whole else rng.lognormal(0, 1, (n_leads, n_reps))
    if rng.random() < 0.4:
        value -= 0.7
    arrivals: dict[str, Any] = {"value": value, "tier": rng.integers(0, 3, n_leads)}
    if rng.random() < 0.5:
        arrivals["effort"] = rng.choice([0.0, 0.1, 0.5, 1.0, 2.0], (n_leads, n_reps))
    if rng.random() < 0.5:
        arrivals["eligible"] = rng.random((n_leads, n_reps)) < 0.7
    if rng.random() < 0.5:
        arrivals["nurture"] = rng.choice([-0.5, 0.0, 0.4], n_leads)
    if rng.random() < 0.4:
        arrivals["revenue"] = rng.normal(1.0, 1.0, (n_leads, n_reps))
    if rng.random() < 0.4:
        arrivals["opportunity"] = rng.lognormal(0, 1, n_leads)
    limits, equity = _rules(rng, n_leads, n_reps, arrivals) if rules else ([], [])
    router = {
        "capacity": rng.choice([0.0, 0.3, 1.0, 2.5, 7.0, 12.0], n_reps),
        "rep_ids": rng.permutation([f"r{j}" for j in range(n_reps)]).tolist(),
        "team": rng.integers(-1, 2, n_reps),
        "prices": rng.choice([0.0, 0.5, 2.0], n_reps) if rng.random() < 0.5 else None,
        "horizon": None if rng.random() < 0.3 else int(rng.integers(0, 2 * n_leads)),
        "known": int(rng.choice([0, 5, 5000])),
        "limits": limits,
        "equity": equity,
        "hard_shares": "price",
    }
    return Case(router, arrivals, [f"lead {i}" for i in rng.permutation(n_leads)], limits)


def _rules(
    rng: np.random.Generator, n_leads: int, n_reps: int, arrivals: dict[str, Any]
) -> tuple[list[Any], list[Any]]:
    limits, equity = [], []
    for number in range(rng.integers(0, 4)):
        measure: Any = str(rng.choice(["leads", "effort", "revenue", "opportunity"]))
        by: Any = "rep" if rng.random() < 0.4 else "all" if rng.random() < 0.4 else rng.integers(-1, 3, n_reps)
        price = None if rng.random() < 0.6 else float(rng.choice([0.0, 0.3, 2.0]))
        low = float(rng.choice([0.0, -1.0])) if price is None else float(rng.uniform(0, 3))
        flagged = rng.random() < 0.5
        name = f"limit {number}"
        high, leads = max(low, 0.0) + float(rng.uniform(0.5, 6)), [True] if flagged else None
        limits.append(Limit(measure=measure, low=low, high=high, by=by, price=price, name=name, leads=leads))
        if flagged:
            arrivals.setdefault("counts", {})[name] = rng.random(n_leads) < 0.6
    kinds: list[Any] = [RevenueShare, OpportunityShare, LeadShare]
    for kind in kinds:
        if rng.random() < 0.25:
            price = None if rng.random() < 0.5 else float(rng.choice([0.2, 3.0]))
            more = {"tier": 1} if kind is LeadShare and rng.random() < 0.5 else {}
            equity.append(kind(0.6, 1.4, price=price, **more))
    return limits, equity
