"""What the rules count, and which elements an assignment breaks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from apportion.problem import AssignmentProblem, Limit, Share
from apportion.problem.sums import measured
from apportion.reasons.diagnose.elements import Bools, Floats, Ints, Universe
from apportion.reasons.pricing import fair_shares

TOLERANCE = 1e-9  # against the numbers in a bound; an excess below it is rounding


@dataclass(frozen=True, eq=False)
class Count:
    """One rule on sums in arrays. measure : (P,). group : (R,), -1 none. low, high, fair, earlier : (G,).

    A group keeps the rule where low · z <= sum + earlier <= high · z; z is fair · total for shares, 1 for limits.
    """

    name: str
    measure: Floats
    group: Ints
    low: Floats
    high: Floats
    fair: Floats | None
    earlier: Floats

    @classmethod
    def of(cls, problem: AssignmentProblem, rule: Limit | Share) -> Count:
        """Read a rule."""
        group, names = problem.groups(rule.by)
        n = len(names)
        share = isinstance(rule, Share)
        given = rule.earlier if isinstance(rule, Share) else None
        return cls(
            name=str(rule.name),
            measure=measured(problem, rule),
            group=group,
            low=spread(rule.low, -np.inf, n),
            high=spread(rule.high, np.inf, n),
            fair=fair_shares(problem, rule, group, n) if share else None,
            earlier=np.zeros(n) if given is None else np.asarray(given, dtype=float),
        )

    @cached_property
    def scale(self) -> float:
        """A typical size of what is counted."""
        used = np.abs(self.measure[self.measure != 0])
        return float(used.mean()) if len(used) else 1.0

    def sums(self, pairs: Ints, rep: Ints) -> tuple[Floats, float]:
        """(G,) what each group has of these pairs, and the total; both with what came earlier."""
        group, amount = self.group[rep], self.measure[pairs]
        inside = group >= 0
        each = np.bincount(group[inside], weights=amount[inside], minlength=len(self.low)) + self.earlier
        return each, float(amount.sum() + self.earlier.sum())

    def out(self, sums: Floats, total: Floats | float) -> tuple[Floats, Floats]:
        """(..., G) how far sums are below and above their bounds, in units of the measure; 0 where rounding."""
        low, high = self.bounds(total)
        allowed = TOLERANCE * np.maximum(np.maximum(np.abs(sums), self.scale), 1e-3)
        with np.errstate(invalid="ignore"):
            short, over = low - sums, sums - high
        return np.where(short > allowed, short, 0.0), np.where(over > allowed, over, 0.0)

    def bounds(self, total: Floats | float) -> tuple[Floats, Floats]:
        """(..., G) the bounds in units of the measure. total : (..., 1) or a number."""
        if self.fair is None:
            return self.low, self.high
        level = self.fair * total
        low = np.where(np.isfinite(self.low), np.where(np.isfinite(self.low), self.low, 0.0) * level, -np.inf)
        high = np.where(np.isfinite(self.high), np.where(np.isfinite(self.high), self.high, 0.0) * level, np.inf)
        return low, high


def spread(bound: object, missing: float, size: int) -> Floats:
    """(size,) the bound of each group."""
    return np.array(np.broadcast_to(missing if bound is None else np.asarray(bound, dtype=float), (size,)))


class Counts:
    """All that is summed: effort against capacity and minimum load first, then the rules."""

    def __init__(self, universe: Universe) -> None:
        wide = universe.wide
        self.universe = universe
        self.effort = Count(
            name="",
            measure=wide.effort,
            group=np.arange(wide.n_reps),
            low=np.where(wide.min_load > 0, wide.min_load, -np.inf),
            high=wide.capacity,
            fair=None,
            earlier=np.zeros(wide.n_reps),
        )
        self.rules = tuple(Count.of(wide, rule) for rule in universe.rules)

    def ids(self, count: Count) -> tuple[Ints, Ints]:
        """(G,) the elements of a count's lower and upper bounds, -1 none."""
        at = self.universe.at
        if count is self.effort:
            return at["min_load", "", ""], at["capacity", "", ""]
        return at["rule", count.name, "low"], at["rule", count.name, "high"]

    def broken(self, rep: Ints) -> Bools:
        """(E,) which elements an assignment of all leads breaks. rep : (L,) index, -1 nurture."""
        universe = self.universe
        broken = np.zeros(len(universe.elements) + 1, dtype=bool)  # the last stands for none
        lead = np.flatnonzero(rep >= 0)
        pairs = universe.wide.pairs.position(lead, rep[lead])
        for count in (self.effort, *self.rules):
            sums, total = count.sums(pairs, rep[lead])
            for ids, out in zip(self.ids(count), count.out(sums, total), strict=True):
                broken[ids[out > 0]] = True
        broken[universe.at["must_assign", "", ""][rep < 0]] = True
        broken[universe.at["lock", "", ""][rep != universe.lock]] = True
        code = universe.block[pairs]
        broken[universe.at["eligibility", "", ""][code[code >= 0]]] = True
        first = np.full(len(universe.at["parcel", "", ""]), -2)
        first[universe.parcel[::-1]] = rep[::-1]
        broken[universe.at["parcel", "", ""][universe.parcel[rep != first[universe.parcel]]]] = True
        return broken[:-1]
