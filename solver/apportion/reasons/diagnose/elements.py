"""The single demands that a problem makes: what can be in conflict, and what can be given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build.batch import Batch
from apportion.problem import AssignmentProblem, Limit, MaxMin, Rule, Share
from apportion.problem.reorder import canonical_order, reorder
from apportion.reasons.groups import group_words
from apportion_models.errors import ProblemError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Kind = Literal["must_assign", "lock", "capacity", "min_load", "parcel", "rule", "eligibility"]
LOCK = "lock:"  # how the eligibility rule of locks begins


@dataclass(frozen=True)
class Element:
    """One demand. `rule` and `side` only for rules of sums and for eligibility.

    where : the lead, the rep, or the group of reps that it speaks of; "" for eligibility. bound : effort units, or
    units of the rule. members : the leads of a parcel, the rep of a lock. place : index of the lead, rep, parcel,
    group or eligibility rule, for the machinery.
    """

    kind: Kind
    where: str
    rule: str = ""
    side: Literal["", "low", "high"] = ""
    bound: float | None = None
    members: tuple[str, ...] = ()
    place: int = -1

    @property
    def family(self) -> tuple[str, str]:
        """The whole rule that the element belongs to."""
        return (self.kind, self.rule)


@dataclass(frozen=True, eq=False)
class Universe:
    """The problem without values and soft rules, in the order of ids, over all pairs that some eligibility rule
    could open.

    given : the problem as handed in. wide : leads and reps by id; its pairs hold the blocked ones too; Share rules with
    their weights written out. block : (P,) what forbids each pair: -1 nothing, else index into `forbids`. lock :
    (L,) rep, -1 none. elements : all demands.
    """

    given: AssignmentProblem
    wide: AssignmentProblem
    block: Ints
    forbids: tuple[str, ...]
    lock: Ints
    parcel: Ints  # (L,) index of each lead's parcel
    elements: tuple[Element, ...]

    @property
    def rules(self) -> tuple[Limit | Share, ...]:
        """The hard rules on sums."""
        return self.wide.rules  # type: ignore[return-value]

    @cached_property
    def at(self) -> dict[tuple[str, str, str], Ints]:
        """Which element stands at each place, by (kind, rule, side); -1 none."""
        sizes = {"must_assign": self.wide.n_leads, "capacity": self.wide.n_reps, "min_load": self.wide.n_reps}
        sizes["lock"] = self.wide.n_leads
        sizes["parcel"] = int(self.parcel.max(initial=-1)) + 1
        table: dict[tuple[str, str, str], Ints] = {}
        for kind, size in sizes.items():
            table[kind, "", ""] = np.full(size, -1, dtype=np.int64)
        for rule in self.rules:
            for side in ("low", "high"):
                table["rule", str(rule.name), side] = np.full(len(self.wide.groups(rule.by)[1]), -1, dtype=np.int64)
        table["eligibility", "", ""] = np.full(len(self.forbids), -1, dtype=np.int64)
        for index, element in enumerate(self.elements):
            rule_name = element.rule if element.kind == "rule" else ""
            table[element.kind, rule_name, element.side][element.place] = index
        return table

    def on(self, active: Bools, kind: str, rule: str = "", side: str = "") -> Bools:
        """Which places of a kind hold an active element."""
        index = self.at[kind, rule, side]
        return np.asarray((index >= 0) & np.append(active, False)[index], dtype=bool)

    @cached_property
    def families(self) -> tuple[tuple[str, str], ...]:
        """The whole rules, in the order of the elements."""
        return tuple(dict.fromkeys(element.family for element in self.elements))

    def of_family(self, family: tuple[str, str]) -> Bools:
        """Which elements belong to a whole rule."""
        return np.array([element.family == family for element in self.elements], dtype=bool)


def read_universe(problem: AssignmentProblem, batch: Batch | None) -> Universe:
    """Take the problem apart."""
    given = problem
    forbids: tuple[str, ...] = ()
    lock = np.full(problem.n_leads, -1, dtype=np.int64)
    block = np.full((0, 0), -1)
    if batch is not None:
        lock = np.asarray(batch.eligibility.lock, dtype=np.int64)
        forbids = tuple(str(rule) for rule in batch.eligibility.rules)
        block = np.asarray(batch.eligibility.blocked_by, dtype=np.int64)
        problem = _opened(problem, block)
    leads, reps = canonical_order(problem)
    wide = reorder(_pinned(problem, given), leads, reps)
    back = np.argsort(reps)
    lock = np.where(lock >= 0, back[np.maximum(lock, 0)], -1)[leads]
    codes = np.full(wide.pairs.n_pairs, -1, dtype=np.int64)
    if block.size:
        codes = block[leads[wide.pairs.lead], reps[wide.pairs.rep]]
        codes[given.pairs.position(leads[wide.pairs.lead], reps[wide.pairs.rep]) >= 0] = -1
    parcel = _parcels(wide)
    table = None if batch is None else batch.reps
    elements = tuple(_elements(wide, lock, forbids, codes, parcel, table))
    return Universe(given, wide, codes, forbids, lock, parcel, elements)


def _opened(problem: AssignmentProblem, block: Ints) -> AssignmentProblem:
    """The problem in which the blocked pairs exist; as it is where their numbers are not known."""
    allowed = np.zeros((problem.n_leads, problem.n_reps), dtype=bool)
    allowed[problem.pairs.lead, problem.pairs.rep] = True
    try:
        return problem.replace(eligible=allowed | (block >= 0), opportunity=problem.opportunity)
    except ProblemError:
        return problem


def _pinned(problem: AssignmentProblem, given: AssignmentProblem) -> AssignmentProblem:
    """Hard rules only, without values; fair shares written out, so that a raised capacity does not change them."""
    return replace(
        problem,
        value=np.zeros(problem.pairs.n_pairs),
        nurture=np.zeros(problem.n_leads),
        equity=tuple(pinned(rule, given.capacity) for rule in given.equity if _bounds(rule)),
        limits=tuple(rule for rule in given.limits if _bounds(rule)),
    )


def pinned(rule: Rule, capacity: Floats) -> Rule:
    """Write out the weights of a rule's fair shares."""
    return replace(rule, weights=capacity) if not isinstance(rule, Limit) and rule.weights is None else rule


