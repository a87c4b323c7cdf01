"""Which swaps a draw may make, and the exact chance of each, before anything is drawn.

Units are dealt into pools of some tens that can take each other's place. A draw makes at most one swap in a pool, each
possible one with a chance of its own, and no draw of one pool knows of another. So the chance of every pair (lead, rep)
is a sum of a few numbers that are known. A swap is possible where it keeps the hard rules with the room that is left
once every earlier pool has set aside the most that any of its swaps could need: whatever the draws are, together they
keep them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem, Plan
from apportion.problem.pairs import Floats, Ints
from apportion.problem.sums import Measure, sum_by
from apportion.swaps.room import Moves, Room, rooms_of
from apportion.swaps.units import Units, units_of
from apportion_models.experiment.draws import uniform

LARGEST_POOL = 64  # more partners for a lead, but their number grows with the square
FEWEST_OF_A_KIND = 4
ROUNDS = 30  # by which chances are raised; the last ones change next to nothing


@dataclass(frozen=True, eq=False)
class Pool:
    """Units (their places in `Units`) of which at most one pair is swapped.

    chance : (S,) of each possible swap. one, two : (S,) places of its two units, among all units.
    """

    name: str
    chance: Floats
    one: Ints
    two: Ints


@dataclass(frozen=True, eq=False)
class Lottery:
    """All that a draw may do to a plan. revenue_cost, value_cost : (S,) currency that each swap gives up, by pool."""

    units: Units
    pools: tuple[Pool, ...]
    revenue_cost: Floats
    value_cost: Floats

    @property
    def chance(self) -> Floats:
        """(S,) the chance of each possible swap, pool by pool."""
        return np.concatenate([np.zeros(0), *(pool.chance for pool in self.pools)])

    @property
    def sides(self) -> tuple[Ints, Ints]:
        """(S,) and (S,) the units of each possible swap, pool by pool."""
        none = np.zeros(0, dtype=np.int64)
        return (
            np.concatenate([none, *(pool.one for pool in self.pools)]),
            np.concatenate([none, *(pool.two for pool in self.pools)]),
        )

    def draw(self, salt: str) -> list[tuple[int, int]]:
        """The swaps of one draw, as pairs of units; the same salt draws the same."""
        drawn = []
        for pool in self.pools:
            place = int(np.searchsorted(np.cumsum(pool.chance), uniform(salt, pool.name), side="right"))
            if place < len(pool.one):
                drawn.append((int(pool.one[place]), int(pool.two[place])))
        return drawn

    def chances(self) -> tuple[Ints, Ints, Floats]:
        """Every (unit, rep) that a draw can give, and its chance: for each unit they add up to 1."""
        one, two = self.sides
        unit, partner = np.concatenate([one, two]), np.concatenate([two, one])
        width = int(self.units.rep.max(initial=0)) + 1
        key, place = np.unique(unit * width + self.units.rep[partner], return_inverse=True)
        moved = np.bincount(place, weights=np.tile(self.chance, 2), minlength=len(key)).astype(np.float64)
        away = np.bincount(key // width, weights=moved, minlength=len(self.units.rep))
        every = np.arange(len(self.units.rep))
        return (
            np.concatenate([every, key // width]),
            np.concatenate([self.units.rep, key % width]),
            np.concatenate([1.0 - away, moved]),
        )


def lottery_of(
    problem: AssignmentProblem,
    plan: Plan,
    *,
    share: float,
    may_swap: NDArray[np.bool_] | None = None,
    may_take: NDArray[np.bool_] | None = None,
    loss_at_most: float | None = None,
) -> Lottery:
    """Find the possible swaps of a plan.

    share : the chance with which a lead may be swapped, at most; up to 0.5. may_swap : (L,) leads that may take part.
    may_take : (R,) reps who may. loss_at_most : currency of the objective's pair values that one swap may give up.
    """
    leads = np.ones(problem.n_leads, dtype=bool) if may_swap is None else may_swap
    if may_take is not None:
        leads = leads & np.where(plan.rep >= 0, may_take[plan.rep], False)
    units = units_of(problem, plan, leads, few=FEWEST_OF_A_KIND)
    rooms = rooms_of(problem, plan)
    size = max(2, min(LARGEST_POOL, int(2.0 / share)))
    value, revenue = (Measure(problem.pairs, problem.entries(name)) for name in ("value", "revenue"))
    pools: list[Pool] = []
    lost: list[Floats] = [np.zeros(0)]
    given_up: list[Floats] = [np.zeros(0)]
    for places in _modest_first(problem, units, _cut(units, size)):
        table = _Table(problem, units, places)
        one, two = table.swaps()
        loss = table.lost(value, one, two)
        keep = np.ones(len(one), dtype=bool) if loss_at_most is None else loss <= loss_at_most
        keep &= table.kept(rooms, one, two)
        one, two = one[keep], two[keep]
        if not len(one):
            continue
        table.set_aside(rooms, one, two)
        chance = _chances(one, two, len(places), share)
        names = [problem.lead_ids[lead] for place in places for lead in units.members[place].tolist()]
        pools.append(Pool(min(names), chance, places[one], places[two]))
        lost.append(loss[keep])
        given_up.append(table.lost(revenue, one, two))
    return Lottery(units, tuple(pools), np.concatenate(given_up), np.concatenate(lost))


def _cut(units: Units, size: int) -> list[Ints]:
    """Units of one kind that stand together, in pools of nearly equal size."""
    bounds = np.flatnonzero(np.diff(units.kind)) + 1
    runs = np.split(np.arange(len(units.kind)), bounds)
    return [pool for run in runs if len(run) > 1 for pool in np.array_split(run, -(-len(run) // size))]


def _chances(one: Ints, two: Ints, n_units: int, share: float) -> Floats:
    """(S,) chances by which no unit is swapped with more than `share`, and as many as can be with nearly that.

    All are equal at first; each round then raises every chance by what its two units leave open. A unit never passes
    `share` by it, for every one of its chances is raised by no more than the unit itself leaves open.
    """
    partners = np.bincount(np.concatenate([one, two]), minlength=n_units)
    chance = np.full(len(one), share / float(partners.max()))
    for _ in range(ROUNDS):
        used = sum_by(np.concatenate([one, two]), np.tile(chance, 2), n_units)
        chance = chance * np.minimum(share / used[one], share / used[two])
    return chance


def _modest_first(problem: AssignmentProblem, units: Units, pools: list[Ints]) -> list[Ints]:
    """Pools whose leads offer alike come first: they need least of the room under an equity rule, and leave most."""
    offer = [float(problem.opportunity[leads].sum()) for leads in units.members]
    spread = [np.ptp([offer[place] for place in pool.tolist()]) for pool in pools]
    return [pools[place] for place in np.argsort(spread, kind="stable").tolist()]


class _Table:
    """The units of one pool with the reps of all the others: (n, n) tables, a row a unit, a column a unit's rep."""

    def __init__(self, problem: AssignmentProblem, units: Units, places: Ints) -> None:
        members = [units.members[place] for place in places]
        self.rep = units.rep[places]
        self.lead = np.concatenate(members)
        self.first = np.cumsum([0, *(len(leads) for leads in members[:-1])])
        self.pair = problem.pairs.position(self.lead[:, None], self.rep[None, :])
        self.allowed = np.logical_and.reduceat(self.pair >= 0, self.first, axis=0)

    def swaps(self) -> tuple[Ints, Ints]:
        """The two sides of every swap between different reps that both may take."""
        one, two = np.triu_indices(len(self.rep), 1)
        allowed = (self.rep[one] != self.rep[two]) & self.allowed[one, two] & self.allowed[two, one]
        return one[allowed], two[allowed]

    def changes(self, measure: Measure, one: Ints, two: Ints) -> tuple[Floats, Floats]:
        """What a swap changes the measure's sum by, for the rep of either side."""
        shape = self.pair.shape
        lead = np.broadcast_to(self.lead[:, None], shape)
        amounts = measure.at(np.maximum(self.pair, 0).ravel(), lead.ravel()).reshape(shape)
        sums = np.add.reduceat(amounts, self.first, axis=0)
        return sums[two, one] - sums[one, one], sums[one, two] - sums[two, two]

    def lost(self, measure: Measure, one: Ints, two: Ints) -> Floats:
        """What a swap takes off the measure's sum, over both reps."""
        change, other = self.changes(measure, one, two)
        return -(change + other)

    def kept(self, rooms: list[Room], one: Ints, two: Ints) -> NDArray[np.bool_]:
        """Which swaps keep every hard rule, each by itself."""
        kept = np.ones(len(one), dtype=bool)
        for room in rooms:
            kept &= room.admits(self._moves(room, one, two))
        return kept

    def set_aside(self, rooms: list[Room], one: Ints, two: Ints) -> None:
        """Take from each rule's room the most that any of the swaps could need."""
        for room in rooms:
            room.take(self._moves(room, one, two))

    def _moves(self, room: Room, one: Ints, two: Ints) -> Moves:
        return Moves(self.rep[one], self.rep[two], *self.changes(room.measure, one, two))
