"""Exact engine for pure networks: counts, nested bounds on counts, minimum loads, as one min-cost flow.

Supports problems in which each bound counts pairs (every measure is 0 or one and the same amount) and the counted sets
are nested or disjoint (laminar). Then the constraint matrix is a network and the flow is integral: exact. Values are
scaled to integers; the resolution is stated, a value that is not zero never becomes zero, and the scale leaves room so
that no sum overflows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow

from apportion.engines.formulation import Family, Formulation
from apportion.engines.lagrangian import FamilyPrices, legal, price_out
from apportion.engines.outcome import Outcome
from apportion.engines.scaling import fine_scale, whole
from apportion.problem import Status

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST_COST_BITS = 60  # of cost × (nodes + 1): OR-Tools scales costs by the number of nodes inside int64
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class _Group:
    """One bounded set of pairs: family and group it comes from, integer bounds, price of violation (inf: hard)."""

    family: int
    group: int
    low: int
    high: int
    price: float


@dataclass(frozen=True, eq=False)
class _Tree:
    """The bounded sets. leaf : (P,) smallest set that holds each pair; parent : (sets,) the next larger one; -1 for
    none; order : small to large."""

    groups: list[_Group]
    leaf: Ints
    parent: Ints
    order: Ints


def supports(form: Formulation) -> str | None:
    """None where this engine is exact, else the reason why it is not."""
    if not np.array_equal(np.bincount(form.unit_of_lead, minlength=form.n_units), np.ones(form.n_units)):
        return "leads that stay together are no network"
    for family in form.families:
        if family.coupling is not None:
            return f"'{family.name}' follows a total"
        amount = _amount(family)
        if amount is None:
            return f"'{family.name}' adds up differing amounts"
        if not family.hard and not _whole_bounds(family, amount):
            return f"'{family.name}' has a price for parts of a count"
    return None if _nested(form) else "the bounds are not nested"


def _amount(family: Family) -> float | None:
    """The one amount that the family counts by, None where it has several."""
    used = family.measure[family.measure != 0]
    if not len(used):
        return 1.0
    return float(used[0]) if used[0] > 0 and bool((used == used[0]).all()) else None


def _whole_bounds(family: Family, amount: float) -> bool:
    """Whether all bounds are multiples of the amount."""
    bounds = np.concatenate([family.low[np.isfinite(family.low)], family.high[np.isfinite(family.high)]]) / amount
    return bool((bounds == np.rint(bounds)).all())


def _memberships(form: Formulation) -> Ints:
    """(P, F) group of each pair in each family, -1 where it is not counted."""
    columns = [np.where(family.measure != 0, family.group[form.rep], -1) for family in form.families]
    return np.stack(columns, axis=1) if columns else np.zeros((form.n_pairs, 0), dtype=np.int64)


def _nested(form: Formulation) -> bool:
    """Whether any two bounded sets of pairs are disjoint or one holds the other."""
    member = _memberships(form)
    for a in range(member.shape[1]):
        size_a = np.bincount(member[:, a][member[:, a] >= 0], minlength=form.families[a].n_groups)
        for b in range(a + 1, member.shape[1]):
            both = (member[:, a] >= 0) & (member[:, b] >= 0)
            size_b = np.bincount(member[:, b][member[:, b] >= 0], minlength=form.families[b].n_groups)
            key, shared = np.unique(member[both, a] * form.families[b].n_groups + member[both, b], return_counts=True)
            in_a, in_b = np.divmod(key, max(form.families[b].n_groups, 1))
            if ((shared != size_a[in_a]) & (shared != size_b[in_b])).any():
                return False
    return True


def solve(form: Formulation) -> Outcome:
    """Solve exactly; the outcome's prices prove it."""
    tree = _tree(form)
    if any(group.low > group.high for group in tree.groups):
        return Outcome.infeasible()
    flow = _Flow(form, tree)
    if not flow.solve():
        return Outcome.infeasible()
    chosen = flow.chosen()
    priced = price_out(form, _prices(form, tree, chosen))
    return Outcome(Status.OPTIMAL, chosen, priced.bound, priced, "network", resolution=flow.resolution)


