"""The plan against each router, cross-fitted, with intervals.

Each replicate draws units (leads that stay together count as one) with replacement, and the judges' rep effects from
their posterior; the plan and the routers see the same draws, so that the differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.app.evaluate.crossfit import Judge, Side
from apportion.app.evaluate.errors import NotApplicable
from apportion.app.evaluate.report import Comparison, Interval, PlanValue

Floats = NDArray[np.float64]

DRAWS = 400
LEVEL = 0.9
FEWEST_UNITS = 20
LARGEST = 2_000_000  # numbers of one block of draws


@dataclass(frozen=True, eq=False)
class Totals:
    """Cross-fitted sums in currency of one choice; `worth` (S,) and `matched` (S,) by replicate."""

    value: float
    matched_value: float
    worth: Floats
    matched: Floats


def compare(sides: tuple[Side, Side], *, at: pd.Timestamp, seed: int, drawn_by: str) -> PlanValue:
    """The plan of each side and its routers, scored by the other side's model, averaged."""
    judges = (Judge.of(sides[1]), Judge.of(sides[0]))
    unit = _units(sides[0])
    n_units = int(unit.max()) + 1
    if n_units < FEWEST_UNITS:
        raise NotApplicable(
            f"the batch has {n_units} leads or groups of leads, and {FEWEST_UNITS} are the least to judge"
        )
    totals = [_totals(sides, judges, place, unit, at, seed) for place in range(len(sides[0].choices))]
    plan = totals[0]
    if plan.value <= 0:
        raise NotApplicable("the plan earns nothing: no lead is placed, or none has any value")
    predicted = float(np.mean([Judge.of(side).worth(side.choices[0].rep).sum() for side in sides]))
    chosen = list(zip(*(side.choices for side in sides), strict=True))
    return PlanValue(
        leads=sides[0].batch.problem.n_leads,
        units=n_units,
        placed=float(np.mean([side.choices[0].n_placed for side in sides])),
        drawn_by=drawn_by,
        levels=(sides[0].model.level_, sides[1].model.level_),
        cross_fitted=plan.value,
        soft_price=_soft_price(sides, 0),
        predicted=predicted,
        optimism=predicted / plan.value - 1.0,
        comparisons=tuple(
            Comparison(
                name=pair[0].name,
                title=pair[0].title,
                placed=float(np.mean([one.n_placed for one in pair])),
                cross_fitted=other.value,
                gain=_interval(plan.value - other.value, plan.worth - other.worth),
                matching=_interval(plan.matched_value - other.matched_value, plan.matched - other.matched),
                uplift=_relative(plan, other),
                soft_price=_soft_price(sides, place),
                broken_rules=tuple(sorted({rule for one in pair for rule in one.broken_rules})),
            )
            for place, (pair, other) in enumerate(zip(chosen[1:], totals[1:], strict=True), start=1)
        ),
    )


def _soft_price(sides: tuple[Side, Side], place: int) -> float:
    """What the policy charges this choice for the soft rules that it breaks: its values less its objective."""
    prices = []
    for side in sides:
        problem, choice = side.batch.problem, side.choices[place]
        placed = choice.rep >= 0
        pair = problem.pairs.position(np.flatnonzero(placed), choice.rep[placed])
        values = problem.value[pair].sum() + problem.nurture[~placed].sum()
        prices.append(max(0.0, float(values) - choice.objective))
    return float(np.mean(prices))


def _units(side: Side) -> NDArray[np.int64]:
    """(L,) 0.. the unit of each lead."""
    parcel, n_leads = side.batch.problem.parcel, side.batch.problem.n_leads
    if parcel is None:
        return np.arange(n_leads)
    return np.asarray(np.unique(parcel, return_inverse=True)[1], dtype=np.int64)


def _totals(
    sides: tuple[Side, Side],
    judges: tuple[Judge, Judge],
    place: int,
    unit: NDArray[np.int64],
    at: pd.Timestamp,
    seed: int,
) -> Totals:
    value = matched = 0.0
    worth_drawn, matched_drawn = np.zeros(DRAWS), np.zeros(DRAWS)
    for fold, (side, judge) in enumerate(zip(sides, judges, strict=True)):
        rep = side.choices[place].rep
        value += float(judge.worth(rep).sum()) / 2
        matched += float(judge.matched(rep).sum()) / 2
        # The same weights and the same effects for every choice: seeds depend on the fold alone.
        drawn = judge.drawn(rep, at, draws=DRAWS, seed=2 * seed + fold)
        above = np.where(rep >= 0, drawn - judge.average, 0.0)
        for first, weights in _weights(unit, seed):
            some = slice(first, first + len(weights))
            worth_drawn[some] += np.einsum("sl,sl->s", weights, drawn[some]) / 2
            matched_drawn[some] += np.einsum("sl,sl->s", weights, above[some]) / 2
    return Totals(value, matched, worth_drawn, matched_drawn)


def _weights(unit: NDArray[np.int64], seed: int) -> Iterator[tuple[int, Floats]]:
    """In blocks of replicates: (first, (s, L) how often each lead's unit was drawn)."""
    random = np.random.default_rng(seed)
    n_units = int(unit.max()) + 1
    step = max(1, LARGEST // unit.size)
    for first in range(0, DRAWS, step):
        count = min(step, DRAWS - first)
        drawn = random.multinomial(n_units, np.full(n_units, 1.0 / n_units), size=count)
        yield first, drawn[:, unit].astype(np.float64)


def _interval(value: float, drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value=float(value), low=float(low), high=float(high))


def _relative(plan: Totals, other: Totals) -> Interval | None:
    """Plan / other − 1; None where the other earns nothing."""
    if other.value <= 0 or (other.worth <= 0).any():
        return None
    return _interval(plan.value / other.value - 1.0, plan.worth / other.worth - 1.0)
