"""Prices that prove a problem impossible: a Farkas certificate, read from the duals of the least violation.

With every value zero, a plan is worth nothing; prices whose Lagrangian bound lies below zero prove that there is
no plan. They name the bounds in conflict: those that have a price, and the units that would rather not be placed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from apportion.engines.ascent import ascend
from apportion.engines.clock import Clock
from apportion.engines.core import ALL_PAIRS, FIRST_PAIRS_PER_UNIT
from apportion.engines.formulate import formulate
from apportion.engines.formulation import CAPACITY, Family, Formulation
from apportion.engines.lagrangian import FamilyPrices, PricedOut, legal, price_out
from apportion.engines.relaxation import relax
from apportion.engines.restrict import possible_pairs, restrict
from apportion.problem import AssignmentProblem, MaxMin, Prices, Rule, RulePrice

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Proof:
    """What prices prove. bound : below zero: there is no plan; -inf: some unit that must be placed has no pair
    that could hold.

    unit_of_lead : (L,). best : (U,) what each unit adds to the bound.
    """

    bound: float
    best: Floats
    unit_of_lead: Ints


def infeasibility_prices(problem: AssignmentProblem, *, seconds: float) -> Prices | None:
    """Give prices that prove that no plan keeps the hard rules; None where the linear relaxation proves nothing,
    or time is up.

    Values and soft rules are set aside. The proof: charge every pair its prices, leave out the pairs that alone
    break a bound, let each unit take its best; the sum and the bounds' own cost come out below zero.
    """
    clock = Clock(seconds)
    form = _posed(problem)
    if ((np.diff(form.start) == 0) & ~np.isfinite(form.rest)).any():
        return Prices.none(problem.n_reps)  # a unit that must be placed has no pair left: that is proof enough
    answer = relax(form, _first_pairs(form, clock), gap=0.0, left=clock.left)
    return None if answer.feasible else _named(problem, answer.priced)


def proof_by(problem: AssignmentProblem, prices: Prices) -> Proof:
    """Re-derive what prices prove of a problem whose values are set aside. Prices on bounds that it lacks count
    for nothing."""
    form = _posed(problem)
    priced = price_out(form, tuple(_prices_of(family, prices) for family in form.families))
    return Proof(priced.bound, priced.best, form.unit_of_lead)


def _posed(problem: AssignmentProblem) -> Formulation:
    kept = replace(problem, equity=_bounds(problem.equity), limits=_bounds(problem.limits))
    form = formulate(kept)
    flat = replace(form, value=np.zeros(form.n_pairs), rest=np.where(np.isfinite(form.rest), 0.0, form.rest))
    return restrict(flat, possible_pairs(flat)).form


def _bounds(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if not isinstance(rule, MaxMin) and rule.price is None)


def _prices_of(family: Family, prices: Prices) -> FamilyPrices:
    if family.name == CAPACITY:
        return legal(family, prices.min_load, prices.capacity)
    found = prices.rules.get(family.name)
    nothing = np.zeros(family.n_groups)
    return legal(family, nothing, nothing) if found is None else legal(family, found.low, found.high)


def _first_pairs(form: Formulation, clock: Clock) -> Ints:
    if form.n_pairs <= ALL_PAIRS:
        return np.arange(form.n_pairs)
    order = np.lexsort((ascend(form, stop=clock.is_over).loss(form), form.unit))
    rank = np.arange(form.n_pairs) - form.start[form.unit[order]]
    return np.sort(order[rank < FIRST_PAIRS_PER_UNIT])


def _named(problem: AssignmentProblem, priced: PricedOut) -> Prices:
    capacity, minimum, rules = np.zeros(problem.n_reps), np.zeros(problem.n_reps), {}
    for name, prices in zip(priced.names, priced.multipliers, strict=True):
        if name == CAPACITY:
            minimum, capacity = prices.low, prices.high
        else:
            rules[name] = RulePrice(prices.low, prices.high)
    return Prices(capacity, minimum, rules)
