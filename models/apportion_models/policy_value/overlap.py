"""How much of a plan the history can tell at all: who ever had such leads, and how many leads the answer rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion_models.policy_value.log import Log

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FARTHEST = 20.0  # weight of a lead above which the model answers instead of the lead (τ of switch-DR)
FEWEST_EFFECTIVE = 200.0
LEAST_WITHIN = 0.1  # share of the plan's leads that history dealt alike often enough to be weighed
BALANCE = (0.8, 1.25)  # within which the weights of the leads that can be weighed must add up to their number
MOST_UNSUPPORTED = 0.5


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """matched : share of leads that the plan gives to the rep who had them. within : share of the plan's leads whose
    weight is at most the farthest. effective : effective number of leads behind the weights, (Σw)² / Σw² (Kish 1965).
    balance : Σw over the leads that can be weighed, against their number; 1 where the chances are right.
    """

    leads: int
    matched: float
    within: float
    effective: float
    balance: float

    @property
    def fault(self) -> str | None:
        """Why weights cannot answer, in words; None where they can."""
        if self.effective < FEWEST_EFFECTIVE:
            return (
                f"too few past leads were dealt as the plan would deal them (an effective sample of "
                f"{self.effective:,.0f}; {FEWEST_EFFECTIVE:,.0f} are the least)"
            )
        if self.within < LEAST_WITHIN:
            return f"history hardly ever gave such leads to such reps ({self.within:.0%} of the plan)"
        if not BALANCE[0] <= self.balance <= BALANCE[1]:
            return (
                f"by which chance leads were dealt cannot be told (their weights add up to {self.balance:.2f} of what "
                "they should)"
            )
        return None


def weights_of(log: Log, farthest: float = FARTHEST) -> Floats:
    """(n,) 1 / chance where the plan agrees with history and that is at most `farthest`; else 0."""
    near = log.hit & (log.chance * farthest >= 1.0)
    return np.where(near, 1.0 / log.chance, 0.0)


def overlap_of(log: Log, farthest: float = FARTHEST) -> Overlap:
    """The overlap of the plan with what history did."""
    weights = weights_of(log, farthest)
    near = np.where(log.hit, log.chance, log.planned_chance) * farthest >= 1.0
    squares = float((weights**2).sum())
    return Overlap(
        leads=log.size,
        matched=float(log.hit.mean()) if log.size else 0.0,
        within=float(near.mean()) if log.size else 0.0,
        effective=float(weights.sum()) ** 2 / squares if squares > 0 else 0.0,
        balance=float(weights.sum()) / float(near.sum()) if near.any() else 0.0,
    )


@dataclass(frozen=True, kw_only=True)
class Unsupported:
    """The part of a plan for which history has no example."""

    column: str | None  # None: reps without any past lead
    share: float  # of the plan's leads

    @property
    def sentence(self) -> str:
        """In words, as a reason."""
        kind = "any lead" if self.column is None else f"a lead with the same {self.column}"
        return f"the plan gives {self.share:.0%} of its leads to reps whom the history never gave {kind}"


def unsupported(
    rep: Ints, planned: Ints, kinds: Mapping[str, Ints], *, most: float = MOST_UNSUPPORTED
) -> Unsupported | None:
    """Where a plan leaves history for good: it deals by an attribute by which history did not vary.

    rep, planned : (n,) who had each lead, and whom the plan gives it. kinds : by column (n,) codes, -1 none. The column
    by which most leads of the plan have no example, if these are more than `most`; None where none has so many.
    """
    worst = Unsupported(column=None, share=_without(rep, planned, np.zeros_like(rep)))
    for column, codes in kinds.items():
        share = _without(rep, planned, codes)
        if share > worst.share + 1e-12:
            worst = Unsupported(column=column, share=share)
    return worst if worst.share > most else None


def _without(rep: Ints, planned: Ints, codes: Ints) -> float:
    """Share of the leads whose planned rep never had one of this code."""
    if not rep.size:
        return 0.0
    width = int(codes.max()) + 2
    seen = np.unique(rep * width + codes + 1)
    return float(1.0 - np.isin(planned * width + codes + 1, seen).mean())
