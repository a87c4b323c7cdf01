"""From a problem to the form that the engines work on: parcels become units, rules become families of bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import CAPACITY, Family, Formulation
from apportion.problem import AssignmentProblem, LeadShare, Limit, MaxMin, Rule, Share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDING = 1e-9
GRAIN = 1e-6  # amounts are looked at to so many decimals for a common step
MOST_GRAINS = 1e15


def formulate(problem: AssignmentProblem, *, whole: bool = True) -> Formulation:
    """Bring a problem into the form; leads of one parcel become one unit. whole : False where more pairs are elsewhere,
    so that nothing follows from what these can reach."""
    unit_of_lead = _units(problem)
    n_units = int(unit_of_lead.max(initial=-1)) + 1
    gather = _Gather(problem, unit_of_lead, n_units)
    must = np.bincount(unit_of_lead, weights=problem.must_assign, minlength=n_units) > 0
    nurture = np.bincount(unit_of_lead, weights=problem.nurture, minlength=n_units)
    total_known = bool(must.all())
    families = [_capacity(problem, gather)]
    families += [_family(problem, rule, gather, total_known) for rule in problem.rules]
    return Formulation(
        start=gather.start,
        unit=gather.unit,
        rep=gather.rep,
        value=gather.sum(problem.value),
        rest=np.where(must, -np.inf, nurture),
        n_reps=problem.n_reps,
        unit_of_lead=unit_of_lead,
        families=tuple(f for f in (map(gather.within_reach, families) if whole else families) if _binds(f)),
    )


def _units(problem: AssignmentProblem) -> Ints:
    """(L,) unit of each lead, numbered by the first lead of each parcel so that the order of leads is kept."""
    if problem.parcel is None:
        return np.arange(problem.n_leads)
    _, first, member = np.unique(problem.parcel, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[member]


class _Gather:
    """Adds up what belongs to the leads of a unit. A pair of a unit exists where every one of its leads has it."""

    def __init__(self, problem: AssignmentProblem, unit_of_lead: Ints, n_units: int) -> None:
        self._alone = problem.parcel is None
        if self._alone:
            self.unit, self.rep, self.start = problem.pairs.lead, problem.pairs.rep, problem.pairs.start
            return
        key = unit_of_lead[problem.pairs.lead] * problem.n_reps + problem.pairs.rep
        keys, self._index = np.unique(key, return_inverse=True)
        size = np.bincount(unit_of_lead, minlength=n_units)
        whole = np.bincount(self._index, minlength=len(keys)) == size[keys // problem.n_reps]
        self._whole, self._n = whole, len(keys)
        self.unit, self.rep = np.divmod(keys[whole], problem.n_reps)
        self.start = np.concatenate([[0], np.cumsum(np.bincount(self.unit, minlength=n_units))]).astype(np.int64)

    def sum(self, entries: Floats) -> Floats:
        """(P,) sums of entries of the problem's pairs."""
        if self._alone:
            return np.asarray(entries, dtype=np.float64)
        sums: Floats = np.bincount(self._index, weights=entries, minlength=self._n)[self._whole].astype(np.float64)
        return sums

    def within_reach(self, family: Family) -> Family:
        """The family without the bounds that no plan could break: no capacity is too large to compute with."""
        if family.coupling is not None:
            return family
        reach = _reach(family, self.unit, self.rep, len(self.start) - 1)
        high = np.where(family.high > reach * (1 + ROUNDING) + ROUNDING * family.scale, np.inf, family.high)
        return replace(family, high=high)


