"""What rules add up: the verifier's own reading of measures and fair shares, which engines do not use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.problem.blocks import Block, each_block
from apportion.problem.entries import Entries
from apportion.problem.pairs import Floats, Ints, Pairs
from apportion.problem.problem import AssignmentProblem, shares_of
from apportion.problem.rules import LeadShare, MaxMin, Rule, Share


@dataclass(frozen=True, eq=False)
class Measure:
    """What is counted for a pair: the entries, where the lead counts at all. counted : (L,) bool, None for all."""

    pairs: Pairs
    entries: Entries
    counted: NDArray[np.bool_] | None = None

    def of(self, block: Block) -> Any:
        """The measure of the block's pairs, to be broadcast."""
        amounts = block.of(self.entries)
        return amounts if self.counted is None else amounts * block.by_lead(self.counted)

    def at(self, pair: Ints, lead: Ints) -> Floats:
        """The measure of some pairs, given with their leads."""
        amounts = self.entries.at(pair, lead)
        return amounts if self.counted is None else amounts * self.counted[lead]

    def whole(self) -> Floats:
        """(P,) the measure of all pairs."""
        amounts = self.entries.whole()
        return amounts if self.counted is None else amounts * self.counted[self.pairs.lead]

    def by_lead(self) -> Floats | None:
        """(L,) what the lead's pairs have in common; None where it depends on the rep."""
        if self.entries.kind == "pair":
            return None
        amounts = np.broadcast_to(self.entries.kept, (self.pairs.n_leads,)).astype(np.float64)
        return amounts if self.counted is None else amounts * self.counted


def measure_of(problem: AssignmentProblem, rule: Rule) -> Measure:
    """What the rule counts."""
    name = "revenue" if isinstance(rule, MaxMin) else rule.measure
    if name == "leads":
        entries = Entries(problem.pairs, 1.0, "one")
    elif name == "opportunity":
        entries = Entries(problem.pairs, problem.opportunity, "lead")
    else:
        entries = problem.entries("effort" if name == "effort" else "revenue")
    counted = None
    if isinstance(rule, LeadShare) and rule.tier is not None and problem.tier is not None:
        counted = problem.tier == rule.tier
    if not isinstance(rule, MaxMin) and rule.leads is not None:
        mask = np.asarray(rule.leads, dtype=bool)
        counted = mask if counted is None else counted & mask
    return Measure(problem.pairs, entries, counted)


def effort_of(problem: AssignmentProblem) -> Measure:
    """What capacity counts."""
    return Measure(problem.pairs, problem.entries("effort"))


def measured(problem: AssignmentProblem, rule: Rule) -> Floats:
    """(P,) what the rule counts for each pair."""
    return measure_of(problem, rule).whole()


def fair_shares(problem: AssignmentProblem, rule: Share | MaxMin, index: NDArray[np.int64], n_groups: int) -> Floats:
    """(G,) each group's part of the weights: capacity where the rule names none."""
    weights = problem.capacity if rule.weights is None else np.asarray(rule.weights, dtype=float)
    shares = shares_of(weights)
    return sum_by(index[index >= 0], shares[index >= 0], n_groups)


def scaled(multiple: Floats, fair: Floats) -> Floats:
    """multiple × fair share, where no bound stays no bound even for a share of zero."""
    return np.where(np.isfinite(multiple), np.where(np.isfinite(multiple), multiple, 0.0) * fair, multiple)


def typical(measure: Measure, index: NDArray[np.int64], n_groups: int) -> Floats:
    """(G,) mean size of the measure over the pairs where it is not zero."""

    def look(block: Block) -> tuple[Floats, Floats]:
        amounts = np.abs(measure.of(block))
        return block.sum_by_rep(amounts), block.sum_by_rep(amounts != 0)

    if measure.entries.kind == "one" and measure.counted is None:
        amount, count = abs(float(measure.entries.kept)), measure.pairs.count_by_rep.astype(np.float64)
        found = [(amount * count, (amount != 0) * count)]
    else:
        found = each_block(measure.pairs, look)
    total = sum((sums for sums, _ in found), np.zeros(measure.pairs.n_reps))
    used = sum((counts for _, counts in found), np.zeros(measure.pairs.n_reps))
    inside = index >= 0
    return sum_by(index[inside], total[inside], n_groups) / np.maximum(sum_by(index[inside], used[inside], n_groups), 1)


def sum_by(group: NDArray[np.int64], amount: Floats, n_groups: int) -> Floats:
    """(G,) sums of the amounts, by group."""
    return np.bincount(group, weights=amount, minlength=n_groups).astype(np.float64, copy=False)
