"""What choices are worth by the model that planned, its reps' part scaled by what came true in the other half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from apportion.app.evaluate.crossfit import Side
from apportion.app.evaluate.values import DealValues
from apportion_models import FitModel
from apportion_models.policy_value import Calibration

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMALLEST = 1e-9
DRAWS = 400
STEPS = 9  # values of κ at which the mean over reps is taken; between them it is a line


@dataclass(frozen=True, eq=False)
class Judge:
    """One side's batch in currency, lead by lead.

    base : (L,) logit by the lead. advantage : (L, R). deals : by the other side's model. nurture : (L,). allowed :
    (L, R) who may get what. found : what came true of the advantages; None where to the model all reps are alike.
    """

    base: Floats
    advantage: Floats
    deals: DealValues
    nurture: Floats
    allowed: NDArray[np.bool_]
    found: Calibration | None
    side: Side
    at: pd.Timestamp

    @classmethod
    def of(cls, side: Side, stranger: FitModel, found: Calibration | None, at: pd.Timestamp, *, seed: int) -> Judge:
        """The judge of this side's choices. stranger : the model of the other half, which says what deals bring."""
        batch = side.batch
        leads = batch.leads.iloc[batch.rows]
        base, advantage = side.model.advantage(leads, batch.reps, at=at)
        allowed = np.zeros(advantage.shape, dtype=np.bool_)
        allowed[batch.problem.pairs.lead, batch.problem.pairs.rep] = True
        deals = DealValues.of(leads, stranger, draws=DRAWS, seed=seed)
        return cls(base, advantage, deals, batch.problem.nurture, allowed, found, side, at)

    @property
    def share(self) -> float:
        """κ; 0 where to the model all reps are alike."""
        return 0.0 if self.found is None else self.found.share.value

    def revenue(self, share: float | None = None) -> Floats:
        """(L, R) expected revenue, the reps' part scaled by `share`, κ unless it is given."""
        return (
            self._chance(self.base[:, None], self.advantage, self.share if share is None else share)
            * (self.deals.middle[:, None])
        )

    def unknown(self, rep: Ints, *, seed: int) -> Floats:
        """(S, L) draws of what each lead's rep may be beyond what is believed, on the logit.

        κ is told by reps with a past; of one without, this is what the model itself leaves open. A rep's draws follow
        from `seed`, so that choices are compared on the same ones.
        """
        batch = self.side.batch
        leads = batch.leads.iloc[batch.rows]
        drawn = self.side.model.draw_pairs(leads, batch.reps, rep, at=self.at, draws=DRAWS, seed=seed)
        believed = self.base + self.advantage[np.arange(rep.size), np.maximum(rep, 0)]
        return np.where(rep >= 0, logit(np.clip(drawn, SMALLEST, 1.0 - SMALLEST)) - believed, 0.0)

    def worth(self, rep: Ints, value: Floats, shares: Floats | None = None, beyond: Floats | float = 0.0) -> Floats:
        """(S, L) expected revenue of each lead with its rep, at each κ, with what the rep is `beyond` (S, L) that; what
        nurture is worth where it has none. value : (L,) or (S, L) deal values."""
        mine = self.advantage[np.arange(rep.size), np.maximum(rep, 0)]
        kept = np.array([self.share]) if shares is None else shares
        return np.where(rep >= 0, self._chance(self.base + beyond, mine, kept[:, None]) * value, self.nurture)

    def average(self, shares: Floats | None = None) -> Floats:
        """(S, L) chance of each lead whoever gets it of those who may, at each κ."""
        kept = np.array([self.share]) if shares is None else shares
        grid = np.linspace(kept.min(), kept.max(), STEPS) if kept.size > 1 else kept
        count = np.maximum(self.allowed.sum(axis=1), 1)
        chances = (self._chance(self.base[:, None], self.advantage, one) for one in grid)
        at_grid = np.array([(chance * self.allowed).sum(axis=1) / count for chance in chances])
        if grid.size == 1 or grid[0] == grid[-1]:
            return np.repeat(at_grid[:1], kept.size, axis=0)
        place = (kept - grid[0]) / (grid[1] - grid[0])
        below = np.minimum(place.astype(np.intp), grid.size - 2)
        part = (place - below)[:, None]
        return np.asarray((1.0 - part) * at_grid[below] + part * at_grid[below + 1], dtype=np.float64)

    def _chance(self, base: Floats, advantage: Floats, share: Floats | float) -> Floats:
        if self.found is None:  # there is nothing to scale
            return np.asarray(expit(base + advantage + np.zeros_like(share)), dtype=np.float64)
        return self.found.chance(base, advantage, share)


def judges_of(
    sides: tuple[Side, Side], found: Calibration | None, at: pd.Timestamp, *, seed: int
) -> tuple[Judge, Judge]:
    """The judges of both sides; what deals bring, each is told by the other side's model."""
    one, two = sides
    return Judge.of(one, two.model, found, at, seed=seed), Judge.of(two, one.model, found, at, seed=seed)
