"""Speed to lead: how the chance decays while a lead waits between its arrival and its first assignment.

logit P falls by δ · log(1 + hours), δ ≥ 0. δ is estimated on the history given what the model says of each lead and
rep; without evidence at the 5 % level it is 0, and with it it is the posterior mean under a normal prior, held to fall.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from apportion_models.features.reps import to_days

Floats = NDArray[np.float64]

SIGNIFICANT = 1.645  # one-sided 5 %
PRIOR_SD = 0.3  # of δ: a wait of e − 1 hours instead of none
FEWEST = 200  # leads whose wait is known
LEAST_SPREAD = 0.05  # standard deviation of log(1 + hours) below which nothing can be told


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What was found of waiting. `slope` is δ; 0: no evidence."""

    slope: float
    standard_error: float | None
    typical: float  # mean of log(1 + hours) in the history: the lead part holds for it
    longest: float  # the longest wait of the history in hours; beyond it nothing more is taken off
    rows: int
    sentence: str

    @classmethod
    def learn(cls, hours: Floats, label: Floats, logit: Floats) -> Waiting:
        """Learn from (n,) hours waited (NaN unknown), labels in [0, 1] and logits without waiting."""
        known = np.isfinite(hours)
        count = int(known.sum())
        log_hours = np.log1p(hours[known])
        if count < FEWEST or float(log_hours.std()) < LEAST_SPREAD:
            return cls._none("How waiting tells cannot be seen: the history hardly knows waits that differ.", count)
        typical = float(log_hours.mean())
        x = np.column_stack([np.ones(count), -(log_hours - typical)])
        found, error = _regress(x, label[known], logit[known])
        if found < SIGNIFICANT * error:
            sentence = f"There is no evidence that leads convert less after waiting (slope {found:.3f}, ±{error:.3f})."
            return cls._none(sentence, count, error)
        slope = found / (1.0 + (error / PRIOR_SD) ** 2)
        longest = float(hours[known].max())
        lost = 1.0 - np.exp(-slope * np.log1p(24.0))
        return cls(
            slope=slope,
            standard_error=error,
            typical=typical,
            longest=longest,
            rows=count,
            sentence=f"Leads convert less after waiting: a day takes about {lost:.0%} of the odds of an early contact.",
        )

    @classmethod
    def _none(cls, sentence: str, rows: int, error: float | None = None) -> Waiting:
        return cls(slope=0.0, standard_error=error, typical=0.0, longest=0.0, rows=rows, sentence=sentence)

    def loss(self, hours: Floats) -> Floats:
        """(n,) what waiting takes off the logit, against the history's typical wait; 0 where the wait is unknown."""
        held = np.log1p(np.minimum(np.maximum(hours, 0.0), self.longest)) - self.typical
        return np.where(np.isfinite(hours), self.slope * held, 0.0)

    def kept(self, chance: Floats, hours: Floats, further: float) -> Floats:
        """(n,) share of `chance` that is left after `further` more hours, in [0, 1] and never rising with them."""
        more = self.loss(hours + further) - self.loss(hours)
        odds = chance / np.maximum(1.0 - chance, 1e-12) * np.exp(-more)
        left = np.minimum(odds / (1.0 + odds) / np.maximum(chance, 1e-12), 1.0)
        return np.where(np.isfinite(hours), left, 1.0)

    def state(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


def waited(leads: pd.DataFrame, at_days: Floats | float) -> Floats:
    """(n,) hours from `created_at` to the moment; NaN where unknown, 0 where it has not come yet."""
    if "created_at" not in leads.columns:
        return np.full(len(leads), np.nan)
    return np.asarray(np.maximum(at_days - to_days(leads["created_at"]), 0.0) * 24.0, dtype=np.float64)


def _regress(x: Floats, label: Floats, offset: Floats) -> tuple[float, float]:
    """Second coefficient of a logistic regression with an offset, and its standard error (sandwich)."""
    theta = np.zeros(2)
    for _ in range(30):
        chance = expit(offset + x @ theta)
        information = (x * (chance * (1.0 - chance))[:, None]).T @ x + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, x.T @ (label - chance))
        theta += step
        if np.abs(step).max() < 1e-9:
            break
    score = x * (label - chance)[:, None]
    inverse = np.linalg.inv(information)
    return float(theta[1]), float(np.sqrt((inverse @ (score.T @ score) @ inverse)[1, 1]))
