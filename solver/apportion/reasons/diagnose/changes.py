"""What a relaxation changes, and the problem that it leaves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, Rule, Status, verify
from apportion.reasons.diagnose.elastic import unit_price
from apportion.reasons.diagnose.elements import Bools, Element, Ints, Universe, pinned
from apportion.reasons.diagnose.sums import Counts

# what relaxed bounds are rounded to: shares to this, sums to half a power of ten of a typical amount
SHARE_STEP = 0.01
ROUNDING = 1e-9


@dataclass(frozen=True)
class Change:
    """One element given way to.

    to : the new bound, rounded to the loose side; None where the element has none; inf where it goes altogether.
    amount : how much in typical units, before rounding. pairs : (lead id, rep id) that become allowed.
    """

    element: Element
    amount: float
    to: float | None = None
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Relaxation:
    """Changes after which there is a plan.

    cost : the sum of their amounts, in typical units: leads, mean efforts, mean amounts of a rule's measure.
    proved : no cheaper one of its kind exists. rules : the whole rules that it touches, as (kind, rule).
    """

    changes: tuple[Change, ...]
    cost: float
    proved: bool

    @property
    def rules(self) -> tuple[tuple[str, str], ...]:
        """The whole rules that it touches."""
        return tuple(dict.fromkeys(change.element.family for change in self.changes))

    def apply(self, problem: AssignmentProblem) -> AssignmentProblem:
        """Give the problem with these changes. Fair shares stay as they were where a capacity is raised."""
        return _Applied(problem).with_changes(self.changes)


def read_relaxation(universe: Universe, counts: Counts, rep: Ints, *, may: Bools, proved: bool) -> Relaxation | None:
    """What a plan breaks, as changes; None where it breaks something that may not give way, or the changes do not
    make a plan.

    rep : (L,) in the universe's order. may : (E,).
    """
    broken = counts.broken(rep)
    if (broken & ~may).any():
        return None
    reader = _Reader(universe, counts, rep)
    changes = tuple(reader.change(universe.elements[index]) for index in np.flatnonzero(broken))
    relaxation = Relaxation(changes, float(sum(change.amount for change in changes)), proved)
    return relaxation if _holds(relaxation, universe, rep) else None


def _holds(relaxation: Relaxation, universe: Universe, rep: Ints) -> bool:
    """The independent verifier's word that the plan keeps every rule of the changed problem."""
    given, wide = universe.given, universe.wide
    place = {lead: index for index, lead in enumerate(wide.lead_ids)}
    column = {name: index for index, name in enumerate(given.rep_ids)}
    to_given = np.array([*(column[name] for name in wide.rep_ids), -1], dtype=np.int64)
    own = to_given[rep[[place[lead] for lead in given.lead_ids]]]
    problem = relaxation.apply(given)
    nothing = Certificate(0.0, 0.0, 0.0, "none", "", "", 0.0)
    plan = Plan(own, Status.FEASIBLE, 0.0, 0.0, Prices.none(given.n_reps), nothing)
    worth = verify(problem, plan).objective
    return not math.isnan(worth) and verify(problem, plan.replace(objective=worth, bound=worth)).ok


class _Reader:
    """Reads from a plan how far each broken element must give way."""

    def __init__(self, universe: Universe, counts: Counts, rep: Ints) -> None:
        self.universe, self.counts, self.rep = universe, counts, rep
        self.lead = np.flatnonzero(rep >= 0)
        self.pairs = universe.wide.pairs.position(self.lead, rep[self.lead])
        self.by_name = {count.name: count for count in counts.rules}

    def change(self, element: Element) -> Change:
        """How far one element must give way."""
        if element.kind in ("capacity", "min_load", "rule"):
            return self._bound(element)
        if element.kind == "eligibility":
            return self._pairs(element)
        price = unit_price(self.universe, element)
        to = self.rep[element.place] if element.kind == "lock" else -1
        if to >= 0:
            wide = self.universe.wide
            return Change(element, price, pairs=((element.where, wide.rep_ids[to]),))
        return Change(element, price)

    def _bound(self, element: Element) -> Change:
        count = self.counts.effort if element.kind != "rule" else self.by_name[element.rule]
        sums, total = count.sums(self.pairs, self.rep[self.lead])
        place, low_side = element.place, element.kind == "min_load" or element.side == "low"
        out = count.out(sums, total)[0 if low_side else 1][place]
        level = 1.0 if count.fair is None else float(count.fair[place]) * total
        infinite = -math.inf if low_side else math.inf
        step = 0.5 * 10.0 ** math.floor(math.log10(1.2 * count.scale)) if count.fair is None else SHARE_STEP
        to = loosened(float(sums[place]) / level, step, up=not low_side) if level > 0 else infinite
        return Change(element, float(out) / count.scale, to=to)

    def _pairs(self, element: Element) -> Change:
        against = self.universe.block[self.pairs] == element.place
        wide = self.universe.wide
        pairs = tuple((wide.lead_ids[lead], wide.rep_ids[self.rep[lead]]) for lead in self.lead[against])
        return Change(element, unit_price(self.universe, element) * len(pairs), pairs=pairs)


