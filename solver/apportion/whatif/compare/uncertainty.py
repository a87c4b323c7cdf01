"""How sure a difference is: both plans judged in the same worlds, drawn from what the base's model does not know.

A world is one whole model that the history allows (`FitModel.worlds`): lead part, what peers share, each rep's effects,
reps without history, how much reps differ at all, deal values. Two plans are compared world by world, so that what they
share cancels out: leads with the same rep in both plans add nothing. The worlds are drawn at the full level, whatever
the gate chose, so that a plan that was optimised on differences which may not be there is judged by how far they may
not be there.
"""

from __future__ import annotations

import math
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from apportion.whatif.compare.outcome import Outcome
from apportion_models.fit import Scene
from apportion_models.policy_value.intervals import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 20_000  # leads whose draws are held at once


class Between(TypedDict):
    """The differences that have intervals."""

    revenue: Interval
    conversions: Interval
    worth: Interval


class Judge:
    """The base's plan in every drawn world, and other plans against it."""

    def __init__(self, ground: Outcome, *, draws: int, seed: int, level: float) -> None:
        self._ground, self._level = ground, level
        self._model, self._at = ground.setting.model, ground.setting.at
        self._worlds = self._model.worlds(draws=draws, seed=seed)
        batch = ground.batch  # all that is shared is made here: outcomes are judged on several threads
        self._scene = self._model.scene(self._worlds, batch.leads, batch.reps, at=self._at)
        plan = _whole_plan(ground)
        self._ground_sums = _sums(self._scene, plan, np.arange(plan.size))
        self._of_ground = self._predicted(ground)

    def between(self, one: Outcome) -> Between:
        """Revenue, conversions and worth of an outcome less the base's, each with its interval.

        Worth is the plan's objective: what is not expected revenue in it (nurture, costs, bonuses, prices of soft
        rules) is taken as known.
        """
        earned, converted = self.drawn(one)
        own, base = self._predicted(one), self._of_ground
        worth = one.plan.objective - self._ground.plan.objective
        rest = worth - (own[0] - base[0])
        return {
            "revenue": self._interval(own[0] - base[0], earned),
            "conversions": self._interval(own[1] - base[1], converted),
            "worth": self._interval(worth, earned + rest),
        }

    def drawn(self, one: Outcome) -> tuple[Floats, Floats]:
        """(S,) differences of revenue and of conversions, one a world."""
        ground, after = self._ground, _whole_plan(one)
        if one.batch.leads is not ground.batch.leads:
            own = self._model.scene(self._worlds, one.batch.leads, one.batch.reps, at=self._at)
            return _difference(_sums(own, after, np.arange(after.size)), self._ground_sums)
        own = self._scene if one.batch.reps is ground.batch.reps else self._scene.among(one.batch.reps)
        before = _whole_plan(ground)
        here = np.append(own.side.rows_in(self._scene.side), -1)[after]
        moved = np.flatnonzero(before != here)
        return _difference(_sums(own, after, moved), _sums(self._scene, before, moved))

    def _predicted(self, outcome: Outcome) -> tuple[float, float]:
        """Expected revenue and conversions of a plan, by the base's model."""
        batch, rep = outcome.batch, outcome.plan.rep
        if outcome.setting.model is self._model and not outcome.scenario.fit.shrink:
            return math.fsum(outcome.fit * batch.deal_value), math.fsum(outcome.fit)
        if not len(rep):
            return 0.0, 0.0
        leads = batch.leads.iloc[batch.rows].reset_index(drop=True)
        chance = self._model.predict_fit(leads, batch.reps, at=self._at)
        own = chance[np.arange(len(rep)), np.maximum(rep, 0)].astype(np.float64)
        fit = np.where(rep >= 0, own, 0.0)
        return math.fsum(fit * self._model.predict_deal_value(leads)), math.fsum(fit)

    def _interval(self, value: float, drawn: Floats) -> Interval:
        """The difference with the quantiles of its draws."""
        if not drawn.any() and value == 0.0:
            return Interval(value=0.0, low=0.0, high=0.0)
        low, high = np.quantile(drawn, [(1 - self._level) / 2, (1 + self._level) / 2])
        return Interval(value=float(value), low=min(float(low), value), high=max(float(high), value))


def _whole_plan(outcome: Outcome) -> Ints:
    """(L,) the rep of every lead of the table, -1 where it stands for no assignment."""
    plan = np.full(len(outcome.batch.leads), -1, dtype=np.int64)
    plan[outcome.batch.rows] = outcome.plan.rep
    return plan


def _sums(scene: Scene, plan: Ints, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """(S,) revenue and conversions of these leads under the plan."""
    revenue, conversions = np.zeros(scene.worlds.draws), np.zeros(scene.worlds.draws)
    placed = rows[plan[rows] >= 0]
    for first in range(0, placed.size, CHUNK):
        some = placed[first : first + CHUNK]
        chance = scene.chances(plan[some], some)
        conversions += chance.sum(axis=1)
        revenue += (chance * scene.values[:, some]).sum(axis=1)
    return revenue, conversions


def _difference(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return one[0] - other[0], one[1] - other[1]
