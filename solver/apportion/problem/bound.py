"""The upper bound that prices prove, derived anew from the problem's arrays. No OR-Tools, no code of the engines."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from apportion.problem.plan import Prices
from apportion.problem.problem import AssignmentProblem
from apportion.problem.rules import LeadShare, Limit, MaxMin, Rule, Share
from apportion.problem.sums import fair_shares, measured, scaled

ROOM = 1e-9  # of the capacity: a load beyond it by less is none beyond it

Floats = NDArray[np.float64]


def price_bound(problem: AssignmentProblem, prices: Prices, worst_off: float | None = None) -> float:
    """Re-derive the upper bound that prices prove, in one pass over the pairs (Lagrangian weak duality).

    Each rule-side bound is charged at its price; each lead (or parcel) then takes the best of its charged pairs and
    nurture. Whatever the prices are, no plan is worth more than this sum. `worst_off` is the floor that a hard MaxMin
    was held to.
    """
    rep = problem.pairs.rep
    charge = (np.maximum(prices.capacity, 0) - np.maximum(prices.min_load, 0))[rep] * problem.effort
    least, most = _whole(problem.min_load, problem.capacity, problem.effort, rep)
    constant = float(np.maximum(prices.capacity, 0) @ most - np.maximum(prices.min_load, 0) @ least)
    for rule in problem.rules:
        price = prices.rules.get(str(rule.name))
        if price is None and not (isinstance(rule, MaxMin) and rule.price):
            continue
        rule_charge, rule_constant = _charged(problem, rule, price, worst_off)
        charge = charge + rule_charge
        constant += rule_constant
    return constant + _best_of_each(problem, problem.value - charge)


def _charged(problem: AssignmentProblem, rule: Rule, price: object, worst_off: float | None) -> tuple[Floats, float]:
    """(P,) what a pair is charged for the rule, and the constant that the bounds themselves add."""
    index, names = problem.groups(rule.by)
    n_groups = len(names)
    cap = np.inf if rule.price is None or isinstance(rule, MaxMin) else rule.price
    low, high = _stated(problem, rule, index, n_groups)
    # a bound that does not exist cannot be charged for
    low_price = np.where(np.isfinite(low), np.clip(getattr(price, "low", np.zeros(n_groups)), 0, cap), 0.0)
    high_price = np.where(np.isfinite(high), np.clip(getattr(price, "high", np.zeros(n_groups)), 0, cap), 0.0)
    if isinstance(rule, MaxMin) and rule.price is None and worst_off is None:
        low_price = np.zeros(n_groups)  # no floor was promised
    measure = measured(problem, rule)
    group_price = np.append(high_price - low_price, 0.0)[index]  # index -1 finds the appended zero
    charge = group_price[problem.pairs.rep] * measure
    if isinstance(rule, MaxMin):
        return charge, _max_min_constant(problem, rule, low_price, index, n_groups, measure, worst_off)
    fair = earlier = np.zeros(n_groups)
    if isinstance(rule, Share):
        fair = fair_shares(problem, rule, index, n_groups)
        earlier = earlier if rule.earlier is None else np.asarray(rule.earlier, dtype=float)
        total = _known_total(problem, rule)
        if total is not None:
            total += float(earlier.sum())
            low, high = scaled(low, fair * total) - earlier, scaled(high, fair * total) - earlier
    if isinstance(rule, Limit) or total is not None:
        if rule.price is None:
            low, high = _whole(low, high, measure, index[problem.pairs.rep])
        return charge, _pay(high_price, high) - _pay(low_price, low)
    per_total = _pay(high_price, scaled(high, fair)) - _pay(low_price, scaled(low, fair))
    constant = per_total * earlier.sum() - float((high_price - low_price) @ earlier)
    return charge - per_total * measure, constant


def _stated(problem: AssignmentProblem, rule: Rule, index: NDArray[np.int64], n_groups: int) -> tuple[Floats, Floats]:
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


def _whole(low: Floats, high: Floats, measure: Floats, group: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Tighten bounds on sums to what sums can be, where all amounts of a group are multiples of one step."""
    tight_low, tight_high = low.astype(float).copy(), high.astype(float).copy()
    counted = (measure != 0) & (group >= 0)
    for at in np.unique(group[counted]):
        step = _step(np.unique(measure[counted & (group == at)]))
        if step > 0 and np.isfinite(low[at]):
            tight_low[at] = max(low[at], math.ceil(low[at] / step * (1 - ROOM)) * step)
        if step > 0 and np.isfinite(high[at]):
            tight_high[at] = min(high[at], math.floor(high[at] / step * (1 + ROOM)) * step)
    return tight_low, tight_high


