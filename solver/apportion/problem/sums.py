"""What rules add up: the verifier's own reading of measures and fair shares, which engines do not use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apportion.problem.problem import AssignmentProblem, shares_of
from apportion.problem.rules import LeadShare, MaxMin, Rule, Share

Floats = NDArray[np.float64]


def measured(problem: AssignmentProblem, rule: Rule) -> Floats:
    """(P,) what the rule counts for each pair."""
    lead = problem.pairs.lead
    measure = "revenue" if isinstance(rule, MaxMin) else rule.measure
    if measure == "leads":
        counted = np.ones(problem.pairs.n_pairs)
    elif measure == "opportunity":
        counted = problem.opportunity[lead]
    else:
        counted = problem.effort if measure == "effort" else problem.revenue
    if isinstance(rule, LeadShare) and rule.tier is not None and problem.tier is not None:
        counted = counted * (problem.tier[lead] == rule.tier)
    if not isinstance(rule, MaxMin) and rule.leads is not None:
        counted = counted * np.asarray(rule.leads)[lead]
    return counted


def fair_shares(problem: AssignmentProblem, rule: Share | MaxMin, index: NDArray[np.int64], n_groups: int) -> Floats:
    """(G,) each group's part of the weights: capacity where the rule names none."""
    weights = problem.capacity if rule.weights is None else np.asarray(rule.weights, dtype=float)
    shares = shares_of(weights)
    return sum_by(index[index >= 0], shares[index >= 0], n_groups)


def scaled(multiple: Floats, fair: Floats) -> Floats:
    """multiple × fair share, where no bound stays no bound even for a share of zero."""
    return np.where(np.isfinite(multiple), np.where(np.isfinite(multiple), multiple, 0.0) * fair, multiple)


def typical(entries: Floats, group: NDArray[np.int64], n_groups: int) -> Floats:
    """(G,) mean of the entries that are not zero."""
    used = (entries != 0) & (group >= 0)
    count = np.bincount(group[used], minlength=n_groups)
    return sum_by(group[used], entries[used], n_groups) / np.maximum(count, 1)


def sum_by(group: NDArray[np.int64], amount: Floats, n_groups: int) -> Floats:
    """(G,) sums of the amounts, by group."""
    return np.bincount(group, weights=amount, minlength=n_groups).astype(np.float64, copy=False)
