"""How sure a difference is: every plan judged by the base's model, on the same draws of what it does not know.

A draw is one world that the history allows: each rep's effects from their posterior, and one factor for the level of
all chances, log-normal with standard error 1/√(wins in the history). Two plans are compared draw by draw, so that what
they share cancels out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.whatif.compare.outcome import Outcome
from apportion.whatif.setting import Setting

Floats = NDArray[np.float64]
CHUNK = 20_000  # leads whose draws are held at once
LEVEL_STREAM = 0x5EED  # apart from the stream of the reps' effects


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A difference and its interval."""

    value: float
    low: float
    high: float

    @property
    def has_zero(self) -> bool:
        """Whether "no difference" lies in the interval."""
        return self.low <= 0.0 <= self.high


@dataclass(frozen=True, eq=False)
class Judged:
    """A plan as the base's model sees it: predicted sums, and (S,) the sums in each draw."""

    revenue: float
    conversions: float
    drawn_revenue: Floats
    drawn_conversions: Floats


class Judge:
    """The base's model over the reps of all that is compared, so that a rep's draws are the same everywhere."""

    def __init__(self, base: Setting, rosters: list[pd.DataFrame], *, draws: int, seed: int, level: float) -> None:
        self._base, self.draws, self._seed, self.level = base, draws, seed, level
        union = pd.concat([base.tables.reps, *rosters], ignore_index=True)
        self._union = union.drop_duplicates(subset="rep_id", keep="first").reset_index(drop=True)
        wins = max(1, int(base.model.card_["training"]["won"]))
        spread = 1.0 / math.sqrt(wins)
        normal = np.random.default_rng([seed, LEVEL_STREAM]).standard_normal(draws)
        self._factor = np.exp(spread * normal - spread * spread / 2.0)

    @property
    def blind(self) -> bool:
        """Whether the model has no effects of reps: nothing of what is not known of them is in the draws."""
        return bool(self._base.model.scorer_.b.shape[1] == 0)

    def judge(self, outcome: Outcome) -> Judged:
        """The plan of an outcome, in the predicted world and in each draw."""
        batch, rep = outcome.batch, outcome.plan.rep
        leads = batch.leads.iloc[batch.rows].reset_index(drop=True)
        roster, place = self._roster(batch.reps)
        own = np.append(place, -1)[rep]
        fit, value = self._predicted(outcome)
        revenue, conversions = np.zeros(self.draws), np.zeros(self.draws)
        for first in range(0, len(leads), CHUNK):
            some = slice(first, first + CHUNK)
            chance = self._base.model.draw_pairs(
                leads.iloc[some], roster, own[some], at=self._base.at, draws=self.draws, seed=self._seed
            )
            conversions += chance.sum(axis=1)
            revenue += np.einsum("sl,l->s", chance, value[some])
        return Judged(math.fsum(fit * value), math.fsum(fit), revenue * self._factor, conversions * self._factor)

    def _roster(self, reps: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """All reps, those of the scenario with the scenario's own columns, and where each of these stands."""
        mine = reps["rep_id"].astype(str)
        others = self._union[~self._union["rep_id"].astype(str).isin(mine)]
        roster = pd.concat([reps, others], ignore_index=True) if len(others) else reps
        return roster, np.arange(len(reps), dtype=np.int64)

    def _predicted(self, outcome: Outcome) -> tuple[Floats, Floats]:
        """(L,) the base model's chance of each lead with its rep, and its deal value."""
        batch, rep = outcome.batch, outcome.plan.rep
        if outcome.setting.model is self._base.model and not outcome.scenario.fit.shrink:
            return outcome.fit, batch.deal_value
        if not len(rep):
            return np.zeros(0), np.zeros(0)
        leads = batch.leads.iloc[batch.rows].reset_index(drop=True)
        chance = self._base.model.predict_fit(leads, batch.reps, at=self._base.at)
        own = chance[np.arange(len(rep)), np.maximum(rep, 0)].astype(np.float64)
        return np.where(rep >= 0, own, 0.0), self._base.model.predict_deal_value(leads)

    def interval(self, value: float, drawn: Floats) -> Interval:
        """The difference with the quantiles of its draws."""
        if not drawn.any() and value == 0.0:
            return Interval(value=0.0, low=0.0, high=0.0)
        low, high = np.quantile(drawn, [(1 - self.level) / 2, (1 + self.level) / 2])
        return Interval(value=float(value), low=min(float(low), value), high=max(float(high), value))


def difference_of(judge: Judge, one: Outcome, its: Judged, base: Outcome, bases: Judged) -> dict[str, Any]:
    """Revenue, conversions and worth of one outcome less the base's, each with its interval.

    Worth is the plan's objective: what is not expected revenue in it (nurture, costs, bonuses, prices of soft rules) is
    taken as known.
    """
    rest = (one.plan.objective - its.revenue) - (base.plan.objective - bases.revenue)
    earned = its.drawn_revenue - bases.drawn_revenue
    worth = one.plan.objective - base.plan.objective
    return {
        "revenue": judge.interval(its.revenue - bases.revenue, earned),
        "conversions": judge.interval(
            its.conversions - bases.conversions, its.drawn_conversions - bases.drawn_conversions
        ),
        "worth": judge.interval(worth, earned + rest),
    }
