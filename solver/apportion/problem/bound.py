"""The upper bound that prices prove, derived anew from the problem's arrays. No OR-Tools, no code of the engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.problem.blocks import Block, each_block, parcel_blocks, scratch
from apportion.problem.pairs import Floats, Ints
from apportion.problem.plan import Prices
from apportion.problem.problem import AssignmentProblem
from apportion.problem.rules import LeadShare, Limit, MaxMin, Rule, Share
from apportion.problem.steps import ROOM, whole_bounds
from apportion.problem.sums import Measure, effort_of, fair_shares, measure_of, scaled


@dataclass(frozen=True, eq=False)
class Charge:
    """What prices take from each pair: the rep's rate (R,) times the measure; and what the bounds themselves add."""

    measure: Measure
    rate: Floats
    constant: float

    def of(self, block: Block) -> Any:
        """What the block's pairs are charged, to be broadcast."""
        return block.by_rep(self.rate) * self.measure.of(block)


def price_bound(problem: AssignmentProblem, prices: Prices, worst_off: float | None = None) -> float:
    """Re-derive the upper bound that prices prove, in one pass over the pairs (Lagrangian weak duality).

    Each rule-side bound is charged at its price; each lead (or parcel) then takes the best of its charged pairs and
    nurture. Whatever the prices are, no plan is worth more than this sum. `worst_off` is the floor that a hard MaxMin
    was held to.
    """
    charged = charges(problem, prices, worst_off)
    return sum((charge.constant for charge in charged), 0.0) + best_of_each(problem, charged)


def charges(problem: AssignmentProblem, prices: Prices, worst_off: float | None = None) -> list[Charge]:
    """What capacity, minimum loads and each priced rule take."""
    charged = [_load_charge(problem, prices)]
    for rule in problem.rules:
        price = prices.rules.get(str(rule.name))
        if price is not None or (isinstance(rule, MaxMin) and rule.price):
            charged.append(_rule_charge(problem, rule, price, worst_off))
    return charged


def pair_charges(problem: AssignmentProblem, charged: list[Charge]) -> Floats:
    """(P,) what each pair is charged in all."""
    total = np.zeros(problem.pairs.n_pairs)
    for charge in charged:
        total += charge.rate[problem.pairs.rep] * charge.measure.whole()
    return total


def _load_charge(problem: AssignmentProblem, prices: Prices) -> Charge:
    high, low = np.maximum(prices.capacity, 0), np.maximum(prices.min_load, 0)
    effort = effort_of(problem)
    least, most = whole_bounds(problem.min_load, problem.capacity, effort, np.arange(problem.n_reps))
    # summed exactly, so that the order of the reps does not touch the last digit
    return Charge(effort, high - low, math.fsum([*(high * most).tolist(), *(-low * least).tolist()]))


def _rule_charge(problem: AssignmentProblem, rule: Rule, price: object, worst_off: float | None) -> Charge:
    """What a pair is charged for the rule, and the constant that the bounds themselves add."""
    index, names = problem.groups(rule.by)
    n_groups = len(names)
    cap = np.inf if rule.price is None or isinstance(rule, MaxMin) else rule.price
    low, high = _stated(problem, rule, index, n_groups)
    # a bound that does not exist cannot be charged for
    low_price = np.where(np.isfinite(low), np.clip(getattr(price, "low", np.zeros(n_groups)), 0, cap), 0.0)
    high_price = np.where(np.isfinite(high), np.clip(getattr(price, "high", np.zeros(n_groups)), 0, cap), 0.0)
    if isinstance(rule, MaxMin) and rule.price is None and worst_off is None:
        low_price = np.zeros(n_groups)  # no floor was promised
    measure = measure_of(problem, rule)
    rate = np.append(high_price - low_price, 0.0)[index]  # index -1 finds the appended zero
    if isinstance(rule, MaxMin):
        constant = _max_min_constant(problem, rule, low_price, index, n_groups, measure, worst_off)
        return Charge(measure, rate, constant)
    fair = earlier = np.zeros(n_groups)
    total: float | None = None
    if isinstance(rule, Share):
        fair = fair_shares(problem, rule, index, n_groups)
        earlier = earlier if rule.earlier is None else np.asarray(rule.earlier, dtype=float)
        total = _known_total(problem, rule)
        if total is not None:
            total += float(earlier.sum())
            low, high = scaled(low, fair * total) - earlier, scaled(high, fair * total) - earlier
    if isinstance(rule, Limit) or total is not None:
        if rule.price is None:
            low, high = whole_bounds(low, high, measure, index)
        return Charge(measure, rate, _pay(high_price, high) - _pay(low_price, low))
    per_total = _pay(high_price, scaled(high, fair)) - _pay(low_price, scaled(low, fair))
    constant = per_total * earlier.sum() - float((high_price - low_price) @ earlier)
    return Charge(measure, rate - per_total, constant)


def _stated(problem: AssignmentProblem, rule: Rule, index: Ints, n_groups: int) -> tuple[Floats, Floats]:
    """(G,) the bounds as the rule states them, infinite where there is none. MaxMin has a floor where a group
    counts."""
    if isinstance(rule, MaxMin):
        counted = fair_shares(problem, rule, index, n_groups) > 0
        return np.where(counted, 0.0, -np.inf), np.full(n_groups, np.inf)
    low = np.broadcast_to(-np.inf if rule.low is None else np.asarray(rule.low, dtype=float), (n_groups,))
    return low, np.broadcast_to(np.inf if rule.high is None else np.asarray(rule.high, dtype=float), (n_groups,))


