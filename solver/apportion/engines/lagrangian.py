"""Prices, and the upper bound that they prove.

With a price on every bound, the units no longer meet: each takes the best of its charged pairs and its rest. The sum,
plus what the bounds cost, is at least the objective of every plan, whatever the prices are (weak duality).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import CAPACITY, Family, Formulation

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FamilyPrices:
    """(G,) price of each lower and each upper bound, >= 0, currency per unit of the measure."""

    low: Floats
    high: Floats


Multipliers = tuple[FamilyPrices, ...]


def no_prices(form: Formulation) -> Multipliers:
    """Price every bound at nothing."""
    return tuple(FamilyPrices(np.zeros(f.n_groups), np.zeros(f.n_groups)) for f in form.families)


def legal(family: Family, low: Floats, high: Floats) -> FamilyPrices:
    """Mend prices so that they prove a bound: none below zero, none on a missing bound, none above a soft rule's
    price."""
    low = np.clip(np.where(np.isfinite(family.low), low, 0.0), 0.0, family.price)
    high = np.clip(np.where(np.isfinite(family.high), high, 0.0), 0.0, family.price)
    if family.coupling == "worst":  # the worst-off value must cost what it earns
        charged = float(low @ family.low_share)
        counted = family.low_share > 0
        if charged > 0:
            low = low * (family.reward / charged)
        elif counted.any():
            low = np.where(counted, family.reward / family.low_share.sum(), 0.0)
    return FamilyPrices(low, high)


def per_total(family: Family, prices: FamilyPrices) -> float:
    """What a unit of the total earns by widening the bounds (upper) or costs by raising them (lower)."""
    if family.coupling != "total":
        return 0.0
    return float(prices.high @ family.high_share - prices.low @ family.low_share)


def charged_value(form: Formulation, multipliers: Multipliers) -> Floats:
    """(P,) value of each pair less what it is charged."""
    worth = form.value.copy()
    for family, prices in zip(form.families, multipliers, strict=True):
        by_group = np.append(prices.high - prices.low - per_total(family, prices), -per_total(family, prices))
        worth -= by_group[family.group][form.rep] * family.measure
    return worth


def constant(form: Formulation, multipliers: Multipliers) -> float:
    """What the bounds themselves are worth at these prices."""
    total = 0.0
    for family, prices in zip(form.families, multipliers, strict=True):
        total += float(prices.high @ np.where(np.isfinite(family.high), family.high, 0.0))
        total -= float(prices.low @ np.where(np.isfinite(family.low), family.low, 0.0))
    return total


@dataclass(frozen=True, eq=False)
class PricedOut:
    """The Lagrangian at some prices of the named families: bound, (P,) charged value, (U,) best of each unit."""

    names: tuple[str, ...]
    multipliers: Multipliers
    bound: float
    worth: Floats
    best: Floats

    def loss(self, form: Formulation) -> Floats:
        """(P,) by how much the bound falls if the pair is taken: a pair that loses more than the gap is in no better
        plan."""
        return self.best[form.unit] - self.worth


def price_first_slots(form: Formulation, multipliers: Multipliers) -> Multipliers:
    """Price the capacity of reps who have none at what a first slot would bring.

    Such a price costs the bound nothing, so a linear program leaves it at any height; people read it as the worth of a
    slot.
    """
    index = next((at for at, family in enumerate(form.families) if family.name == CAPACITY), None)
    if index is None:
        return multipliers
    family, prices = form.families[index], multipliers[index]
    closed = family.high == 0
    at_closed = closed[form.rep] & (family.measure > 0)
    unpriced = FamilyPrices(prices.low, np.where(closed, 0.0, prices.high))
    worth = charged_value(form, (*multipliers[:index], unpriced, *multipliers[index + 1 :]))
    others = form.best_of_unit(np.where(at_closed, -np.inf, worth))
    gain = (worth - np.where(np.isfinite(others), others, worth.max(initial=0.0))[form.unit])[at_closed]
    slot = np.zeros(family.n_groups)
    np.maximum.at(slot, form.rep[at_closed], gain / family.measure[at_closed])
    settled = FamilyPrices(prices.low, np.where(closed, slot, prices.high))
    return (*multipliers[:index], settled, *multipliers[index + 1 :])


def price_out(form: Formulation, multipliers: Multipliers) -> PricedOut:
    """One pass over the pairs."""
    worth = charged_value(form, multipliers)
    best = form.best_of_unit(worth)
    finite = bool(np.isfinite(best).all())
    bound = math.fsum(best) + constant(form, multipliers) if finite else -math.inf
    return PricedOut(tuple(family.name for family in form.families), multipliers, bound, worth, best)
