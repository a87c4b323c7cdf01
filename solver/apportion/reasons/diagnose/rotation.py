"""From a plan that breaks a single element to its neighbours that break a single other one: so that one is needed
too."""

from __future__ import annotations

from collections import deque

import numpy as np

from apportion.engines.clock import Clock
from apportion.reasons.diagnose.elements import Bools, Floats, Ints
from apportion.reasons.diagnose.subproblem import open_pairs
from apportion.reasons.diagnose.sums import Count, Counts

CHUNK = 2_000  # neighbours looked at together
NEIGHBOURS = 20_000  # of one plan, at most


def rotate(counts: Counts, active: Bools, plan: Ints, part: Bools, needed: Bools, clock: Clock) -> Bools:
    """(E,) further elements of `active` that are needed. plan : (L,) reps, breaking only the one element in `part`.

    Leads of a parcel move together, and that is not tried here: with parcels in conflict nothing is found.
    """
    walker = _Walker(counts, active)
    found = needed | part
    if walker.with_parcels:
        return found
    queue = deque([(plan, int(np.flatnonzero(part)[0]))])
    while queue and not clock.is_over() and (active & ~found).any():
        rep, element = queue.popleft()
        for neighbour, other in walker.witnesses(rep, element, found):
            found[other] = True
            queue.append((neighbour, other))
    return found


class _Walker:
    """Tries moves of one lead, or of one lead in the place of another."""

    def __init__(self, counts: Counts, active: Bools) -> None:
        self.counts, self.active = counts, active
        self.universe = universe = counts.universe
        self.pairs = np.flatnonzero(open_pairs(universe, active))
        self.with_parcels = bool(universe.on(active, "parcel").any())
        self.asked = np.full(universe.wide.n_leads, -1)
        for kind in ("must_assign", "lock"):
            self.asked = np.where(universe.on(active, kind), universe.at[kind, "", ""], self.asked)

    def witnesses(self, rep: Ints, element: int, found: Bools) -> list[tuple[Ints, int]]:
        """The neighbours that break exactly one element which is not yet `found`; one for each such element."""
        lead, pair, out = self._moves(rep, element)
        state = _State(self, rep)
        answers: dict[int, tuple[Ints, int]] = {}
        for start in range(0, min(len(lead), NEIGHBOURS), CHUNK):
            part = slice(start, start + CHUNK)
            broken, which = state.after(lead[part], pair[part], out[part])
            for at in np.flatnonzero(broken == 1):
                other = int(which[at])
                if found[other] or other in answers:
                    continue
                neighbour = rep.copy()
                if out[start + at] >= 0:
                    neighbour[out[start + at]] = -1
                new = pair[start + at]
                neighbour[lead[start + at]] = self.universe.wide.pairs.rep[new] if new >= 0 else -1
                answers[other] = (neighbour, other)
        return list(answers.values())

    def _moves(self, rep: Ints, element: int) -> tuple[Ints, Ints, Ints]:
        """(N,) lead that moves, its new pair or -1 for rest, and the lead that rests in its favour or -1."""
        kind = self.universe.elements[element].kind
        if kind in ("must_assign", "lock"):
            return self._placing(rep, self.universe.elements[element].place)
        return self._leaving(rep, element)

    def _placing(self, rep: Ints, lead: int) -> tuple[Ints, Ints, Ints]:
        """The lead goes to each of its reps: beside all others there, or in the place of one."""
        wide = self.universe.wide
        mine = self.pairs[wide.pairs.lead[self.pairs] == lead]
        at = np.full(wide.n_reps, -1)
        at[wide.pairs.rep[mine]] = mine
        others = np.flatnonzero((rep >= 0) & (np.append(at, -1)[rep] >= 0) & (np.arange(len(rep)) != lead))
        pair = np.concatenate([mine, at[rep[others]]])
        out = np.concatenate([np.full(len(mine), -1), others])
        return np.full(len(pair), lead), pair, out

    def _leaving(self, rep: Ints, element: int) -> tuple[Ints, Ints, Ints]:
        """Leads rest or go elsewhere: first those at the reps that the element speaks of."""
        wide = self.universe.wide
        placed = np.flatnonzero(rep >= 0)
        lead = np.concatenate([placed, wide.pairs.lead[self.pairs]])
        pair = np.concatenate([np.full(len(placed), -1), self.pairs])
        stays = (pair >= 0) & (wide.pairs.rep[pair] == rep[lead])
        lead, pair = lead[~stays], pair[~stays]
        inside = np.append(self._reps(element), False)
        near = inside[rep[lead]] | ((pair >= 0) & inside[wide.pairs.rep[pair]])
        order = np.argsort(~near, kind="stable")
        return lead[order], pair[order], np.full(len(order), -1)

    def _reps(self, element: int) -> Bools:
        """(R,) the reps that an element speaks of."""
        told = self.universe.elements[element]
        reps = np.arange(self.universe.wide.n_reps)
        if told.kind in ("capacity", "min_load"):
            return np.asarray(reps == told.place)
        for count in self.counts.rules:
            if told.kind == "rule" and count.name == told.rule:
                return np.asarray(count.group == told.place)
        return np.ones(len(reps), dtype=bool)


