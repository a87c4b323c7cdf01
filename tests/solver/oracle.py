"""Brute force: every assignment of a small case is tried, in plain Python, and the best that keeps all rules is kept.

Independent of `verify` and of the engines: only the problem's arrays and the rules' attributes are read.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from apportion.problem import AssignmentProblem, LeadShare, Limit, MaxMin, RevenueShare

SLACK = 1e-9


def best_plan(problem: AssignmentProblem) -> tuple[np.ndarray, float] | None:
    """Give (rep of each lead, objective) of the best plan, or None when no plan keeps all hard rules.

    A hard MaxMin is lexicographic: of the plans within `1 - keep` of the best objective without it, those whose
    worst-off group has the most; of these, the one with the best objective. Of equal plans the first tried is given.
    """
    plans = [(rep, value) for rep in assignments(problem) if (value := objective(problem, rep)) is not None]
    if not plans:
        return None
    for rule in problem.rules:
        if isinstance(rule, MaxMin) and rule.price is None:
            best = max(value for _, value in plans)
            floor = best - (1 - rule.keep) * abs(best)
            plans = [(rep, value) for rep, value in plans if value >= floor - SLACK * max(1.0, abs(best))]
            worst = [worst_off(problem, rule, rep) for rep, _ in plans]
            most = max(worst)
            allowed = most - SLACK * max(1.0, abs(most)) if math.isfinite(most) else most
            plans = [plan for plan, level in zip(plans, worst, strict=True) if level >= allowed]
    rep, value = max(plans, key=lambda plan: plan[1])
    return np.array(rep, dtype=np.int64), value


def assignments(problem: AssignmentProblem) -> Iterator[list[int]]:
    """Every way to give each parcel to one rep or to nurture, eligible or not."""
    labels = list(range(problem.n_leads)) if problem.parcel is None else [int(label) for label in problem.parcel]
    parcels = sorted(set(labels))
    for choice in itertools.product(range(-1, problem.n_reps), repeat=len(parcels)):
        owner = dict(zip(parcels, choice, strict=True))
        yield [owner[label] for label in labels]


def objective(problem: AssignmentProblem, rep: Sequence[int]) -> float | None:
    """Objective of one assignment, or None when it breaks a hard rule (a hard MaxMin compares plans: not here)."""
    pairs = [_pair(problem, lead, owner) for lead, owner in enumerate(rep) if owner >= 0]
    if any(pair is None for pair in pairs):
        return None
    if any(problem.must_assign[lead] and owner < 0 for lead, owner in enumerate(rep)):
        return None
    load = [0.0] * problem.n_reps
    total = 0.0
    for pair in pairs:
        load[int(problem.pairs.rep[pair])] += float(problem.effort[pair])
        total += float(problem.value[pair])
    if any(_more(amount, float(problem.capacity[j])) for j, amount in enumerate(load)):
        return None
    if any(_more(float(problem.min_load[j]), amount) for j, amount in enumerate(load)):
        return None
    total += sum(float(problem.nurture[lead]) for lead, owner in enumerate(rep) if owner < 0)
    for rule in problem.rules:
        change = _rule_change(problem, rule, rep)
        if change is None:
            return None
        total += change
    return total


def worst_off(problem: AssignmentProblem, rule: Any, rep: Sequence[int]) -> float:
    """The least revenue per fair share over the groups that have one; infinite when none has."""
    sums, _ = _group_sums(problem, rule, rep)
    fair = _fair(problem, rule)
    levels = [sums[name] / fair[name] for name in sums if fair[name] > 0]
    return min(levels) if levels else math.inf


def _rule_change(problem: AssignmentProblem, rule: Any, rep: Sequence[int]) -> float | None:
    if isinstance(rule, MaxMin):
        level = worst_off(problem, rule, rep)
        return 0.0 if rule.price is None or math.isinf(level) else rule.price * level
    sums, total = _group_sums(problem, rule, rep)
    names = sorted(sums)
    factor, earlier = dict.fromkeys(names, 1.0), dict.fromkeys(names, 0.0)
    if not isinstance(rule, Limit):
        fair = _fair(problem, rule)
        if rule.earlier is not None:
            earlier = {name: float(amount) for name, amount in zip(names, rule.earlier, strict=True)}
        total += sum(earlier.values())
        factor = {name: fair[name] * total for name in names}
    cost = 0.0
    for place, name in enumerate(names):
        have = sums[name] + earlier[name]
        for side, sign in (("low", 1), ("high", -1)):
            bound = getattr(rule, side)
            if bound is None:
                continue
            level = float(bound) if np.ndim(bound) == 0 else float(np.asarray(bound)[place])
            if math.isinf(level):
                continue
            missing = sign * (level * factor[name] - have)
            if rule.price is not None:
                cost += rule.price * max(0.0, missing)
            elif missing > SLACK * max(1.0, abs(have), abs(level * factor[name])):
                return None
    return -cost


def _pair(problem: AssignmentProblem, lead: int, rep: int) -> int | None:
    for pair in range(int(problem.pairs.start[lead]), int(problem.pairs.start[lead + 1])):
        if int(problem.pairs.rep[pair]) == rep:
            return pair
    return None


def _more(amount: float, bound: float) -> bool:
    return amount > bound + SLACK * max(1.0, abs(bound))


def _group_of(problem: AssignmentProblem, rule: Any, rep: int) -> int:
    """The group of a rep; -1 is none."""
    if isinstance(rule.by, str):
        if rule.by == "rep":
            return rep
        if rule.by == "all":
            return 0
        assert problem.team is not None
        return int(problem.team[rep])
    return int(rule.by[rep])


def _group_sums(problem: AssignmentProblem, rule: Any, rep: Sequence[int]) -> tuple[dict[int, float], float]:
    """What each group gets of the rule's measure, and what all pairs of the plan have of it."""
    groups = {_group_of(problem, rule, j) for j in range(problem.n_reps)} - {-1}
    sums = dict.fromkeys((group for group in groups if group >= 0), 0.0)
    total = 0.0
    for lead, owner in enumerate(rep):
        if owner < 0 or not _counts(problem, rule, lead):
            continue
        pair = _pair(problem, lead, owner)
        assert pair is not None
        measure = "revenue" if isinstance(rule, (MaxMin, RevenueShare)) else rule.measure
        amount = {
            "leads": 1.0,
            "opportunity": float(problem.opportunity[lead]),
            "effort": float(problem.effort[pair]),
            "revenue": float(problem.revenue[pair]),
        }[measure]
        total += amount
        group = _group_of(problem, rule, owner)
        if group >= 0:
            sums[group] += amount
    return sums, total


def _counts(problem: AssignmentProblem, rule: Any, lead: int) -> bool:
    if isinstance(rule, LeadShare) and rule.tier is not None:
        assert problem.tier is not None
        if problem.tier[lead] != rule.tier:
            return False
    return isinstance(rule, MaxMin) or rule.leads is None or bool(rule.leads[lead])


def _fair(problem: AssignmentProblem, rule: Any) -> dict[int, float]:
    """Each group's part of the weights (capacity when none are given)."""
    given = problem.capacity if rule.weights is None else rule.weights
    weights = [float(weight) for weight in given]
    whole = sum(weights)
    fair: dict[int, float] = {}
    for rep, weight in enumerate(weights):
        group = _group_of(problem, rule, rep)
        if group >= 0:
            fair[group] = fair.get(group, 0.0) + (weight / whole if whole > 0 else 0.0)
    return fair
