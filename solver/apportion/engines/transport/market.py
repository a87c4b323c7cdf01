"""A problem of pure counts, as this engine sees it: leads, reps with whole bounds, and the table of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apportion.engines.scaling import fine_scale, whole
from apportion.problem import AssignmentProblem
from apportion.problem.reorder import in_order

if TYPE_CHECKING:
    from apportion.engines.transport.rows import Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_REPS = 4_000  # the reps' network is held as a matrix
WORTHWHILE = 200_000  # pairs up to which loading compiled code takes longer than the network engine's flow
LEADS_PER_REP = 5  # with fewer, paths between reps are many and long
EXACT_BITS = 50  # whole numbers of type float64 that may be added and taken off without rounding
ROUNDING = 1e-9


def supports(problem: AssignmentProblem) -> str | None:
    """None where this engine is exact, else the reason why it is not."""
    if problem.rules:
        return f"'{problem.rules[0].name}' is a rule beside capacity"
    if problem.parcel is not None and len(np.unique(problem.parcel)) < problem.n_leads:
        return "leads that stay together are no counts"
    effort = problem.entries("effort").constant
    if effort is None or effort <= 0:
        return "efforts are not one and the same"
    if problem.n_reps > MOST_REPS:
        return f"there are more than {MOST_REPS} reps"
    return None


def worthwhile(problem: AssignmentProblem) -> str | None:
    """None where this engine is the quickest, else the reason why it is not."""
    if problem.pairs.n_pairs < WORTHWHILE:
        return f"{problem.pairs.n_pairs} pairs are solved before compiled code is loaded"
    if problem.n_leads < LEADS_PER_REP * problem.n_reps:
        return "there are few leads a rep"
    return None


@dataclass(frozen=True, eq=False)
class Market:
    """Leads and reps in the order of their ids; values as whole multiples of 1 / scale.

    rest : (L,) worth of nurture; -big where the lead needs a rep. nurture : (L,) the same in currency; -inf where the
    lead needs a rep. least, most : (R,) leads, whole numbers but in a part of the market. effort : of each lead.
    big : more than any path can gain; 0 where nothing must be.
    """

    table: Table
    rest: Floats
    nurture: Floats
    least: Floats
    most: Floats
    effort: float
    big: float

    @property
    def n_leads(self) -> int:
        """L."""
        return len(self.rest)

    @property
    def n_reps(self) -> int:
        """R."""
        return len(self.most)

    def part(self, leads: Ints) -> Market:
        """Some of the leads, with their part of every rep's bounds."""
        order, share = self.table.order, len(leads) / self.n_leads
        return Market(
            self.table._replace(order=order[leads] if len(order) else leads),
            self.rest[leads],
            self.nurture[leads],
            self.least * share,
            self.most * share,
            self.effort,
            self.big,
        )

    def charge(self, price: Floats) -> Floats:
        """(R,) prices of the reps in the order of the table's columns."""
        return price[self.table.rank]


def read_market(problem: AssignmentProblem, leads: Ints, reps: Ints) -> Market:
    """See a problem in the given order; its values are not copied."""
    from apportion.engines.transport.rows import HALFWAY, Table

    effort = problem.entries("effort").constant
    assert effort is not None
    most = np.floor(np.minimum(problem.capacity / effort * (1 + ROUNDING), problem.n_leads))
    least = np.ceil(np.minimum(problem.min_load / effort * (1 - ROUNDING), problem.n_leads + 1))
    must = bool(problem.must_assign.any() or least.any())
    value, pairs = problem.entries("value"), problem.pairs
    bits = EXACT_BITS - 2 - int(np.ceil(np.log2(problem.n_reps + 2))) - (4 if must else 0)
    scale = fine_scale(max(value.largest, float(np.abs(problem.nurture).max(initial=0.0))), bits)
    big = 2.0 ** (bits + 1 + int(np.ceil(np.log2(problem.n_reps + 2)))) if must else 0.0
    rank = np.empty(problem.n_reps, dtype=np.int32)
    rank[reps] = np.arange(problem.n_reps)
    table = Table(
        data=value.kept if value.kind == "pair" else value.whole(),
        start=np.zeros(0, dtype=np.int64) if pairs.is_dense else pairs.start,
        column=np.zeros(0, dtype=np.int32) if pairs.column is None else pairs.column,
        order=np.zeros(0, dtype=np.int64) if in_order(leads) else leads,
        rank=rank,
        scale=scale,
        halfway=HALFWAY,
    )
    rest = np.where(problem.must_assign, -big, whole(problem.nurture, scale))[leads]
    nurture = np.where(problem.must_assign, -np.inf, problem.nurture)[leads]
    return Market(table, rest, nurture, least[reps], most[reps], effort, big)
