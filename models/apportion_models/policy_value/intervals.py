"""90 % intervals from what each row adds, with rows that are alike taken together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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


def groups_of(labels: NDArray[Any]) -> Places:
    """(n,) 0.. the place of each label."""
    return np.asarray(np.unique(labels.astype(str), return_inverse=True)[1], dtype=np.intp)


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """Rows that share more than chance: those of one unit (an account, or a lead of its own) and those of one rep.

    Rows of one `fold` are judged by one model, which was fitted on the other folds. The folds' errors are not
    independent: what is noise in one fold is an advantage to the model that judges the other. With `agreement` the
    correlation of the models' advantages, 1 − agreement of these is noise, and so far the folds' errors go together.
    """

    unit: Places
    rep: Places
    fold: NDArray[np.int64]
    agreement: float = 1.0

    def error(self, influence: Floats) -> tuple[float, int]:
        """Standard error of the sum of `influence` (n,), and its degrees of freedom; by unit and by rep."""
        return self._combined(influence, self._by_both), max(int(self.rep.max(initial=0)), 1)

    def error_by_unit(self, influence: Floats) -> float:
        """Standard error of the sum of `influence` (n,) where reps are what they are."""
        return self._combined(influence, lambda mine, rows: clustered_variance(mine, _places(self.unit[rows])))

    def _combined(self, influence: Floats, variance_of: Callable[[Floats, Places], float]) -> float:
        parts = [np.flatnonzero(self.fold == one) for one in np.unique(self.fold)]
        variances = np.array([variance_of(influence[rows], rows) for rows in parts])
        together = float(np.sqrt(variances).sum()) ** 2 - float(variances.sum())
        return float(np.sqrt(variances.sum() + (1.0 - self.agreement) * together))

    def _by_both(self, influence: Floats, rows: Places) -> float:
        """V(unit) + V(rep) − V(both) (Cameron, Gelbach and Miller 2011); by unit where that comes out below half of it,
        as it can with few groups, or where there is but one rep."""
        unit, rep = _places(self.unit[rows]), _places(self.rep[rows])
        by_unit = clustered_variance(influence, unit)
        reps = int(rep.max(initial=0)) + 1
        if reps < 2:
            return by_unit
        both = _places(unit * reps + rep)
        variance = by_unit + clustered_variance(influence, rep) - clustered_variance(influence, both)
        return by_unit if variance < by_unit / 2.0 else variance


def _places(labels: Places) -> Places:
    return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.intp)


def quantile(freedom: int | None = None) -> float:
    """How many standard errors a 90 % interval reaches to either side; None: as of the normal distribution."""
    place = (1.0 + LEVEL) / 2.0
    return float(norm.ppf(place) if freedom is None else student.ppf(place, freedom))


def interval(value: float, error: float, freedom: int | None = None) -> Interval:
    """From a standard error and its degrees of freedom."""
    reach = quantile(freedom) * error
    return Interval(value=float(value), low=float(value - reach), high=float(value + reach))
