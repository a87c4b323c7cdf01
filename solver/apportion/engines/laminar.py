"""Bounds on counts whose counted sets of pairs are nested or disjoint (laminar): which they are, and their tree.

Pairs of one rep that the same families count are of one kind: there are few kinds, so that sets are compared by kinds
and not by pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.engines.formulation import Family, Formulation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Group:
    """One bounded set of pairs: family and group it comes from, the amount that the family counts by, integer bounds,
    price of violation (inf: hard)."""

    family: int
    group: int
    amount: float
    low: int
    high: int
    price: float


@dataclass(frozen=True, eq=False)
class Tree:
    """The bounded sets. leaf : (P,) smallest set that holds each pair; parent : (sets,) the next larger one; -1 for
    none; order : small to large."""

    groups: list[Group]
    leaf: Ints
    parent: Ints
    order: Ints


@dataclass(frozen=True, eq=False)
class _Kinds:
    """K kinds of pairs. of_pair : (P,). size : (K,) pairs. member : (K, F) group in each family, -1 where it is not
    counted."""

    of_pair: Ints
    size: Ints
    member: Ints


def supports(form: Formulation) -> str | None:
    """None where the bounds are nested counts, else the reason why they are not."""
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


def _kinds(form: Formulation) -> _Kinds:
    kind, rep = form.rep, np.arange(form.n_reps)
    counted = np.zeros((form.n_reps, 0), dtype=bool)
    for family in form.families:
        kind = 2 * kind + (family.measure != 0)
        used = np.flatnonzero(np.bincount(kind, minlength=2 * len(rep)))
        place = np.full(2 * len(rep), -1, dtype=np.int64)
        place[used] = np.arange(len(used))
        kind, rep = place[kind], rep[used // 2]
        counted = np.column_stack([counted[used // 2], used % 2 == 1])
    columns = [np.where(counted[:, at], family.group[rep], -1) for at, family in enumerate(form.families)]
    member = np.stack(columns, axis=1) if columns else np.zeros((len(rep), 0), dtype=np.int64)
    return _Kinds(kind, np.bincount(kind, minlength=len(rep)), member)


def _nested(form: Formulation) -> bool:
    """Whether any two bounded sets of pairs are disjoint or one holds the other."""
    kinds = _kinds(form)
    for a in range(len(form.families)):
        for b in range(a + 1, len(form.families)):
            both = (kinds.member[:, a] >= 0) & (kinds.member[:, b] >= 0)
            in_a, in_b, size = kinds.member[both, a], kinds.member[both, b], kinds.size[both]
            key, place = np.unique(in_a * form.families[b].n_groups + in_b, return_inverse=True)
            shared = _sums(place, size, len(key))
            of_a, of_b = np.divmod(key, max(form.families[b].n_groups, 1))
            size_a, size_b = (_sizes(kinds, at, form.families[at].n_groups) for at in (a, b))
            if ((shared != size_a[of_a]) & (shared != size_b[of_b])).any():
                return False
    return True


def _sizes(kinds: _Kinds, family: int, n_groups: int) -> Ints:
    inside = kinds.member[:, family] >= 0
    return _sums(kinds.member[inside, family], kinds.size[inside], n_groups)


def _sums(place: Ints, amount: Ints, size: int) -> Ints:
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, place, amount)
    return sums


def tree_of(form: Formulation) -> Tree:
    """Order the bounded sets of a formulation that is supported."""
    kinds = _kinds(form)
    groups: list[Group] = []
    index = np.full(kinds.member.shape, -1, dtype=np.int64)
    for at, family in enumerate(form.families):
        member = kinds.member[:, at]
        index[:, at] = np.where(member >= 0, len(groups) + member, -1)
        groups += _groups(form, at, family)
    held = index >= 0
    size = _sums(index[held], np.broadcast_to(kinds.size[:, None], index.shape)[held], len(groups))
    # of sets with the same pairs the later one counts as the larger, so that the order is strict
    order = np.argsort(size, kind="stable")
    rank = np.argsort(order, kind="stable")
    ranked = np.where(held, rank[index], len(groups)) if len(groups) else index
    ranked.sort(axis=1)
    chain = np.append(order, -1)[ranked]
    parent = np.full(len(groups), -1, dtype=np.int64)
    for level in range(chain.shape[1] - 1):
        known = chain[:, level] >= 0
        parent[chain[known, level]] = chain[known, level + 1]
    leaf = chain[:, 0] if chain.shape[1] else np.full(len(chain), -1, dtype=np.int64)
    return Tree(groups, leaf[kinds.of_pair], parent, order)


def _groups(form: Formulation, index: int, family: Family) -> list[Group]:
    amount = _amount(family) or 1.0
    groups = []
    for group in range(family.n_groups):
        low, high = _whole(family.low[group], family.high[group], amount, form.n_units)
        if not family.hard:  # what no plan can reach costs every plan the same
            low, high = min(low, form.n_units), max(high, 0)
        groups.append(Group(index, group, amount, low, high, family.price * amount))
    return groups


def _whole(low: float, high: float, amount: float, most: int) -> tuple[int, int]:
    """Bounds on an amount as bounds on a count."""
    least = 0 if np.isneginf(low) else max(0, int(np.ceil(low / amount - ROUNDING * max(1.0, abs(low / amount)))))
    greatest = (
        most if np.isposinf(high) else min(most, int(np.floor(high / amount + ROUNDING * max(1.0, abs(high / amount)))))
    )
    return least, greatest
