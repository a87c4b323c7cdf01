"""The plan against each router, cross-fitted, with intervals.

Each replicate draws units (leads that stay together count as one) with replacement, how much of the advantages is true,
and what deals bring; the plan and the routers see the same draws, so that the differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.app.evaluate.crossfit import Side
from apportion.app.evaluate.errors import NotApplicable
from apportion.app.evaluate.judge import DRAWS, Judge
from apportion.app.evaluate.report import Comparison, PlanValue
from apportion_models.policy_value import Calibration, Interval
from apportion_models.policy_value.intervals import LEVEL
from apportion_models.validation.decision import GainSources, gain_sources

Floats = NDArray[np.float64]

FEWEST_UNITS = 20
LARGEST = 2_000_000  # numbers of one block of draws


@dataclass(frozen=True, eq=False)
class Totals:
    """Cross-fitted sums in currency of one choice; `worth` (S,) and `matched` (S,) by replicate."""

    value: float
    matched_value: float
    worth: Floats
    matched: Floats


def compare(sides: tuple[Side, Side], judges: tuple[Judge, Judge], *, seed: int, drawn_by: str) -> PlanValue:
    """The plan of each side and its routers, scored by the side's judge, averaged."""
    unit = _units(sides[0])
    n_units = int(unit.max()) + 1
    if n_units < FEWEST_UNITS:
        raise NotApplicable(
            f"the batch has {n_units} {'lead' if n_units == 1 else 'leads or groups of leads'}, and {FEWEST_UNITS} are "
            "the least to judge"
        )
    totals = _totals(sides, judges, unit, seed)
    plan = totals[0]
    if plan.value <= 0:
        raise NotApplicable("the plan earns nothing: no lead is placed, or none has any value")
    predicted = float(np.mean([_claimed(side, 0) for side in sides]))
    return PlanValue(
        leads=sides[0].batch.problem.n_leads,
        units=n_units,
        placed=float(np.mean([side.choices[0].n_placed for side in sides])),
        drawn_by=drawn_by,
        share=None if judges[0].found is None else judges[0].found.share,
        discount=None if judges[0].found is None else judges[0].found.discount,
        cross_fitted=plan.value,
        soft_price=_soft_price(sides, 0),
        stated=judges[0].deals.own,
        predicted=predicted,
        optimism=predicted / plan.value - 1.0,
        comparisons=tuple(
            _comparison(sides, judges, place, plan, other) for place, other in enumerate(totals[1:], start=1)
        ),
    )


def _comparison(
    sides: tuple[Side, Side], judges: tuple[Judge, Judge], place: int, plan: Totals, other: Totals
) -> Comparison:
    pair = [side.choices[place] for side in sides]
    return Comparison(
        name=pair[0].name,
        title=pair[0].title,
        placed=float(np.mean([one.n_placed for one in pair])),
        cross_fitted=other.value,
        gain=_interval(plan.value - other.value, plan.worth - other.worth),
        matching=_interval(plan.matched_value - other.matched_value, plan.matched - other.matched),
        uplift=_relative(plan, other),
        sources=_sources(sides, judges, place),
        soft_price=_soft_price(sides, place),
        broken_rules=tuple(sorted({rule for one in pair for rule in one.broken_rules})),
    )


def _sources(sides: tuple[Side, Side], judges: tuple[Judge, Judge], place: int) -> GainSources:
    """Where the gain over this router comes from, by both judges."""
    found = [
        gain_sources(judge.revenue(), side.choices[0].rep, side.choices[place].rep, nurture=judge.nurture)
        for side, judge in zip(sides, judges, strict=True)
    ]
    return GainSources(
        **{name: float(np.mean([getattr(one, name) for one in found])) for name in ("placed", "stars", "fit")}
    )


def _claimed(side: Side, place: int) -> float:
    """What the model says of its own choice."""
    rep, problem = side.choices[place].rep, side.batch.problem
    mine = side.batch.fit[np.arange(rep.size), np.maximum(rep, 0)].astype(np.float64) * side.batch.deal_value
    return float(np.where(rep >= 0, mine, problem.nurture).sum())


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


def drawn_shares(found: Calibration | None, seed: int) -> Floats:
    """(S,) how much of the advantages is true, as far as the history leaves that open for the reps that it knows. What
    each of them is beyond that is drawn apart (`Judge.unknown`). The noise is of many leads, and so it is normal."""
    if found is None:
        return np.zeros(DRAWS)
    return found.share.value + found.noise * np.random.default_rng(seed + 1).standard_normal(DRAWS)


def _totals(sides: tuple[Side, Side], judges: tuple[Judge, Judge], unit: NDArray[np.int64], seed: int) -> list[Totals]:
    """By choice. The same weights and the same shares for all of them, and for both sides."""
    shares = drawn_shares(judges[0].found, seed)
    trust = np.random.default_rng(seed + 2).random(DRAWS)  # of what leads say they are worth
    count = len(sides[0].choices)
    value, matched = np.zeros(count), np.zeros(count)
    worth_drawn, matched_drawn = np.zeros((count, DRAWS)), np.zeros((count, DRAWS))
    for fold, (side, judge) in enumerate(zip(sides, judges, strict=True)):
        known = judge.deals.middle
        middle = judge.average()[0] * known
        beyond = [judge.unknown(choice.rep, seed=2 * seed + fold) for choice in side.choices]
        for place, choice in enumerate(side.choices):
            worth = judge.worth(choice.rep, known)[0]
            value[place] += float(worth.sum()) / 2
            matched[place] += float(np.where(choice.rep >= 0, worth - middle, 0.0).sum()) / 2
        for some, weights in _weights(unit, seed):
            deal = judge.deals.at(trust[some], some)
            average = judge.average(shares[some]) * deal
            for place, choice in enumerate(side.choices):
                drawn = judge.worth(choice.rep, deal, shares[some], beyond[place][some])
                above = np.where(choice.rep >= 0, drawn - average, 0.0)
                worth_drawn[place, some] += np.einsum("sl,sl->s", weights, drawn) / 2
                matched_drawn[place, some] += np.einsum("sl,sl->s", weights, above) / 2
    return [Totals(*one) for one in zip(value.tolist(), matched.tolist(), worth_drawn, matched_drawn, strict=True)]


def _weights(unit: NDArray[np.int64], seed: int) -> Iterator[tuple[slice, Floats]]:
    """In blocks of replicates: (which, (s, L) how often each lead's unit was drawn)."""
    random = np.random.default_rng(seed)
    n_units = int(unit.max()) + 1
    step = max(1, LARGEST // unit.size)
    for first in range(0, DRAWS, step):
        count = min(step, DRAWS - first)
        drawn = random.multinomial(n_units, np.full(n_units, 1.0 / n_units), size=count)
        yield slice(first, first + count), drawn[:, unit].astype(np.float64)


def _interval(value: float, drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value=float(value), low=float(low), high=float(high))


def _relative(plan: Totals, other: Totals) -> Interval | None:
    """Plan / other − 1; None where the other earns nothing."""
    if other.value <= 0 or (other.worth <= 0).any():
        return None
    return _interval(plan.value / other.value - 1.0, plan.worth / other.worth - 1.0)