def _step(amounts: Floats) -> float:
    """The largest step that the distinct amounts are multiples of, to six decimals; 0 where there is none."""
    if amounts[0] <= 0 or amounts[-1] > 1e9:
        return 0.0
    if len(amounts) == 1:
        return float(amounts[0])
    millionths = [round(amount * 1e6) for amount in amounts.tolist()]
    if any(abs(whole - amount * 1e6) > ROOM for whole, amount in zip(millionths, amounts.tolist(), strict=True)):
        return 0.0
    return math.gcd(*millionths) / 1e6


def _pay(price: Floats, bound: Floats) -> float:
    """price · bound, where a bound that does not exist has no price."""
    return float(np.where(np.isfinite(bound), price, 0.0) @ np.where(np.isfinite(bound), bound, 0.0))


def _max_min_constant(
    problem: AssignmentProblem,
    rule: MaxMin,
    low_price: Floats,
    index: NDArray[np.int64],
    n_groups: int,
    measure: Floats,
    worst_off: float | None,
) -> float:
    fair = fair_shares(problem, rule, index, n_groups)
    charged = float(low_price @ fair)
    if rule.price is None:
        return 0.0 if worst_off is None else -charged * worst_off
    # soft: the worst-off value t is free between what the groups can possibly get, and earns `price`, less what is
    # charged for it
    most, least = _reachable(problem, index, n_groups, measure)
    counted = fair > 0
    if not counted.any():
        return 0.0
    rest = rule.price - charged
    reach = most if rest > 0 else least
    return rest * float(np.min(reach[counted] / fair[counted]))


def _reachable(
    problem: AssignmentProblem, index: NDArray[np.int64], n_groups: int, measure: Floats
) -> tuple[Floats, Floats]:
    """(G,) the most and the least that each group's sum could be, with every lead placed at its best or worst for
    it."""
    pair_group = index[problem.pairs.rep]
    key = problem.pairs.lead * (n_groups + 1) + pair_group
    extremes = []
    for sign in (1.0, -1.0):
        best = np.zeros(problem.n_leads * (n_groups + 1) + 1)
        np.maximum.at(best, np.where(pair_group >= 0, key, len(best) - 1), sign * measure)
        extremes.append(sign * best[:-1].reshape(problem.n_leads, n_groups + 1).sum(axis=0)[:n_groups])
    return extremes[0], extremes[1]


def _best_of_each(problem: AssignmentProblem, worth: Floats) -> float:
    """Sum over leads (parcels) of the best of the charged pairs and nurture."""
    lead, rep = problem.pairs.lead, problem.pairs.rep
    labels = np.arange(problem.n_leads) if problem.parcel is None else np.unique(problem.parcel, return_inverse=True)[1]
    n_parcels = int(labels.max(initial=-1)) + 1
    size = np.bincount(labels, minlength=n_parcels)
    nurture = np.bincount(labels, weights=problem.nurture, minlength=n_parcels)
    best = np.where(np.bincount(labels, weights=problem.must_assign, minlength=n_parcels) > 0, -np.inf, nurture)
    key, together = np.unique(labels[lead] * problem.n_reps + rep, return_inverse=True)
    members = np.bincount(together, minlength=len(key))
    sums = np.bincount(together, weights=worth, minlength=len(key))
    parcel = key // problem.n_reps
    effort = np.bincount(together, weights=problem.effort, minlength=len(key))
    # a rep must be eligible for every lead of the parcel, and have room for all of it
    whole = (members == size[parcel]) & (effort <= problem.capacity[key % problem.n_reps] * (1 + ROOM))
    np.maximum.at(best, parcel[whole], sums[whole])
    return math.fsum(best) if np.isfinite(best).all() else -math.inf
