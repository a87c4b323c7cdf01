"""Exact engine for pure counts of any size: prices, then paths over the reps, then the proof over all pairs.

1. Prices from a sample of the leads, by Newton's method on what each lead would choose.
2. One pass over the pairs keeps the few options of each lead that matter; the prices are refined on them.
3. What is still too much or too little moves along shortest paths over the reps.
4. Pairs that price in are added, until none is left: the optimum.
5. One pass finds what one more slot is worth, and that no cycle of moves gains anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.engines.clock import Clock
from apportion.engines.transport.balance import balanced
from apportion.engines.transport.exact import Assignment, Ended, dual_value
from apportion.engines.transport.market import Market, read_market
from apportion.engines.transport.passes import Small, highest_pairs, near_options, survey_held, survey_pairs
from apportion.engines.transport.prices import slot_prices
from apportion.engines.transport.repair import repaired
from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, Status, relative_gap

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAMPLED = 30  # leads a rep that give the first prices
LARGER = 8  # times as many leads, from which on a larger sample gives the next
OPTIONS = 12  # that a lead keeps; all of them where there are hardly more
NEAR = 6  # options that half of the leads have
ATTEMPTS, TOO_MANY = 4, 0.01  # at prices; leads of all for which new pairs price in, when they were not good
ALL_OPTIONS = 12_000_000  # that fit in some 300 MB
ROUNDS = 12  # of looking for near options, while prices move too far
LOOKED_AT = 2_000  # leads that tell what is near
EARLY = 100_000_000  # pairs from which the way from a good plan to the best takes a second or more
SURE = 1e-6  # of the gap: rounding of its proof
SAMPLE_STEPS, STEPS, PATIENCE = 60, 30, 4


def solve(
    problem: AssignmentProblem,
    leads: Ints,
    reps: Ints,
    *,
    clock: Clock,
    seed: int,
    report: Callable[[float, float], None],
    gap: float = 0.0,
) -> Plan:
    """Solve a problem of pure counts to the optimum; leads and reps are seen in the order given.

    gap : with EARLY pairs or more, where the rest of the way takes long, the first plan that is proved to be within it;
    with fewer the way to the optimum is short, and is gone.

    Its bound is the one that its prices prove but for rounding; `verify` derives it anew. When the clock runs out, the
    plan that the prices so far lead to, with an infinite bound: what they prove is left to `verify`.
    """
    market = read_market(problem, leads, reps)
    if (market.least > market.most).any():
        return _without_plan(problem, Status.INFEASIBLE)
    assignment, ended = _assigned(market, clock, seed, gap, report)
    if isinstance(ended, _Near):
        return _plan(problem, market, ended.holder, ended.price / market.table.scale, leads, reps)
    if ended != "optimal":
        options = assignment.rep.reshape(-1, assignment.width), assignment.value.reshape(-1, assignment.width)
        holder = repaired(market, *options, assignment.price)
        if holder is None:
            return _without_plan(problem, Status.TIME_LIMIT)
        return _plan(problem, market, holder, assignment.price[:-1] / market.table.scale, leads, reps)
    holder = assignment.holder
    held = np.bincount(holder, minlength=market.n_reps + 1)[: market.n_reps]
    if (np.isneginf(market.nurture) & (holder == market.n_reps)).any() or (held < market.least).any():
        return _without_plan(problem, Status.INFEASIBLE)
    plan = _plan(problem, market, holder, None, leads, reps)
    report(plan.bound, plan.objective)
    return plan


@dataclass(frozen=True, eq=False)
class _Near:
    """A plan that is proved to be near enough. holder : (L,) rep of each lead. price : (R,) whole values."""

    holder: Ints
    price: Floats


def _assigned(
    market: Market, clock: Clock, seed: int, gap: float, report: Callable[[float, float], None]
) -> tuple[Assignment, Ended | _Near]:
    """The best assignment, one near enough, or how far it came when the clock ran out."""
    price = _first_prices(market, seed, clock)
    for attempt in range(ATTEMPTS):
        rep, value, price = _refined(market, price, clock)
        near = _near_enough(market, rep, value, price, gap, report)
        assignment = Assignment(market, rep, value, price)
        if near is not None:
            return assignment, near
        last = attempt == ATTEMPTS - 1
        most_added = np.inf if last else max(market.n_reps, TOO_MANY * market.n_leads)
        ended = assignment.optimise(clock, most_added, report)
        if ended != "far":
            break
        price = assignment.price[:-1]
        if market.n_leads * market.widest <= ALL_OPTIONS:  # no prices tell these leads apart: let every pair count
            assignment = Assignment(market, *near_options(market, price, 1 + market.widest), price)
            ended = assignment.optimise(clock, report=report)
            break
    return assignment, ended


def _near_enough(
    market: Market, rep: Small, value: Floats, price: Floats, gap: float, report: Callable[[float, float], None]
) -> _Near | None:
    """The plan that the prices lead to, where going on takes long and one pass over the pairs proves the gap."""
    if gap <= 0 or market.n_leads * market.widest < EARLY:
        return None
    holder = repaired(market, rep, value, np.append(price, 0.0))
    if holder is None:
        return None
    held = np.where(rep == holder[:, None], value, -np.inf).max(axis=1)
    if not np.isfinite(held).all():
        return None
    bound = dual_value(market, highest_pairs(market, price), price) / market.table.scale
    objective = float(held.sum()) / market.table.scale
    report(bound, objective)
    return _Near(holder, price) if relative_gap(objective, bound) <= gap * (1 - SURE) else None


def _first_prices(market: Market, seed: int, clock: Clock) -> Floats:
    """(R,) prices in balance for a sample of the leads with its part of the room, then for a larger one."""
    first = _sample(market, SAMPLED * market.n_reps, seed)
    price, _ = balanced(
        lambda tried: survey_pairs(first, tried),
        np.zeros(market.n_reps),
        least=first.least,
        most=first.most,
        lowest=-market.big,
        steps=SAMPLE_STEPS,
        enough=market.n_reps,
        patience=SAMPLE_STEPS,
        stop=clock.is_over,
    )
    if market.n_leads >= LARGER * first.n_leads:
        larger = int(math.sqrt(first.n_leads * market.n_leads))
        price = _refined(_sample(market, larger, seed + 1), price, clock)[2]
    return price


def _sample(market: Market, size: int, seed: int) -> Market:
    """Some of the leads, with their part of the room; all of them where they are hardly more."""
    if size * 2 >= market.n_leads:
        return market
    leads = np.sort(np.random.default_rng(seed).choice(market.n_leads, size, replace=False))
    return market.part(leads)


def _refined(market: Market, price: Floats, clock: Clock) -> tuple[Small, Floats, Floats]:
    """Each lead's nearest options (reps and whole values), and prices in balance over them.

    A pair that is left out loses more than `distance` at the prices at which it was, so that the options tell the truth
    while no price moves by more than half of that."""
    for _ in range(ROUNDS):
        if market.n_reps <= OPTIONS + OPTIONS // 2:
            distance = np.inf
            rep, value = near_options(market, price, 1 + market.n_reps)
        else:
            distance = _nearby(market, price)
            rep, value = near_options(market, price, 1 + OPTIONS, distance)
        price, settled = _balanced_over(market, rep, value, price, 0.5 * distance, clock)
        if settled or np.isinf(distance) or clock.is_over():
            break
    return rep, value, price


def _balanced_over(
    market: Market, rep: Small, value: Floats, price: Floats, reach: float, clock: Clock
) -> tuple[Floats, bool]:
    """(R,) prices in balance over the options, and whether they are."""
    flat_rep, flat_value, width = rep.reshape(-1), value.reshape(-1), rep.shape[1]
    return balanced(
        lambda tried: survey_held(flat_rep, flat_value, width, np.append(tried, 0.0)),
        price,
        least=market.least,
        most=market.most,
        lowest=-market.big,
        steps=STEPS,
        enough=0.7 * market.n_reps,
        reach=reach,
        patience=PATIENCE,
        stop=clock.is_over,
    )


def _nearby(market: Market, price: Floats) -> float:
    """What half of the leads lose at least with the pair that comes NEAR-th: about so many pairs of each matter."""
    some = np.linspace(0, market.n_leads - 1, min(market.n_leads, LOOKED_AT)).astype(np.int64)
    rep, value = near_options(market.part(some), price, 1 + NEAR)
    worth = np.where(rep[:, 1:] >= 0, value[:, 1:] - price[rep[:, 1:]], -np.inf)
    loss = np.maximum(worth[:, 0], market.rest[some]) - worth[:, -1]
    return float(np.median(loss)) if np.isfinite(np.median(loss)) else float(price.max(initial=0.0))


def _without_plan(problem: AssignmentProblem, status: Status) -> Plan:
    prices = Prices.none(problem.n_reps)
    rep = np.full(problem.n_leads, -1, dtype=np.int64)
    rep.setflags(write=False)
    nothing = Certificate(math.nan, math.nan, math.nan, "none", "", "", math.nan)
    return Plan(rep, status, math.nan, math.nan, prices, nothing)


def _plan(
    problem: AssignmentProblem, market: Market, holder: Ints, slots: Floats | None, leads: Ints, reps: Ints
) -> Plan:
    """Back to the problem's own order, and to currency.

    slots : (R,) what a slot is worth. None: the assignment is the best, so that they can be read from it, and its bound
    is its objective; else the bound is what they prove, and that is left to the verifier.
    """
    best = slots is None
    rep = np.empty(problem.n_leads, dtype=np.int64)
    rep[leads] = np.append(reps, -1)[holder]
    rep.setflags(write=False)
    placed, worth = np.flatnonzero(rep >= 0), problem.nurture.copy()
    worth[placed] = problem.entries("value").at(problem.pairs.position(placed, rep[placed]), placed)
    objective = math.fsum(worth.tolist())
    price = np.empty(problem.n_reps)
    price[reps] = (slot_prices(market, holder, worth[leads]) if slots is None else slots) / market.effort
    bound = objective if best else math.inf
    low = np.where(problem.min_load > 0, np.maximum(-price, 0.0), 0.0)
    certificate = Certificate(
        objective=objective,
        bound=bound,
        gap=relative_gap(objective, bound),
        proof="network" if best else "prices",
        engine="",
        why_engine="",
        price_bound=bound,
        resolution=1.0 / market.table.scale,
    )
    status = Status.OPTIMAL if best else Status.FEASIBLE
    return Plan(rep, status, objective, bound, Prices(np.maximum(price, 0.0), low), certificate)
