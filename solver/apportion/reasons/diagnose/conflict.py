"""A smallest set of elements that cannot all hold: none of them can be left out.

Whole rules first, then single elements. Each test asks whether some elements can hold together. A refusal by the
linear relaxation comes with prices that name the elements at fault, and the rest is dropped at once (clause-set
refinement); a plan shows that what it breaks was needed, and its neighbours show the same of other elements (model
rotation), so that hundreds of elements need few solves. Belov, Lynce and Marques-Silva, "Towards efficient MUS
extraction", 2012; Gleeson and Ryan, "Identifying minimally infeasible subsystems of inequalities", 1990.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from apportion.engines import solve
from apportion.engines.clock import Clock
from apportion.engines.relaxing import Proof, infeasibility_prices, proof_by
from apportion.problem import Prices, Status
from apportion.reasons.diagnose.elements import Bools, Ints, Universe
from apportion.reasons.diagnose.rotation import rotate
from apportion.reasons.diagnose.subproblem import hold
from apportion.reasons.diagnose.sums import Counts

PROVED = -1e-6  # a bound below it proves; closer to zero it may be rounding
LAST = ("capacity", "must_assign", "lock")  # kinds that are given up last, for they are what most people can picture


@dataclass(frozen=True, eq=False)
class Conflict:
    """active : (E,) the elements in conflict. proved : they cannot all hold. minimal : and without any one of them
    the others can."""

    active: Bools
    proved: bool
    minimal: bool


@dataclass(eq=False)
class _Answer:
    """Of a test: plan : (L,) reps, where the elements can hold; active : where they cannot, those at fault;
    neither: not known."""

    plan: Ints | None = None
    active: Bools | None = None


@dataclass(eq=False)
class Finder:
    """Looks for the conflict; tells what it knows when the clock is over. seconds : for a single solve."""

    universe: Universe
    counts: Counts
    clock: Clock
    seconds: float
    needed: Bools = field(init=False)
    unsure: Bools = field(init=False)
    solves: int = 0

    def __post_init__(self) -> None:
        self.needed = np.zeros(len(self.universe.elements), dtype=bool)
        self.unsure = self.needed.copy()

    def find(self) -> tuple[Conflict, Ints | None]:
        """Give the conflict, or a plan where all elements can hold."""
        everything = np.ones(len(self.universe.elements), dtype=bool)
        answer = self.test(everything, self.clock.left())
        if answer.active is None:
            return Conflict(everything & False, False, False), answer.plan
        active = self._whole_rules(answer.active)
        active = self._elements(active)
        minimal = not (active & ~self.needed).any()
        return Conflict(active, True, minimal), None

    def test(self, active: Bools, seconds: float | None = None) -> _Answer:
        """Whether these elements can hold together."""
        self.solves += 1
        limit = max(0.05, min(self.clock.left(), self.seconds if seconds is None else seconds))
        held = hold(self.universe, active, self.counts)
        if not held.problem.n_leads:
            return self._without_leads(active)
        if not held.problem.pairs.n_pairs:
            return self._without_pairs(active)
        prices = infeasibility_prices(held.problem, seconds=limit)
        if prices is not None:
            at_fault = self._at_fault(active, prices)
            if at_fault is not None:
                return _Answer(active=at_fault)
        plan = solve(held.problem, time_limit=limit, gap=0.5)
        if plan.status == Status.INFEASIBLE:
            return _Answer(active=active)
        return _Answer(plan=held.everywhere(plan.rep, self.universe.wide.n_leads) if plan.status.has_plan else None)

    def _without_leads(self, active: Bools) -> _Answer:
        """No lead matters to these elements: each of them holds, or is impossible by itself."""
        nobody = np.full(self.universe.wide.n_leads, -1, dtype=np.int64)
        broken = np.flatnonzero(self.counts.broken(nobody) & active)
        if not len(broken):
            return _Answer(plan=nobody)
        alone = np.zeros_like(active)
        alone[broken[0]] = True
        return _Answer(active=alone)

    def _without_pairs(self, active: Bools) -> _Answer:
        """Nobody may take any of the leads: all of them rest."""
        nobody = np.full(self.universe.wide.n_leads, -1, dtype=np.int64)
        return _Answer(active=active) if (self.counts.broken(nobody) & active).any() else _Answer(plan=nobody)

    def _whole_rules(self, active: Bools) -> Bools:
        families = sorted(self.universe.families, key=lambda family: family[0] in LAST)
        for family in families:
            members = self.universe.of_family(family) & active
            if not members.any() or self.clock.is_over() or (self.needed & members).any():
                continue
            active = self._without(active, members)
        return active

    def _elements(self, active: Bools) -> Bools:
        """Drop single elements, more at a time as long as that goes well."""
        stride = 1
        while not self.clock.is_over():
            open_ = np.flatnonzero(active & ~self.needed & ~self.unsure)
            if not len(open_):
                break
            part = np.zeros_like(active)
            part[open_[::-1][:stride]] = True
            before = active
            active = self._without(active, part)
            stride = min(2 * stride, 64) if active is not before else 1
        return active

    def _without(self, active: Bools, part: Bools) -> Bools:
        """Leave a part out, if the rest is still in conflict; `active` itself is given back where it is not."""
        answer = self.test(active & ~part)
        if answer.active is not None:
            return answer.active
        if part.sum() == 1:
            if answer.plan is None:
                self._pass_over(part)
            else:
                self.needed |= part
                self.needed |= rotate(self.counts, active, answer.plan, part, self.needed, self.clock)
        return active

    def _pass_over(self, part: Bools) -> None:
        """Not known whether it is needed: keep it. A second one of the same rule tells that the others would take
        as long."""
        family = self.universe.of_family(self.universe.elements[int(np.flatnonzero(part)[0])].family)
        self.unsure |= family if (self.unsure & family).any() else part

    def _at_fault(self, active: Bools, prices: Prices) -> Bools | None:
        """Of the elements, those that the prices need to prove the conflict; None where they do not prove it."""
        proof = self._proof(active, prices)
        if not proof.bound < PROVED:
            return None
        loose = active & ~self._priced(prices) & ~self._places()
        active = self._shrink(active, loose, prices)
        fewer = self._fewest_leads(active, self._proof(active, prices))
        return fewer if self._proof(fewer, prices).bound < PROVED else active

    def _proof(self, active: Bools, prices: Prices) -> Proof:
        return proof_by(hold(self.universe, active, self.counts).problem, prices)

    def _shrink(self, active: Bools, loose: Bools, prices: Prices) -> Bools:
        """Leave out what the prices do not need, halving where all at once is too much."""
        stack = [np.flatnonzero(loose)]
        while stack:
            part = stack.pop()
            if not len(part):
                continue
            fewer = active.copy()
            fewer[part] = False
            if self._proof(fewer, prices).bound < PROVED:
                active = fewer
            elif len(part) > 1:
                stack += [part[: len(part) // 2], part[len(part) // 2 :]]
        return active

    def _priced(self, prices: Prices) -> Bools:
        at = self.universe.at
        found = np.zeros(len(self.universe.elements) + 1, dtype=bool)
        found[at["capacity", "", ""][prices.capacity > 0]] = True
        found[at["min_load", "", ""][prices.min_load > 0]] = True
        for name, price in prices.rules.items():
            found[at["rule", name, "low"][price.low > 0]] = True
            found[at["rule", name, "high"][price.high > 0]] = True
        return found[:-1]

    def _places(self) -> Bools:
        """The elements that ask for a lead to be placed."""
        return np.array([element.kind in ("must_assign", "lock") for element in self.universe.elements], dtype=bool)

    def _fewest_leads(self, active: Bools, proof: Proof) -> Bools:
        """Give up leads that must be placed, those that prove least first, as long as the prices still prove the
        conflict.

        What the prices gain by a lead that may rest is known beforehand: no solve, not even a pass over the pairs.
        """
        held = hold(self.universe, active, self.counts)
        place = np.full(len(held.leads), -1)
        for kind in ("must_assign", "lock"):
            ids = self.universe.at[kind, "", ""][held.leads]
            place = np.where((ids >= 0) & np.append(active, False)[ids], ids, place)
        unit = proof.unit_of_lead
        asked = place >= 0
        first = np.full(len(proof.best), -1)
        first[unit[asked][::-1]] = place[asked][::-1]
        units = np.flatnonzero(first >= 0)
        active = active.copy()
        active[place[asked]] = False
        if np.isneginf(proof.best[units]).any():
            alone = units[np.isneginf(proof.best[units])][0]
            active[first[alone]] = True
            return active
        loss = np.maximum(-proof.best[units], 0.0)
        order = np.lexsort((-units, loss))
        room = PROVED - proof.bound
        dropped = np.cumsum(loss[order]) < room * (1 - 1e-9)
        active[first[units[order[~dropped]]]] = True
        return active