class _State:
    """The sums of one plan, from which those of its neighbours follow."""

    def __init__(self, walker: _Walker, rep: Ints) -> None:
        self.walker, self.rep = walker, rep
        universe = walker.universe
        self.pair = universe.wide.pairs.position(np.arange(len(rep)), rep)
        placed = np.flatnonzero(rep >= 0)
        counts = walker.counts
        self.sums = [(count, *count.sums(self.pair[placed], rep[placed])) for count in (counts.effort, *counts.rules)]
        code = universe.block[self.pair[placed]]
        self.blocked = np.bincount(code[code >= 0], minlength=len(universe.forbids))
        self.unmet = walker.asked >= 0
        self.unmet &= np.where(universe.lock >= 0, rep != universe.lock, rep < 0)

    def after(self, lead: Ints, pair: Ints, out: Ints) -> tuple[Ints, Ints]:
        """(C,) how many active elements each move leaves broken, and which, where it is one."""
        events = [(self.pair[lead], -1.0), (pair, 1.0), (np.where(out >= 0, self.pair[out], -1), -1.0)]
        broken, which = self._asked(lead, pair, out)
        for count, sums, total in self.sums:
            for ids, amount in zip(self.walker.counts.ids(count), self._out(count, sums, total, events), strict=True):
                there = np.append(self.walker.active, False)[ids]
                hit = (amount > 0) & there
                broken += hit.sum(axis=1)
                which += hit @ np.where(there, ids, 0)
        blocked = np.tile(self.blocked, (len(lead), 1)).astype(float)
        universe = self.walker.universe
        for moved, sign in events:
            code = np.where(moved >= 0, universe.block[moved], -1)
            rows = np.flatnonzero(code >= 0)
            blocked[rows, code[rows]] += sign
        ids = universe.at["eligibility", "", ""]
        there = np.append(self.walker.active, False)[ids]
        hit = (blocked > 0) & there
        return broken + hit.sum(axis=1), which + hit @ np.where(there, ids, 0)

    def _asked(self, lead: Ints, pair: Ints, out: Ints) -> tuple[Ints, Ints]:
        """(C,) the leads that must be placed and are not: how many, and the sum of their elements."""
        universe, asked = self.walker.universe, self.walker.asked
        new = np.where(pair >= 0, universe.wide.pairs.rep[pair], -1)
        unmet = (asked[lead] >= 0) & np.where(universe.lock[lead] >= 0, new != universe.lock[lead], new < 0)
        forced = (out >= 0) & (asked[out] >= 0)
        before = self.unmet[lead].astype(np.int64)
        resting = self.unmet[out] & (out >= 0)
        broken = self.unmet.sum() - before - resting + unmet + forced
        which = int(asked[self.unmet].sum()) - before * asked[lead] - resting * asked[out]
        return broken, which + unmet * asked[lead] + forced * asked[out]

    def _out(self, count: Count, sums: Floats, total: float, events: list[tuple[Ints, float]]) -> tuple[Floats, Floats]:
        size = len(events[0][0])
        moved, change = np.zeros((size, len(sums) + 1)), np.zeros(size)
        rows = np.arange(size)
        for pair, sign in events:
            amount = np.where(pair >= 0, sign * count.measure[pair], 0.0)
            moved[rows, count.group[self.walker.universe.wide.pairs.rep[pair]]] += amount
            change += amount
        return count.out(sums + moved[:, :-1], (total + change)[:, None])
