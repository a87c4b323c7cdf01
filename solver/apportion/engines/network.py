"""Exact engine for pure networks: counts, nested bounds on counts, minimum loads, as one min-cost flow.

Supports problems in which each bound counts pairs (every measure is 0 or one and the same amount) and the counted sets
are nested or disjoint (laminar). Then the constraint matrix is a network and the flow is integral: exact. Values are
scaled to integers; the resolution is stated, a value that is not zero never becomes zero, and the scale leaves room so
that no sum overflows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow

from apportion.engines import laminar
from apportion.engines.clock import Clock
from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import FamilyPrices, Multipliers, legal, price_out
from apportion.engines.laminar import Group, Tree
from apportion.engines.outcome import Outcome
from apportion.engines.scaling import fine_scale, whole
from apportion.problem import Status

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST_COST_BITS = 60  # of cost × (nodes + 1): OR-Tools scales costs by the number of nodes inside int64
MANY_PAIRS = 1_000_000  # beyond, the flow over all arcs takes longer than over a part of them, and 100 bytes an arc
SAMPLE, SAMPLE_PER_SET = 4_000, 20  # units that give the first prices
SAMPLES = 2  # so many samples at least must there be among the units; else the flow over all is quicker


supports = laminar.supports


def by_arcs(form: Formulation) -> str | None:
    """None where the flow runs over a part of the arcs, else the reason why it runs over all of them."""
    return by_size(form.n_pairs, form.n_units, sum(family.n_groups for family in form.families))


def by_size(n_pairs: int, n_units: int, n_sets: int) -> str | None:
    """See `by_arcs`."""
    if n_pairs <= MANY_PAIRS:
        return f"{n_pairs} pairs are few"
    if n_units < SAMPLES * sample_size(n_sets):
        return f"{n_units} leads are few for {n_sets} bounded sets"
    return None


def sample_size(n_sets: int) -> int:
    """How many units give first prices of so many bounded sets."""
    return max(SAMPLE, SAMPLE_PER_SET * n_sets)


def solve(
    form: Formulation,
    *,
    clock: Clock,
    report: Callable[[float, float], None] = lambda bound, objective: None,
    known: Multipliers | None = None,
) -> Outcome:
    """Solve exactly; the outcome's prices prove it.

    Where that pays (`by_arcs`), the flow runs over the few arcs of each unit that lose least against prices that are
    nearly right (or `known` ones), and arcs that price in are added until none is left: the same optimum and proof.
    Only there can the clock stop it, between two flows, with the best plan so far.
    """
    tree = laminar.tree_of(form)
    if any(group.low > group.high for group in tree.groups):
        return Outcome.infeasible()
    if by_arcs(form) is None:
        from apportion.engines.arcs import solve_by_arcs  # loads compiled code

        return solve_by_arcs(form, tree, clock=clock, report=report, known=known)
    scale = scale_of(form, tree)
    chosen = optimal_flow(form, tree, scale)
    if chosen is None:
        return Outcome.infeasible()
    priced = price_out(form, prices_of(form, tree, chosen))
    return Outcome(Status.OPTIMAL, chosen, priced.bound, priced, "network", resolution=1.0 / scale)


def optimal_flow(form: Formulation, tree: Tree, scale: float) -> Ints | None:
    """(U,) options of the best plan, values being whole multiples of 1 / scale; None where there is no plan."""
    flow = _Flow(form, tree, scale)
    return flow.chosen() if flow.solve() else None


class _Flow:
    """Units send one each, through the sets, to the sink."""

    def __init__(self, form: Formulation, tree: Tree, scale: float) -> None:
        self.form, self.scale = form, scale
        groups, leaf, parent = tree.groups, tree.leaf, tree.parent
        n = form.n_units
        self.sink = n + len(groups)
        self.flow = min_cost_flow.SimpleMinCostFlow()
        self.supply = np.zeros(self.sink + 1, dtype=np.int64)
        self.supply[:n] = 1
        self.supply[self.sink] = -n
        node = np.where(leaf >= 0, n + leaf, self.sink)
        self.pair_arcs = self._arcs(form.unit, node, np.ones(form.n_pairs), form.value)
        may_rest = np.flatnonzero(np.isfinite(form.rest))
        self.rest_arcs = self._arcs(
            may_rest, np.full(len(may_rest), self.sink), np.ones(len(may_rest)), form.rest[may_rest]
        )
        self.may_rest = may_rest
        for index, group in enumerate(groups):
            up = n + parent[index] if parent[index] >= 0 else self.sink
            self._bound(n + index, up, group)

    def _arcs(self, tail: Ints, head: Ints, capacity: Floats, gain: Floats) -> Ints:
        cost = whole(gain, self.scale)
        return np.asarray(
            self.flow.add_arcs_with_capacity_and_unit_cost(
                tail.astype(np.int32), head.astype(np.int32), capacity.astype(np.int64), -cost.astype(np.int64)
            )
        )

    def _bound(self, tail: int, head: int, group: Group) -> None:
        """low <= flow <= high: what must flow is taken off both ends; soft bounds pay to be broken."""
        soft = np.isfinite(group.price)
        lanes = [(group.high - group.low, 0.0)]
        if soft:
            lanes = [(group.low, group.price), (group.high - group.low, 0.0), (self.form.n_units, -group.price)]
        else:
            self.supply[tail] -= group.low
            self.supply[head] += group.low
        for capacity, gain in lanes:
            if capacity > 0:
                self._arcs(*(np.array([part]) for part in (tail, head, capacity, gain)))

    def solve(self) -> bool:
        """Run the flow; False where no flow meets the bounds."""
        nodes = np.arange(self.sink + 1, dtype=np.int32)
        self.flow.set_nodes_supplies(nodes, self.supply)
        status = self.flow.solve()
        if status == self.flow.OPTIMAL:
            return True
        if status == self.flow.INFEASIBLE:
            return False
        raise ArithmeticError(f"the flow ended with status {status.name}; its costs were scaled to be in range")

    def chosen(self) -> Ints:
        """(U,) option of each unit: a pair, or P + unit for rest."""
        chosen = self.form.n_pairs + np.arange(self.form.n_units)
        taken = (
            np.flatnonzero(self.flow.flows(self.pair_arcs) > 0) if len(self.pair_arcs) else np.zeros(0, dtype=np.int64)
        )
        chosen[self.form.unit[taken]] = taken
        return chosen


def scale_of(form: Formulation, tree: Tree) -> float:
    """How many integer units currency is counted in: as fine as the costs allow."""
    prices = [group.price for group in tree.groups if np.isfinite(group.price)]
    n_nodes = form.n_units + len(tree.groups) + 1
    finite = form.rest[np.isfinite(form.rest)]
    largest = max(np.abs(form.value).max(initial=0.0), np.abs(finite).max(initial=0.0), *prices, 0.0)
    return fine_scale(largest, LARGEST_COST_BITS - int(np.ceil(np.log2(n_nodes + 1))) - 1)


def prices_of(form: Formulation, tree: Tree, chosen: Ints) -> tuple[FamilyPrices, ...]:
    """Shortest paths from the sink over the sets in the residual network: what one more unit through each set would
    gain.

    Units are contracted: a unit that sits in set a and could sit in b is an arc from a to b. There is no negative
    cycle, or the plan would not be optimal; the distances are the prices, and they are the values of one more unit.
    """
    sink = len(tree.groups)
    cost = np.full((sink + 1, sink + 1), np.inf)
    option_node = np.concatenate([np.where(tree.leaf >= 0, tree.leaf, sink), np.full(form.n_units, sink)])
    option_value = np.concatenate([form.value, form.rest])
    option_unit = np.concatenate([form.unit, np.arange(form.n_units)])
    usable = np.flatnonzero(np.isfinite(option_value))
    now = chosen[option_unit[usable]]
    np.minimum.at(cost, (option_node[now], option_node[usable]), option_value[now] - option_value[usable])
    counts = _counts(form, tree, chosen)
    for index, group in enumerate(tree.groups):
        up = tree.parent[index] if tree.parent[index] >= 0 else sink
        _residual(cost, index, up, group, int(counts[index]))
    return _read(form, tree, _shortest(cost, sink))


def _counts(form: Formulation, tree: Tree, chosen: Ints) -> Ints:
    """(sets,) units in each set."""
    leaf = tree.leaf[chosen[chosen < form.n_pairs]]
    counts = np.bincount(leaf[leaf >= 0], minlength=len(tree.groups))
    for index in tree.order:  # small to large, so that a set is complete before it is added to the next
        if tree.parent[index] >= 0:
            counts[tree.parent[index]] += counts[index]
    return counts


def _residual(cost: Floats, tail: int, head: int, group: Group, flow: int) -> None:
    """Arcs along and against a set's bounded arc. A unit in the set flows tail -> head."""
    soft = np.isfinite(group.price)
    along = 0.0 if flow < group.high else np.inf
    against = 0.0 if flow > group.low else np.inf
    if soft:
        along = -group.price if flow < group.low else (0.0 if flow < group.high else group.price)
        against = group.price if 0 < flow <= group.low else (0.0 if flow <= group.high else -group.price)
        against = against if flow > 0 else np.inf
    cost[tail, head] = min(cost[tail, head], along)
    cost[head, tail] = min(cost[head, tail], against)