def _reach(family: Family, unit: Ints, rep: Ints, n_units: int) -> Floats:
    """(G,) no plan's sum is larger: every unit at the pair where it measures most. A group of one rep has one pair a
    unit."""
    group = family.group[rep]
    inside = (group >= 0) & (family.measure > 0)
    if len(np.unique(family.group[family.group >= 0])) == (family.group >= 0).sum():
        return np.bincount(group[inside], weights=family.measure[inside], minlength=family.n_groups).astype(np.float64)
    cell, place = np.unique(unit[inside] * family.n_groups + group[inside], return_inverse=True)
    most = np.zeros(len(cell))
    np.maximum.at(most, place, family.measure[inside])
    return np.bincount(cell % max(family.n_groups, 1), weights=most, minlength=family.n_groups).astype(np.float64)


def _capacity(problem: AssignmentProblem, gather: _Gather) -> Family:
    nothing, group = np.zeros(problem.n_reps), np.arange(problem.n_reps)
    least = np.where(problem.min_load > 0, problem.min_load, -np.inf)
    low, high = _multiples(least, problem.capacity, problem.effort, group[problem.pairs.rep])
    return Family(
        name=CAPACITY,
        measure=gather.sum(problem.effort),
        group=group,
        low=low,
        high=high,
        low_share=nothing,
        high_share=nothing,
    )


def _family(problem: AssignmentProblem, rule: Rule, gather: _Gather, total_known: bool) -> Family:
    group, names = problem.groups(rule.by)
    n_groups = len(names)
    measured = _measured(problem, rule)
    entries = measured[0][problem.pairs.lead] if measured[1] else measured[0]
    measure = gather.sum(entries)
    price = np.inf if rule.price is None or isinstance(rule, MaxMin) else float(rule.price)
    nothing = np.zeros(n_groups)
    if isinstance(rule, Limit):
        low, high = _spread(rule.low, -np.inf, n_groups), _spread(rule.high, np.inf, n_groups)
        if rule.price is None:
            low, high = _multiples(low, high, entries, group[problem.pairs.rep])
        return Family(str(rule.name), measure, group, low, high, nothing, nothing, None, price)
    fair = _fair_share(problem, rule, group, n_groups)
    if isinstance(rule, MaxMin):
        free = np.full(n_groups, -np.inf)
        low = np.where(fair > 0, 0.0, -np.inf) if rule.price is not None else free
        share = fair if rule.price is not None else fair.copy()
        coupling: Literal["worst"] | None = "worst" if rule.price is not None else None
        return Family(
            str(rule.name), measure, group, low, -free, share, nothing, coupling, np.inf, float(rule.price or 0.0)
        )
    earlier = nothing if rule.earlier is None else np.asarray(rule.earlier, dtype=float)
    known = float(measured[0].sum()) if total_known and measured[1] else None
    family = _share_family(rule, measure, group, fair, earlier, price, known)
    if known is None or rule.price is not None:
        return family
    low, high = _multiples(family.low, family.high, entries, group[problem.pairs.rep])
    return replace(family, low=low, high=high)


def _share_family(
    rule: Share, measure: Floats, group: Ints, fair: Floats, earlier: Floats, price: float, known_total: float | None
) -> Family:
    """Bounds that follow the total; where every lead must be placed, the total of a lead's own measure is known
    beforehand."""
    low_multiple, high_multiple = _spread(rule.low, -np.inf, len(fair)), _spread(rule.high, np.inf, len(fair))
    low_share = np.where(np.isfinite(low_multiple), np.where(np.isfinite(low_multiple), low_multiple, 0) * fair, 0.0)
    high_share = np.where(
        np.isfinite(high_multiple), np.where(np.isfinite(high_multiple), high_multiple, 0) * fair, 0.0
    )
    total = earlier.sum() + (known_total or 0.0)
    low = np.where(np.isfinite(low_multiple), low_share * total - earlier, -np.inf)
    high = np.where(np.isfinite(high_multiple), high_share * total - earlier, np.inf)
    if measure.min(initial=0.0) >= 0:  # a floor that holds of itself must not get a price
        low = np.where((low_share == 0) & (low <= 0), -np.inf, low)
    if known_total is not None:
        return Family(str(rule.name), measure, group, low, high, 0 * low_share, 0 * high_share, None, price)
    return Family(str(rule.name), measure, group, low, high, low_share, high_share, "total", price)