def _known_total(problem: AssignmentProblem, rule: Share) -> float | None:
    """What every plan places of the measure: known where each lead needs a rep and the measure is the lead's own."""
    if rule.measure == "revenue" or not _must_all(problem):
        return None
    own = problem.opportunity if rule.measure == "opportunity" else np.ones(problem.n_leads)
    if rule.leads is not None:
        own = own * np.asarray(rule.leads, dtype=bool)
    if isinstance(rule, LeadShare) and rule.tier is not None and problem.tier is not None:
        own = own * (problem.tier == rule.tier)
    return math.fsum(own)


def _must_all(problem: AssignmentProblem) -> bool:
    """Whether no lead can be left to nurture: it, or one that stays together with it, must be assigned."""
    if problem.parcel is None:
        return bool(problem.must_assign.all())
    return bool(np.isin(problem.parcel, problem.parcel[problem.must_assign]).all())


def _pay(price: Floats, bound: Floats) -> float:
    """price · bound, where a bound that does not exist has no price."""
    there = np.isfinite(bound)
    return math.fsum((price[there] * bound[there]).tolist())


def _max_min_constant(
    problem: AssignmentProblem,
    rule: MaxMin,
    low_price: Floats,
    index: Ints,
    n_groups: int,
    measure: Measure,
    worst_off: float | None,
) -> float:
    fair = fair_shares(problem, rule, index, n_groups)
    charged = float(low_price @ fair)
    if rule.price is None:
        return 0.0 if worst_off is None else -charged * worst_off
    # soft: the worst-off value t is free between what the groups can possibly get, and earns `price`, less what is
    # charged for it
    most, least = _reachable(measure, index, n_groups)
    counted = fair > 0
    if not counted.any():
        return 0.0
    rest = rule.price - charged
    reach = most if rest > 0 else least
    return rest * float(np.min(reach[counted] / fair[counted]))


def _reachable(measure: Measure, index: Ints, n_groups: int) -> tuple[Floats, Floats]:
    """(G,) the most and the least that each group's sum could be, with every lead placed at its best or worst for
    it."""
    order = np.argsort(index, kind="stable")[int((index < 0).sum()) :]
    if not len(order):
        return np.zeros(n_groups), np.zeros(n_groups)
    first = np.flatnonzero(np.diff(index[order], prepend=-1))

    def look(block: Block) -> tuple[Floats, Floats]:
        amounts = block.matrix(measure.of(block), 0.0)[:, order]
        most = np.maximum(np.maximum.reduceat(amounts, first, axis=1), 0.0).sum(axis=0)
        return most, np.minimum(np.minimum.reduceat(amounts, first, axis=1), 0.0).sum(axis=0)

    found = each_block(measure.pairs, look)
    most, least = np.zeros(n_groups), np.zeros(n_groups)
    present = index[order][first]
    most[present] = sum((high for high, _ in found), np.zeros(len(first)))
    least[present] = sum((low for _, low in found), np.zeros(len(first)))
    return most, least


def best_of_each(problem: AssignmentProblem, charged: list[Charge]) -> float:
    """Sum over leads (parcels) of the best of the charged pairs and nurture."""
    charged = [charge for charge in charged if charge.rate.any()]
    value = problem.entries("value")

    def worth(block: Block) -> NDArray[np.float64]:
        total = block.of(value)
        for charge in charged:  # the first result goes into memory that is used again, so that nothing is allocated
            taken = charge.of(block)
            shape = np.broadcast_shapes(total.shape, taken.shape)
            total = np.subtract(total, taken, out=scratch(shape), dtype=np.float64)
        return np.asarray(total, dtype=np.float64)

    if problem.parcel is not None:
        return _best_of_parcels(problem, worth)
    rest = np.where(problem.must_assign, -np.inf, problem.nurture)
    found = each_block(problem.pairs, lambda block: block.best(worth(block), rest[block.leads]))
    best = np.concatenate([np.zeros(0), *found])
    return math.fsum(best.tolist()) if np.isfinite(best).all() else -math.inf


def _best_of_parcels(problem: AssignmentProblem, worth: Callable[[Block], Floats]) -> float:
    """The same where leads stay together: a rep must be eligible for every lead of a parcel, and have room for all of
    it."""
    assert problem.parcel is not None
    labels = np.unique(problem.parcel, return_inverse=True)[1]
    room, effort = problem.capacity * (1 + ROOM), problem.entries("effort")
    best: list[float] = []
    for block, first in parcel_blocks(problem.pairs, labels):
        sums = np.add.reduceat(block.matrix(worth(block), -np.inf), first, axis=0)
        load = np.add.reduceat(block.matrix(block.of(effort), 0.0), first, axis=0)
        sums[load > room] = -np.inf
        must = np.logical_or.reduceat(problem.must_assign[block.leads], first)
        rest = np.where(must, -np.inf, np.add.reduceat(problem.nurture[block.leads], first))
        best += np.maximum(sums.max(axis=1), rest).tolist()
    return math.fsum(best) if np.isfinite(best).all() else -math.inf