def _shortest(cost: Floats, source: int) -> Floats:
    """Distances from the source (Bellman–Ford, all arcs at once). Nodes that no unit can reach lie far off, yet
    consistently."""
    distance = np.full(len(cost), np.inf)
    distance[source] = 0.0
    distance = _relax(distance, cost)
    if np.isinf(distance).any():
        finite = np.abs(cost[np.isfinite(cost)]).sum() + np.abs(distance[np.isfinite(distance)]).max()
        distance = _relax(np.where(np.isinf(distance), finite, distance), cost)
    return distance


def _relax(distance: Floats, cost: Floats) -> Floats:
    for _ in range(len(cost) + 1):
        nearer = np.minimum(distance, (distance[:, None] + cost).min(axis=0))
        if np.array_equal(nearer, distance):
            break
        distance = nearer
    return distance


def _read(form: Formulation, tree: Tree, distance: Floats) -> tuple[FamilyPrices, ...]:
    """Turn distances into the price of each set's own bound: the step between a set and the next larger one."""
    low = [np.zeros(family.n_groups) for family in form.families]
    high = [np.zeros(family.n_groups) for family in form.families]
    for index, group in enumerate(tree.groups):
        up = tree.parent[index] if tree.parent[index] >= 0 else len(tree.groups)
        step = (distance[index] - distance[up]) / group.amount
        high[group.family][group.group] = max(-step, 0.0)
        binds = form.families[group.family].low[group.group] > 0  # at least none is no bound
        low[group.family][group.group] = max(step, 0.0) if binds else 0.0
    return tuple(legal(family, a, b) for family, a, b in zip(form.families, low, high, strict=True))