def _bounds(rule: Rule) -> bool:
    return not isinstance(rule, MaxMin) and rule.price is None


def _parcels(wide: AssignmentProblem) -> Ints:
    if wide.parcel is None:
        return np.arange(wide.n_leads)
    _, first, member = np.unique(wide.parcel, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[member]


def _elements(
    wide: AssignmentProblem,
    lock: Ints,
    forbids: tuple[str, ...],
    block: Ints,
    parcel: Ints,
    reps: pd.DataFrame | None,
) -> Iterator[Element]:
    for lead in np.flatnonzero(wide.must_assign):
        if lock[lead] >= 0:
            yield Element("lock", wide.lead_ids[lead], members=(wide.rep_ids[lock[lead]],), place=int(lead))
        else:
            yield Element("must_assign", wide.lead_ids[lead], place=int(lead))
    for rep in range(wide.n_reps):
        yield Element("capacity", wide.rep_ids[rep], bound=float(wide.capacity[rep]), place=rep)
    for place in np.flatnonzero(wide.min_load > 0).tolist():
        yield Element("min_load", wide.rep_ids[place], bound=float(wide.min_load[place]), place=place)
    for label in np.flatnonzero(np.bincount(parcel) > 1):
        members = tuple(wide.lead_ids[int(lead)] for lead in np.flatnonzero(parcel == label))
        yield Element("parcel", members[0], members=members, place=int(label))
    for rule in wide.rules:
        yield from _rule_elements(wide, rule, reps)
    for code in np.unique(block[block >= 0]):
        if not forbids[code].startswith(LOCK):
            yield Element("eligibility", "", rule=forbids[code], place=int(code))


def _rule_elements(wide: AssignmentProblem, rule: Rule, reps: pd.DataFrame | None) -> Iterator[Element]:
    index, names = wide.groups(rule.by)
    words = group_words(wide, rule.by, index, len(names), reps)
    for side, missing in (("low", -np.inf), ("high", np.inf)):
        given = getattr(rule, side)
        bounds = np.broadcast_to(missing if given is None else np.asarray(given, dtype=float), (len(names),))
        for group in np.flatnonzero(np.isfinite(bounds)):
            bound = float(bounds[group])
            if side == "low" and bound == 0 and _never_negative(wide, rule):
                continue
            yield Element("rule", words[group], str(rule.name), side, bound, place=int(group))  # type: ignore[arg-type]


def _never_negative(wide: AssignmentProblem, rule: Rule) -> bool:
    """Whether a lower bound of zero can never be missed."""
    if isinstance(rule, Share) and rule.earlier is not None and np.min(np.asarray(rule.earlier), initial=0.0) < 0:
        return False
    measure = getattr(rule, "measure", "leads")
    if measure == "revenue":
        return bool(wide.revenue.min(initial=0.0) >= 0)
    return measure != "opportunity" or bool(wide.opportunity.min(initial=0.0) >= 0)