def _multiples(low: Floats, high: Floats, entries: Floats, group: Ints) -> tuple[Floats, Floats]:
    """Hard bounds drawn in to what sums can be, for groups whose amounts are all multiples of one step.

    A rep with room for 7.35 efforts of 0.5 and 1 has room for 7, and a price times the 0.35 proves nothing.
    """
    counted = (entries != 0) & (group >= 0)
    step = _steps(entries[counted], group[counted], len(low))
    unit = np.where(step > 0, step, 1.0)
    with np.errstate(invalid="ignore"):  # infinite bounds stay as they are
        higher = np.maximum(low, np.ceil(low / unit * (1 - ROUNDING)) * unit)
        lower = np.minimum(high, np.floor(high / unit * (1 + ROUNDING)) * unit)
    return np.where(step > 0, higher, low), np.where(step > 0, lower, high)


def _steps(amounts: Floats, group: Ints, n_groups: int) -> Floats:
    """(G,) the largest step that every amount of a group is a multiple of, to six decimals; 0 where there is none."""
    if len(amounts) and amounts.min() == amounts.max():  # one of each group says all
        group, one = np.unique(group, return_index=True)
        amounts = amounts[one]
    order = np.argsort(group, kind="stable")
    amounts, group = amounts[order], group[order]
    groups, first = np.unique(group, return_index=True)
    step = np.zeros(n_groups)
    if not len(groups):
        return step
    least, most = np.minimum.reduceat(amounts, first), np.maximum.reduceat(amounts, first)
    safe = np.abs(amounts) < MOST_GRAINS * GRAIN
    grains = np.where(safe, np.rint(amounts / GRAIN), 0.0).astype(np.int64)
    exact = safe & (np.abs(grains * GRAIN - amounts) <= ROUNDING * GRAIN)
    common = np.gcd.reduceat(grains, first) * GRAIN
    common = np.where(np.logical_and.reduceat(exact, first), common, 0.0)
    step[groups] = np.where(least <= 0, 0.0, np.where(least == most, least, common))
    return step


def _measured(problem: AssignmentProblem, rule: Rule) -> tuple[Floats, bool]:
    """What a rule counts: (L,) and True where it depends on the lead alone, else (P,) and False."""
    kind = "revenue" if isinstance(rule, MaxMin) else rule.measure
    mask = np.ones(problem.n_leads)
    if not isinstance(rule, MaxMin) and rule.leads is not None:
        mask = np.asarray(rule.leads, dtype=float)
    if isinstance(rule, LeadShare) and rule.tier is not None and problem.tier is not None:
        mask = mask * (problem.tier == rule.tier)
    if kind in ("leads", "opportunity"):
        return mask * (problem.opportunity if kind == "opportunity" else 1.0), True
    entries = problem.effort if kind == "effort" else problem.revenue
    return entries * mask[problem.pairs.lead], False


def _fair_share(problem: AssignmentProblem, rule: Share | MaxMin, group: Ints, n_groups: int) -> Floats:
    weights = problem.capacity if rule.weights is None else np.asarray(rule.weights, dtype=float)
    inside = group >= 0
    sums: Floats = np.bincount(group[inside], weights=weights[inside], minlength=n_groups).astype(np.float64)
    return sums / max(float(weights.sum()), float(np.finfo(float).tiny))


def _spread(bound: object, missing: float, n_groups: int) -> Floats:
    given = missing if bound is None else np.asarray(bound, dtype=float)
    return np.array(np.broadcast_to(given, (n_groups,)), dtype=float)


def _binds(family: Family) -> bool:
    """Whether the family can ever bound anything: a hard MaxMin waits here for its floor."""
    return bool(np.isfinite(family.low).any() or np.isfinite(family.high).any() or family.low_share.any())
