"""90 % intervals from what each row adds, with rows that are alike taken together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from apportion_models.validation.slopes import clustered_variance

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

LEVEL = 0.9


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A number and its 90 % interval."""

    value: float
    low: float
    high: float

    @property
    def has_zero(self) -> bool:
        """Whether "no difference" lies in the interval."""
        return self.low <= 0.0 <= self.high

    def holds(self, number: float) -> bool:
        """Whether the number lies in the interval."""
        return self.low <= number <= self.high


def groups_of(labels: NDArray[np.object_]) -> Places:
    """(n,) 0.. the place of each label."""
    return np.asarray(np.unique(labels.astype(str), return_inverse=True)[1], dtype=np.intp)


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """Rows that share more than chance: those of one unit (an account, or a lead of its own) and those of one rep."""

    unit: Places
    rep: Places

    def error(self, influence: Floats) -> tuple[float, int]:
        """Standard error of the sum of `influence` (n,), and its degrees of freedom.

        By units and by reps together, V(unit) + V(rep) − V(both) (Cameron, Gelbach and Miller 2011); where that comes
        out below what units alone give by half, as it can with few groups, by units.
        """
        reps = int(self.rep.max(initial=0)) + 1
        by_unit, by_rep = clustered_variance(influence, self.unit), clustered_variance(influence, self.rep)
        if reps < 2:
            return float(np.sqrt(by_unit)), max(int(self.unit.max(initial=0)), 1)
        both = np.unique(self.unit * reps + self.rep, return_inverse=True)[1]
        variance = by_unit + by_rep - clustered_variance(influence, both)
        if variance < by_unit / 2.0:
            variance = by_unit
        return float(np.sqrt(variance)), reps - 1


def quantile(freedom: int | None = None) -> float:
    """How many standard errors a 90 % interval reaches to either side; None: as of the normal distribution."""
    place = (1.0 + LEVEL) / 2.0
    return float(norm.ppf(place) if freedom is None else student.ppf(place, freedom))


def interval(value: float, error: float, freedom: int | None = None) -> Interval:
    """From a standard error and its degrees of freedom."""
    reach = quantile(freedom) * error
    return Interval(value=float(value), low=float(value - reach), high=float(value + reach))
