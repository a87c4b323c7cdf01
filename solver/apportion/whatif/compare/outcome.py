"""What one scenario comes to: totals, shares, equity, prices, and the routers beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build import Batch
from apportion.problem import Limit, Plan, Share
from apportion.problem.sums import fair_shares, measure_of
from apportion.whatif.baselines import BaselineResult, router_context, run_baselines, score
from apportion.whatif.compare.solving import Solved, group_names
from apportion.whatif.estimates import past_rates
from apportion.whatif.scenarios import Scenario
from apportion.whatif.setting import Setting

NOBODY, NO_TEAM, NO_TERRITORY = "nurture", "no team", "no territory"
Floats = NDArray[np.float64]

GROUP_COLUMNS = (
    "by",
    "group",
    "leads",
    "load",
    "capacity",
    "revenue",
    "conversions",
    "opportunity",
    "share_of_leads",
    "share_of_revenue",
    "share_of_opportunity",
    "fair_share",
    "of_fair_share",
    "price",
)
SHARED = ("leads", "revenue", "opportunity")


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """One scenario, solved and measured. Amounts in currency.

    fit : (L,) chance of each lead with its rep, 0 for nobody, and revenue (L,), both as the scenario believes.
    totals : leads, placed, nurture, rejected, revenue, conversions, worth, bound, gap, the equity measures.
    groups : one row a rep, team, tier and territory. bands : one row an equity rule. routers : none where there is no
    plan.
    """

    scenario: Scenario
    setting: Setting
    batch: Batch
    solved: Solved
    fit: Floats
    revenue: Floats
    totals: dict[str, float]
    groups: pd.DataFrame
    bands: pd.DataFrame
    routers: tuple[BaselineResult, ...]

    @property
    def name(self) -> str:
        """The scenario's."""
        return self.scenario.name

    @property
    def plan(self) -> Plan:
        """The plan; see its status."""
        return self.solved.plan

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan that keeps every hard rule."""
        return self.plan.status.has_plan

    @property
    def owners(self) -> dict[str, str]:
        """Lead id -> rep id, or nurture; every lead that stands for assignment."""
        problem = self.solved.problem
        names = (*problem.rep_ids, NOBODY)
        return {lead: names[rep] for lead, rep in zip(problem.lead_ids, self.plan.rep.tolist(), strict=True)}

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        certificate = self.plan.certificate
        return {
            "status": str(self.plan.status),
            "stopped_by": certificate.stopped_by,
            "engine": certificate.engine,
            "proof": certificate.proof,
            "totals": {name: number(value) for name, value in self.totals.items()},
            "groups": records(self.groups),
            "equity": records(self.bands),
            "prices": self._prices(),
            "routers": [router_row(result) for result in self.routers],
        }

    def _prices(self) -> dict[str, Any]:
        problem, prices = self.solved.problem, self.plan.prices
        rules: dict[str, Any] = {}
        for rule in problem.rules:
            price = prices.rules.get(str(rule.name))
            if price is not None:
                names = group_names(problem, rule)
                rules[str(rule.name)] = [
                    {"group": group, "low": float(low), "high": float(high)}
                    for group, low, high in zip(names, price.low, price.high, strict=True)
                    if low > 0 or high > 0
                ]
        return {"capacity": dict(zip(problem.rep_ids, map(float, prices.capacity), strict=True)), "rules": rules}


def measure(scenario: Scenario, setting: Setting, batch: Batch, solved: Solved, *, routers: bool = True) -> Outcome:
    """Measure a scenario's plan, and route its batch by every router."""
    problem, rep = solved.problem, solved.plan.rep
    placed = rep >= 0
    rows, own = np.arange(len(rep)), np.maximum(rep, 0)
    fit = np.where(placed, batch.fit[rows, own].astype(np.float64), 0.0) if len(rep) else np.zeros(0)
    revenue = fit * batch.deal_value
    has_plan = solved.plan.status.has_plan
    context = (
        router_context(batch, rank=past_rates(setting.model, setting.tables.reps), seed=0)
        if routers and has_plan
        else None
    )
    return Outcome(
        scenario=scenario,
        setting=setting,
        batch=batch,
        solved=solved,
        fit=fit,
        revenue=revenue,
        totals=_totals(batch, solved, fit, revenue) if has_plan else _no_totals(batch),
        groups=_groups(batch, solved, fit, revenue) if has_plan else pd.DataFrame(columns=list(GROUP_COLUMNS)),
        bands=_bands(solved) if has_plan else pd.DataFrame(columns=["rule", "lowest", "highest", "worst_off"]),
        routers=() if context is None else run_baselines(problem, context),
    )


def _no_totals(batch: Batch) -> dict[str, float]:
    return {"leads": float(len(batch.leads)), "reps": float(batch.problem.n_reps)}


def _totals(batch: Batch, solved: Solved, fit: Floats, revenue: Floats) -> dict[str, float]:
    own = score(solved.problem, solved.plan.rep)
    outcomes = batch.screened["outcome"].value_counts()
    rejected = float(outcomes.get("reject", 0))
    placed = float(solved.plan.n_placed)
    return {
        "leads": float(len(batch.leads)),
        "reps": float(batch.problem.n_reps),
        "placed": placed,
        "nurture": len(batch.leads) - placed - rejected,
        "rejected": rejected,
        "revenue": math.fsum(revenue),
        "conversions": math.fsum(fit),
        "worth": solved.plan.objective,
        "bound": solved.plan.bound,
        "gap": solved.plan.gap,
        "gini_revenue": own.gini_revenue,
        "gini_opportunity": own.gini_opportunity,
        "worst_off_share": own.worst_off_share,
    }


