"""What each pair is worth after every price is paid, part by part.

The parts of a pair add up to its priced value. Prices charge as Lagrange multipliers do: a capacity price for each
effort unit; for a rule's bound its price for each unit of the measure that the pair adds to its group; and, as shares
are bounds against the total, a term for what the pair adds to that total.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from apportion.build.batch import Batch
from apportion.problem import AssignmentProblem, Limit, MaxMin, Plan, Rule
from apportion.problem.sums import measured

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = Literal["revenue", "cost", "effect", "other", "capacity", "min_load", "rule"]


@dataclass(frozen=True, eq=False)
class Ledger:
    """Parts of the pairs' priced values, in currency. K parts, P pairs.

    names, kinds : (K,). amounts : (K, P). priced : (P,) their sum, added in this order. value : (P,) the sum without
        prices.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    amounts: Floats
    priced: Floats
    value: Floats

    def parts(self, kind: Kind) -> list[int]:
        """Rows of one kind."""
        return [row for row, this in enumerate(self.kinds) if this == kind]


def ledger(batch: Batch, plan: Plan) -> Ledger:
    """Enter every part of every pair."""
    problem = batch.problem
    rows: list[tuple[str, Kind, Floats]] = [("expected revenue", "revenue", problem.revenue)]
    lead, rep = problem.pairs.lead, problem.pairs.rep
    if batch.cost is not None and batch.cost.any():
        rows.append(("cost", "cost", -batch.cost[lead, rep]))
    for effect in batch.eligibility.effects:
        amount = np.asarray(effect.amount, dtype=np.float64)[lead, rep]
        if amount.any():
            rows.append((str(effect.name), "effect", amount))
    rest = problem.value - reduce(np.add, [amount for _, _, amount in rows])
    rest = np.where(np.abs(rest) > 1e-9 * np.maximum(np.abs(problem.value), 1.0), rest, 0.0)
    if rest.any():
        rows.append(("other", "other", rest))
    n_value = len(rows)
    rows.append(("price of capacity", "capacity", -np.maximum(plan.prices.capacity, 0)[rep] * problem.effort))
    rows.append(("price of minimum load", "min_load", np.maximum(plan.prices.min_load, 0)[rep] * problem.effort))
    for rule in problem.rules:
        if str(rule.name) in plan.prices.rules:
            rows.append((str(rule.name), "rule", rule_amount(problem, rule, plan.prices.rules[str(rule.name)])))
    return Ledger(
        names=_unique([name for name, _, _ in rows]),
        kinds=tuple(kind for _, kind, _ in rows),
        amounts=np.array([amount for _, _, amount in rows]).reshape(len(rows), problem.pairs.n_pairs),
        priced=reduce(np.add, [amount for _, _, amount in rows]),
        value=reduce(np.add, [amount for _, _, amount in rows[:n_value]]),
    )


def rule_amount(problem: AssignmentProblem, rule: Rule, price: Any) -> Floats:
    """(P,) what the rule's prices add to each pair, in currency: help towards a floor adds, use of a cap takes."""
    index, names = problem.groups(rule.by)
    ceiling = np.inf if rule.price is None or isinstance(rule, MaxMin) else rule.price
    low = np.where(_stated(rule, "low", len(names)), np.clip(price.low, 0, ceiling), 0.0)
    high = np.where(_stated(rule, "high", len(names)), np.clip(price.high, 0, ceiling), 0.0)
    by_group = np.append(low - high, 0.0)[index]  # index -1 finds the appended zero
    measure = measured(problem, rule)
    amount = by_group[problem.pairs.rep] * measure
    if isinstance(rule, (Limit, MaxMin)):
        return np.asarray(amount)
    fair = fair_shares(problem, rule, index, len(names))
    per_total = _charged(high, rule.high, fair) - _charged(low, rule.low, fair)
    return np.asarray(amount + per_total * measure)


def _stated(rule: Rule, side: str, n_groups: int) -> NDArray[np.bool_]:
    """(G,) whether the rule has this bound: what does not exist charges nobody."""
    if isinstance(rule, MaxMin):
        return np.full(n_groups, side == "low")
    bound = getattr(rule, side)
    return np.full(n_groups, False) if bound is None else np.broadcast_to(np.isfinite(bound), (n_groups,))


def fair_shares(problem: AssignmentProblem, rule: Any, index: Ints, n_groups: int) -> Floats:
    """(G,) each group's part of the rule's weights, or of capacity."""
    weights = problem.capacity if rule.weights is None else np.asarray(rule.weights, dtype=np.float64)
    total = float(weights.sum())
    shares = weights / total if total > 0 else np.zeros_like(weights)
    inside = index >= 0
    return np.asarray(np.bincount(index[inside], weights=shares[inside], minlength=n_groups), dtype=np.float64)


def _charged(price: Floats, multiple: Any, fair: Floats) -> float:
    """Σ price · multiple · fair share over the groups that have such a bound."""
    if multiple is None:
        return 0.0
    bound = np.broadcast_to(np.asarray(multiple, dtype=np.float64), fair.shape)
    there = np.isfinite(bound)
    return float(np.sum(price[there] * bound[there] * fair[there]))


def _unique(names: list[str]) -> tuple[str, ...]:
    """An effect may bear the name of a rule: the later one is numbered."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(unique)
