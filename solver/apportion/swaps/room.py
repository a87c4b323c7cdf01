"""The room that a plan leaves under each hard rule, and what of it a set of possible swaps could use up at worst."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem, MaxMin, Plan, Rule, Share
from apportion.problem.pairs import Floats, Ints
from apportion.problem.sums import Measure, effort_of, fair_shares, measure_of, scaled, sum_by


@dataclass(frozen=True, eq=False)
class Moves:
    """S possible swaps: the reps of both sides, and what each side's sum of one measure changes by.

    rep, other : (S,) indices of reps. change, other_change : (S,) in units of the measure.
    """

    rep: Ints
    other: Ints
    change: Floats
    other_change: Floats


@dataclass(eq=False)
class Room:
    """What one hard rule leaves: `low` above each floor, `high` below each cap, in units of its measure.

    group : (R,) group of each rep; -1, the last entry of the arrays (G + 1,), for none. low_share, high_share : what a
    unit more of the total moves the bound by, for shares of a total.
    """

    measure: Measure
    group: Ints
    low: Floats
    high: Floats
    low_share: Floats
    high_share: Floats

    def admits(self, moves: Moves) -> NDArray[np.bool_]:
        """(S,) whether each swap by itself keeps the rule with the room that is left."""
        fits = np.ones(len(moves.rep), dtype=bool)
        for group, low, high in self._needs(moves):
            fits &= (low <= self.low[group]) & (high <= self.high[group])
        total = moves.change + moves.other_change
        rises = np.min(self.low[self.low_share > 0] / self.low_share[self.low_share > 0], initial=np.inf)
        falls = np.min(self.high[self.high_share > 0] / self.high_share[self.high_share > 0], initial=np.inf)
        return np.asarray(fits & (total <= rises) & (-total <= falls))

    def take(self, moves: Moves) -> None:
        """Set aside, group by group, the most that any one of these swaps could need."""
        if not len(moves.rep):
            return
        total = moves.change + moves.other_change
        low = self.low_share * max(0.0, float(total.max()))
        high = self.high_share * max(0.0, -float(total.min()))
        for group, need_low, need_high in self._needs(moves):
            np.maximum.at(low, group, need_low)
            np.maximum.at(high, group, need_high)
        self.low, self.high = np.maximum(self.low - low, 0.0), np.maximum(self.high - high, 0.0)

    def _needs(self, moves: Moves) -> Iterator[tuple[Ints, Floats, Floats]]:
        """For the group of either side: its index, and what of the room above its floor and below its cap is used."""
        one, two = self.group[moves.rep], self.group[moves.other]
        total = moves.change + moves.other_change
        for group, change in ((one, moves.change), (two, moves.other_change)):
            net = np.where(one == two, total, change)
            yield group, self.low_share[group] * total - net, net - self.high_share[group] * total


def rooms_of(problem: AssignmentProblem, plan: Plan) -> list[Room]:
    """The room of every hard rule on sums: capacity and minimum load, then the problem's own rules."""
    leads = np.flatnonzero(plan.rep >= 0)
    pair, rep = problem.pairs.position(leads, plan.rep[leads]), plan.rep[leads]
    effort = effort_of(problem)
    loads = sum_by(rep, effort.at(pair, leads), problem.n_reps)
    least = np.where(problem.min_load > 0, problem.min_load, -np.inf)
    every = np.arange(problem.n_reps)
    rooms = [_room(effort, every, loads - least, problem.capacity - loads)]
    for rule in problem.rules:
        if rule.price is None and not (isinstance(rule, MaxMin) and plan.certificate.worst_off is None):
            rooms.append(_of_rule(problem, plan, rule, pair, leads))
    return rooms


def _of_rule(problem: AssignmentProblem, plan: Plan, rule: Rule, pair: Ints, leads: Ints) -> Room:
    index, names = problem.groups(rule.by)
    measure = measure_of(problem, rule)
    held, group = measure.at(pair, leads), index[plan.rep[leads]]
    sums = sum_by(group[group >= 0], held[group >= 0], len(names))
    if isinstance(rule, MaxMin):  # what the certificate promises the worst-off
        fair = fair_shares(problem, rule, index, len(names))
        promised = float(plan.certificate.worst_off or 0.0)
        return _room(measure, index, np.where(fair > 0, sums - promised * fair, np.inf), np.full(len(names), np.inf))
    low = np.broadcast_to(-np.inf if rule.low is None else np.asarray(rule.low, dtype=float), sums.shape)
    high = np.broadcast_to(np.inf if rule.high is None else np.asarray(rule.high, dtype=float), sums.shape)
    if not isinstance(rule, Share):
        return _room(measure, index, sums - low, high - sums)
    fair = fair_shares(problem, rule, index, len(names))
    earlier = np.zeros(len(names)) if rule.earlier is None else np.asarray(rule.earlier, dtype=float)
    total = float(held.sum()) + float(earlier.sum())
    got = sums + earlier
    shares = (np.where(np.isfinite(low), low, 0.0) * fair, np.where(np.isfinite(high), high, 0.0) * fair)
    return _room(measure, index, got - scaled(low, fair * total), scaled(high, fair * total) - got, shares)


def _room(
    measure: Measure, group: Ints, low: Floats, high: Floats, shares: tuple[Floats, Floats] | None = None
) -> Room:
    low_share, high_share = (np.zeros(len(low)), np.zeros(len(low))) if shares is None else shares
    return Room(
        measure=measure,
        group=group,
        low=np.append(np.maximum(low, 0.0), np.inf),
        high=np.append(np.maximum(high, 0.0), np.inf),
        low_share=np.append(low_share, 0.0),
        high_share=np.append(high_share, 0.0),
    )