def _groups(batch: Batch, solved: Solved, fit: Floats, revenue: Floats) -> pd.DataFrame:
    """One row a rep, team, tier and territory, measured alike; a lead's load counts where its rep is."""
    problem, rep = solved.problem, solved.plan.rep
    rows = np.flatnonzero(rep >= 0)
    own = rep[rows]
    amounts = {
        "leads": np.ones(len(rows)),
        "load": problem.effort[problem.pairs.position(rows, own)],
        "revenue": revenue[rows],
        "conversions": fit[rows],
        "opportunity": problem.opportunity[rows],
    }
    names, team = np.unique(_teams(batch), return_inverse=True)
    territories = (*(item.name for item in batch.policy.territories.cover), NO_TERRITORY)
    kinds: tuple[tuple[str, Sequence[str], NDArray[Any], NDArray[Any] | None], ...] = (
        ("rep", problem.rep_ids, own, np.arange(problem.n_reps)),
        ("team", names.tolist(), team[own], team),
        ("tier", batch.tier_names, batch.tier[rows], None),
        ("territory", territories, batch.eligibility.territory[rows] % len(territories), None),
    )
    tables = [_sums(by, names, place, amounts, reps, problem.capacity) for by, names, place, reps in kinds]
    made = {name: np.concatenate([table[name] for table in tables]) for name in GROUP_COLUMNS[:-1]}
    price = np.full(len(made["by"]), np.nan)
    price[: problem.n_reps] = solved.plan.prices.capacity
    return pd.DataFrame({**made, "price": price})


def _teams(batch: Batch) -> NDArray[Any]:
    if "team_id" not in batch.reps:
        return np.full(len(batch.reps), NO_TEAM, dtype=object)
    teams = batch.reps["team_id"]
    return np.asarray(teams.astype(object).where(teams.notna(), NO_TEAM).astype(str), dtype=object)


def _sums(
    by: str,
    names: Sequence[str],
    place: NDArray[Any],
    amounts: Mapping[str, Floats],
    reps: NDArray[Any] | None,
    capacity: Floats,
) -> dict[str, NDArray[Any]]:
    """The columns of the groups of one kind. place : (l,) the group of each placed lead. reps : (R,) of each rep."""
    count, none = len(names), np.full(len(names), np.nan)
    sums = {name: np.bincount(place, weights=amount, minlength=count) for name, amount in amounts.items()}
    room = none if reps is None else np.bincount(reps, weights=capacity, minlength=count)
    whole = float(capacity.sum())
    fair = none if reps is None or not whole > 0 else room / whole
    totals = {name: float(sums[name].sum()) for name in SHARED}
    shares = {f"share_of_{name}": sums[name] / totals[name] if totals[name] > 0 else none for name in SHARED}
    of_fair = np.divide(shares["share_of_opportunity"], fair, out=none.copy(), where=fair > 0)
    named = {"by": np.full(count, by, dtype=object), "group": np.array([*names, None], dtype=object)[:-1]}
    return {**named, **sums, "capacity": room, **shares, "fair_share": fair, "of_fair_share": of_fair}


def _bands(solved: Solved) -> pd.DataFrame:
    """For each share rule: what its groups got, as multiples of their fair share, from the worst to the best off."""
    problem, rep = solved.problem, solved.plan.rep
    rows = np.flatnonzero(rep >= 0)
    pair = problem.pairs.position(rows, rep[rows])
    found = []
    for rule in problem.equity:
        if isinstance(rule, Limit):
            continue  # of equity there are shares and max-min; the type allows more
        index, names = problem.groups(rule.by)[0], group_names(problem, rule)
        amount = measure_of(problem, rule).whole()[pair]
        group = index[rep[rows]]
        sums = np.bincount(group[group >= 0], weights=amount[group >= 0], minlength=len(names))
        if isinstance(rule, Share) and rule.earlier is not None:
            sums = sums + np.asarray(rule.earlier, dtype=float)
        fair = fair_shares(problem, rule, index, len(names))
        held = fair > 0
        if not held.any() or not sums.sum() > 0:
            continue
        ratio = np.where(held, sums / np.where(held, fair, 1.0) / sums.sum(), np.nan)
        worst = int(np.nanargmin(ratio))
        found.append(
            {
                "rule": str(rule.name),
                "lowest": float(np.nanmin(ratio)),
                "highest": float(np.nanmax(ratio)),
                "worst_off": names[worst],
            }
        )
    return pd.DataFrame(found, columns=["rule", "lowest", "highest", "worst_off"])


def router_row(result: BaselineResult) -> dict[str, Any]:
    """A router's measures as plain JSON values."""
    return {
        "name": result.name,
        "title": result.title,
        "revenue": result.expected_revenue,
        "worth": number(result.objective),
        "placed": result.n_placed,
        "gini_opportunity": number(result.gini_opportunity),
        "worst_off_share": number(result.worst_off_share),
        "broken_rules": list(result.broken_rules),
    }


def number(value: float) -> float | None:
    """A finite number, or None."""
    return float(value) if np.isfinite(value) else None


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain JSON values."""
    plain = table.to_dict(orient="records")
    return [{str(key): number(cell) if isinstance(cell, float) else cell for key, cell in row.items()} for row in plain]