def _tree(form: Formulation) -> _Tree:
    member = _memberships(form)
    groups: list[_Group] = []
    index = np.full(member.shape, -1, dtype=np.int64)
    for at, family in enumerate(form.families):
        amount = _amount(family) or 1.0
        price = family.price * amount
        first = len(groups)
        for group in range(family.n_groups):
            low, high = _whole(family.low[group], family.high[group], amount, form.n_units)
            if not family.hard:  # what no plan can reach costs every plan the same
                low, high = min(low, form.n_units), max(high, 0)
            groups.append(_Group(at, group, low, high, price))
        index[:, at] = np.where(member[:, at] >= 0, first + member[:, at], -1)
    size = np.bincount(index[index >= 0], minlength=len(groups))
    # of sets with the same pairs the later one counts as the larger, so that the order is strict
    order = np.argsort(size, kind="stable")
    rank = np.argsort(order, kind="stable")
    ranked = np.where(index >= 0, rank[index], len(groups))
    ranked.sort(axis=1)
    chain = np.append(order, -1)[ranked]
    parent = np.full(len(groups), -1, dtype=np.int64)
    for level in range(chain.shape[1] - 1):
        known = chain[:, level] >= 0
        parent[chain[known, level]] = chain[known, level + 1]
    leaf = chain[:, 0] if chain.shape[1] else np.full(form.n_pairs, -1, dtype=np.int64)
    return _Tree(groups, leaf, parent, order)


def _whole(low: float, high: float, amount: float, most: int) -> tuple[int, int]:
    """Bounds on an amount as bounds on a count."""
    least = 0 if np.isneginf(low) else max(0, int(np.ceil(low / amount - ROUNDING * max(1.0, abs(low / amount)))))
    greatest = (
        most if np.isposinf(high) else min(most, int(np.floor(high / amount + ROUNDING * max(1.0, abs(high / amount)))))
    )
    return least, greatest


class _Flow:
    """Units send one each, through the sets, to the sink."""

    def __init__(self, form: Formulation, tree: _Tree) -> None:
        self.form = form
        groups, leaf, parent = tree.groups, tree.leaf, tree.parent
        n = form.n_units
        self.sink = n + len(groups)
        self.flow = min_cost_flow.SimpleMinCostFlow()
        self.supply = np.zeros(self.sink + 1, dtype=np.int64)
        self.supply[:n] = 1
        self.supply[self.sink] = -n
        prices = [group.price for group in groups if np.isfinite(group.price)]
        self.scale = _scale(form, prices, self.sink + 1)
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

    @property
    def resolution(self) -> float:
        """Currency that one integer unit stands for."""
        return 1.0 / self.scale

    def _arcs(self, tail: Ints, head: Ints, capacity: Floats, gain: Floats) -> Ints:
        cost = whole(gain, self.scale)
        return np.asarray(
            self.flow.add_arcs_with_capacity_and_unit_cost(
                tail.astype(np.int32), head.astype(np.int32), capacity.astype(np.int64), -cost.astype(np.int64)
            )
        )

    def _bound(self, tail: int, head: int, group: _Group) -> None:
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


def _scale(form: Formulation, prices: list[float], n_nodes: int) -> float:
    """As fine as the costs allow."""
    finite = form.rest[np.isfinite(form.rest)]
    largest = max(np.abs(form.value).max(initial=0.0), np.abs(finite).max(initial=0.0), *prices, 0.0)
    return fine_scale(largest, LARGEST_COST_BITS - int(np.ceil(np.log2(n_nodes + 1))) - 1)


def _prices(form: Formulation, tree: _Tree, chosen: Ints) -> tuple[FamilyPrices, ...]:
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


def _counts(form: Formulation, tree: _Tree, chosen: Ints) -> Ints:
    """(sets,) units in each set."""
    leaf = tree.leaf[chosen[chosen < form.n_pairs]]
    counts = np.bincount(leaf[leaf >= 0], minlength=len(tree.groups))
    for index in tree.order:  # small to large, so that a set is complete before it is added to the next
        if tree.parent[index] >= 0:
            counts[tree.parent[index]] += counts[index]
    return counts


def _residual(cost: Floats, tail: int, head: int, group: _Group, flow: int) -> None:
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


def _read(form: Formulation, tree: _Tree, distance: Floats) -> tuple[FamilyPrices, ...]:
    """Turn distances into the price of each set's own bound: the step between a set and the next larger one."""
    low = [np.zeros(family.n_groups) for family in form.families]
    high = [np.zeros(family.n_groups) for family in form.families]
    for index, group in enumerate(tree.groups):
        up = tree.parent[index] if tree.parent[index] >= 0 else len(tree.groups)
        amount = _amount(form.families[group.family]) or 1.0
        step = (distance[index] - distance[up]) / amount
        high[group.family][group.group] = max(-step, 0.0)
        low[group.family][group.group] = max(step, 0.0)
    return tuple(legal(family, a, b) for family, a, b in zip(form.families, low, high, strict=True))
