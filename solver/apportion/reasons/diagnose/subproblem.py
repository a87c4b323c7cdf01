"""The problem that only some of its elements make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apportion.problem import AssignmentProblem, Limit, MaxMin, Rule, Share
from apportion.problem.pairs import Pairs
from apportion.reasons.diagnose.elements import LOCK, Bools, Ints, Universe
from apportion.reasons.diagnose.sums import Counts


@dataclass(frozen=True, eq=False)
class Held:
    """A problem over the leads that its elements touch. leads : (K,) their places in the universe."""

    problem: AssignmentProblem
    leads: Ints

    def everywhere(self, rep: Ints, n_leads: int) -> Ints:
        """(L,) the assignment of all leads; the others rest with nurture."""
        whole = np.full(n_leads, -1, dtype=np.int64)
        whole[self.leads] = rep
        return whole


def open_pairs(universe: Universe, active: Bools) -> Bools:
    """(P,) the pairs that no active element forbids."""
    forbidden = np.append(universe.on(active, "eligibility"), False)[universe.block]
    locks = np.array([rule.startswith(LOCK) for rule in universe.forbids] + [False])[universe.block]
    lead = universe.wide.pairs.lead
    locked = universe.lock[lead]
    astray = universe.on(active, "lock")[lead] & (locked != universe.wide.pairs.rep)
    return np.asarray(~forbidden & ~(locks & astray), dtype=bool)


def hold(universe: Universe, active: Bools, counts: Counts, *, opened: Bools | None = None) -> Held:
    """Keep the active elements and give up all others.

    opened : (E,) elements whose forbidden pairs are there all the same.
    """
    wide = universe.wide
    pairs = open_pairs(universe, active if opened is None else active & ~opened)
    rules = tuple(_rule(universe, rule, active) for rule in universe.rules)
    together = np.append(universe.on(active, "parcel"), False)[universe.parcel]
    parcel = np.where(together, universe.parcel, len(universe.parcel) + np.arange(wide.n_leads))
    must = universe.on(active, "must_assign") | universe.on(active, "lock")
    minimum = np.where(universe.on(active, "min_load"), wide.min_load, 0.0)
    most = np.zeros(wide.n_leads)
    np.maximum.at(most, wide.pairs.lead, wide.effort)
    capacity = np.where(universe.on(active, "capacity"), wide.capacity, most.sum() + 1.0)
    kept = [rule for rule in rules if rule is not None]
    leads = np.flatnonzero(_touched(universe, active, counts, must, minimum, pairs))
    whole = replace(
        wide,
        must_assign=must,
        min_load=minimum,
        capacity=capacity,
        parcel=parcel if together.any() else None,
        equity=tuple(rule for rule in kept if not isinstance(rule, Limit)),
        limits=tuple(rule for rule in kept if isinstance(rule, Limit)),
    )
    return Held(narrowed(whole, leads, pairs), leads)


def _rule(universe: Universe, rule: Limit | Share, active: Bools) -> Limit | Share | None:
    """The rule with its active bounds only; None where it has none."""
    name = str(rule.name)
    changes: dict[str, Any] = {}
    for side, missing in (("low", -np.inf), ("high", np.inf)):
        on = universe.on(active, "rule", name, side)
        given = getattr(rule, side)
        changes[side] = np.where(on, missing if given is None else np.asarray(given, dtype=float), missing)
    if not any(np.isfinite(bound).any() for bound in changes.values()):
        return None
    return replace(rule, **changes)


def _touched(universe: Universe, active: Bools, counts: Counts, must: Bools, minimum: Any, pairs: Bools) -> Bools:
    """(L,) the leads that an active element needs placed, or counts; all others may rest and break nothing."""
    wide = universe.wide
    touched = must.copy()
    touched[wide.pairs.lead[pairs & (minimum > 0)[wide.pairs.rep]]] = True
    for count in counts.rules:
        low, high = universe.on(active, "rule", count.name, "low"), universe.on(active, "rule", count.name, "high")
        if count.fair is not None and (low.any() or high.any()):
            helps = count.measure != 0
        else:
            helps = (count.measure != 0) if low.any() else (count.measure < 0) & bool(high.any())
        touched[wide.pairs.lead[pairs & helps]] = True
    together = np.append(universe.on(active, "parcel"), False)[universe.parcel]
    with_touched = np.bincount(universe.parcel, weights=touched, minlength=len(universe.at["parcel", "", ""])) > 0
    return touched | (together & with_touched[universe.parcel])


def narrowed(problem: AssignmentProblem, leads: Ints, pairs: Bools) -> AssignmentProblem:
    """Some leads (ascending) and some pairs of a problem; nothing is checked again."""
    inside = np.zeros(problem.n_leads, dtype=bool)
    inside[leads] = True
    keep = pairs & inside[problem.pairs.lead]
    lead = (np.cumsum(inside) - 1)[problem.pairs.lead[keep]]
    start = np.concatenate([[0], np.cumsum(np.bincount(lead, minlength=len(leads)))]).astype(np.int64)
    return replace(
        problem,
        pairs=Pairs(start=start, rep=problem.pairs.rep[keep], n_reps=problem.n_reps),
        value=problem.value[keep],
        revenue=problem.revenue[keep],
        effort=problem.effort[keep],
        nurture=problem.nurture[leads],
        must_assign=problem.must_assign[leads],
        tier=None if problem.tier is None else problem.tier[leads],
        parcel=None if problem.parcel is None else problem.parcel[leads],
        opportunity=problem.opportunity[leads],
        equity=tuple(_sliced(rule, leads) for rule in problem.equity),
        limits=tuple(_sliced(rule, leads) for rule in problem.limits),
        lead_ids=tuple(problem.lead_ids[lead] for lead in leads),
        given={},
    )


def _sliced(rule: Rule, leads: Ints) -> Rule:
    if isinstance(rule, MaxMin) or rule.leads is None:
        return rule
    return replace(rule, leads=np.asarray(rule.leads)[leads])
