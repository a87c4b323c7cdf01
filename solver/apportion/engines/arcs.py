"""A large network by a part of its arcs: prices first, then the flow on what matters, then the rest is priced out.

1. Prices from the flow of a sample of the units, with its part of every bound.
2. The pairs that lose least at these prices are arcs; the flow over them gives a plan, and exact prices of its own.
3. One pass over all pairs at the flow's prices: pairs that gain become arcs, and the flow runs again.
4. Where none gains, the plan is the best over all pairs, and the prices prove it.

Column generation (Ahuja, Magnanti and Orlin, "Network Flows", 1993, chapter 17).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from apportion.engines.ascent import ascend
from apportion.engines.clock import Clock
from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import Multipliers, PricedOut, no_prices, price_out
from apportion.engines.laminar import Tree
from apportion.engines.ledger import Ledger
from apportion.engines.network import optimal_flow, prices_of, sample_size, scale_of
from apportion.engines.outcome import Outcome
from apportion.engines.restrict import restrict
from apportion.problem import Status

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Marks = NDArray[np.bool_]

FIRST_GAP = 1e-2  # of the smoothed dual; the flow finds better prices
ARCS, ARCS_PER_ROOM = 4, 2.0  # of a unit, on average, to begin with; and of a set, for each unit that it may hold
WIDER = 3  # times as many where no plan keeps to them
NEW_ARCS = 3  # of a unit, on average, that may come in at once
LOOKED_AT = 1_000_000  # pairs that tell what is near


def solve_by_arcs(
    form: Formulation,
    tree: Tree,
    *,
    clock: Clock,
    report: Callable[[float, float], None],
    known: Multipliers | None = None,
) -> Outcome:
    """Solve to the optimum; when the clock runs out, the best plan so far and what its prices prove.

    known : prices of a similar problem, instead of a sample's.
    """
    scale, bound, wide = scale_of(form, tree), math.inf, ARCS
    priced = price_out(form, _first_prices(form, tree, clock) if known is None else known)
    arcs = _near(form, tree, priced, wide)
    while True:
        kept = restrict(form, arcs)
        within = replace(tree, leaf=tree.leaf[kept.pairs])
        chosen = optimal_flow(kept.form, within, scale)
        if chosen is None and arcs.all():
            return Outcome.infeasible()
        if chosen is None and clock.is_over():
            return Outcome.out_of_time(priced.bound, priced)
        if chosen is None:
            wide *= WIDER
            arcs |= _near(form, tree, priced, wide)
            continue
        prices = prices_of(kept.form, within, chosen)
        priced, best = price_out(form, prices), price_out(kept.form, prices).best
        found, bound = kept.unrestricted(chosen), min(bound, priced.bound)
        report(bound, Ledger(form, found).objective())
        gaining = _gaining(form, arcs, priced, best, 1.0 / scale)
        if not gaining.any():
            return Outcome(Status.OPTIMAL, found, bound, priced, "network", resolution=1.0 / scale)
        if clock.is_over():
            return Outcome(Status.FEASIBLE, found, priced.bound, priced, "search", resolution=1.0 / scale)
        arcs |= gaining


def _first_prices(form: Formulation, tree: Tree, clock: Clock) -> Multipliers:
    """Prices by the flow of a sample of the units, spread by a scatter of their numbers; by the smoothed dual where the
    sample, with its part of the bounds, has no plan."""
    scatter = (np.arange(form.n_units) * 2_654_435_761) % 4_294_967_296
    size = sample_size(len(tree.groups))
    part, within = _part(form, tree, np.sort(np.argsort(scatter, kind="stable")[:size]))
    chosen = optimal_flow(part, within, scale_of(part, within))
    if chosen is not None:
        return prices_of(part, within, chosen)
    if any(family.price == 0 for family in form.families):  # there is no price between nothing and nothing
        return no_prices(form)
    return ascend(part, gap=FIRST_GAP, stop=clock.is_over).multipliers


def _part(form: Formulation, tree: Tree, units: Ints) -> tuple[Formulation, Tree]:
    """Some of the units, with their part of every bound, widened to whole units."""
    count = np.diff(form.start)[units]
    before = np.cumsum(count) - count
    pairs = np.repeat(form.start[:-1][units] - before, count) + np.arange(count.sum())
    share = len(units) / form.n_units
    part = Formulation(
        start=np.append(before, count.sum()),
        unit=np.repeat(np.arange(len(units)), count),
        rep=form.rep[pairs],
        value=form.value[pairs],
        rest=form.rest[units],
        n_reps=form.n_reps,
        unit_of_lead=np.arange(len(units)),
        families=tuple(
            replace(family, measure=family.measure[pairs], low=family.low * share, high=family.high * share)
            for family in form.families
        ),
    )
    groups = [
        replace(group, low=math.floor(group.low * share), high=math.ceil(group.high * share)) for group in tree.groups
    ]
    return part, replace(tree, groups=groups, leaf=tree.leaf[pairs])


def _near(form: Formulation, tree: Tree, priced: PricedOut, per_unit: int) -> Marks:
    """(P,) the pairs that lose least: about so many a unit, and of each set more than it may hold."""
    share = per_unit * form.n_units / max(form.n_pairs, 1)
    if share >= 1:
        return np.ones(form.n_pairs, dtype=bool)
    loss = priced.loss(form)
    some = loss[:: max(1, form.n_pairs // LOOKED_AT)]
    last = int(share * len(some))
    near = np.asarray(loss <= max(float(np.partition(some, last)[last]), 0.0))
    _fill_sets(tree, loss, near, ARCS_PER_ROOM * per_unit / ARCS)
    return near


def _fill_sets(tree: Tree, loss: Floats, near: Marks, per_room: float) -> None:
    """Mark further pairs of the sets of which there are few: their prices would not be seen."""
    n_sets = len(tree.groups)
    size = np.bincount(tree.leaf + 1, minlength=n_sets + 1)[1:]
    marked = np.bincount(tree.leaf[near] + 1, minlength=n_sets + 1)[1:]
    wanted = np.minimum(np.array([math.ceil(per_room * group.high) for group in tree.groups]), size)
    short = np.flatnonzero(marked < wanted)
    pairs = np.flatnonzero(np.append(marked < wanted, False)[tree.leaf])
    pairs = pairs[np.argsort(tree.leaf[pairs], kind="stable")]
    begins = np.searchsorted(tree.leaf[pairs], short)
    for index, begin in zip(short.tolist(), begins.tolist(), strict=True):
        own, enough = pairs[begin : begin + size[index]], int(wanted[index])
        near[own[np.argpartition(loss[own], enough - 1)[:enough]]] = True


def _gaining(form: Formulation, arcs: Marks, priced: PricedOut, best: Floats, resolution: float) -> Marks:
    """(P,) the pairs, beside the arcs, that are worth more than the best arc of their unit; those that gain most where
    they are many."""
    gain = priced.worth - best[form.unit]
    gain[arcs] = -np.inf
    gaining = np.asarray(gain > resolution)
    most = NEW_ARCS * form.n_units
    if int(gaining.sum()) > most:
        gaining &= gain >= np.partition(gain, form.n_pairs - most)[form.n_pairs - most]
    return gaining