def loosened(exact: float, step: float, *, up: bool) -> float:
    """The next multiple of a step that is no tighter than the exact number: people do not set bounds to the last digit.

    >>> loosened(0.55512, 0.01, up=False), loosened(18.0, 0.5, up=True), loosened(1234.5, 50.0, up=True)
    (0.55, 18.0, 1250.0)
    """
    steps = exact / step
    whole = math.ceil(steps - ROUNDING) if up else math.floor(steps + ROUNDING)
    return float(f"{whole * step:.12g}")


class _Applied:
    """Collects changes as arguments of `replace`."""

    def __init__(self, problem: AssignmentProblem) -> None:
        self.problem = problem
        self.lead = {name: index for index, name in enumerate(problem.lead_ids)}
        self.rep = {name: index for index, name in enumerate(problem.rep_ids)}

    def with_changes(self, changes: tuple[Change, ...]) -> AssignmentProblem:
        """The problem as it would be after all of the changes."""
        problem = self.problem
        capacity, minimum = problem.capacity.copy(), problem.min_load.copy()
        must, rules = problem.must_assign.copy(), {str(rule.name): rule for rule in problem.rules}
        parcel = None if problem.parcel is None else problem.parcel.copy()
        opened: list[tuple[str, str]] = []
        for change in changes:
            element = change.element
            opened += change.pairs
            if element.kind == "capacity":
                capacity[self.rep[element.where]] = change.to
            elif element.kind == "min_load":
                minimum[self.rep[element.where]] = max(float(change.to or 0.0), 0.0)
            elif element.kind in ("must_assign", "lock"):
                must[self.lead[element.where]] &= bool(change.pairs)
            elif element.kind == "parcel" and parcel is not None:
                members = [self.lead[member] for member in element.members]
                parcel[members] = parcel.max() + 1 + np.arange(len(members))
            elif element.kind == "rule":
                rules[element.rule] = self._moved(rules[element.rule], change)
        kept = [pinned(rule, problem.capacity) for rule in rules.values()]
        return problem.replace(
            capacity=capacity,
            min_load=minimum,
            must_assign=must,
            parcel=parcel,
            equity=kept[: len(problem.equity)],
            limits=kept[len(problem.equity) :],
            **self._allowing(opened),
        )

    def _moved(self, rule: Rule, change: Change) -> Rule:
        side, element = change.element.side, change.element
        n_groups = len(self.problem.groups(rule.by)[1])
        group = self.rep[element.where] if isinstance(rule.by, str) and rule.by == "rep" else element.place
        given = getattr(rule, side)
        missing = -math.inf if side == "low" else math.inf
        bound = np.array(np.broadcast_to(missing if given is None else given, (n_groups,)), dtype=float)
        bound[group] = change.to
        changed: dict[str, Any] = {side: bound}
        return replace(rule, **changed)

    def _allowing(self, pairs: list[tuple[str, str]]) -> Mapping[str, Any]:
        if not pairs:
            return {}
        problem = self.problem
        allowed = np.zeros((problem.n_leads, problem.n_reps), dtype=bool)
        allowed[problem.pairs.lead, problem.pairs.rep] = True
        for lead, rep in pairs:
            allowed[self.lead[lead], self.rep[rep]] = True
        return {"eligible": allowed, "opportunity": problem.opportunity}
