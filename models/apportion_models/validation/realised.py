"""How much of the reps' estimated advantages came true on later leads.

The slope κ of a logistic regression of what became of later leads on the advantage that a model of the past gave to
the rep who had them, with the logit by the lead as offset (the calibration slope of Cox 1958, of the rep part alone).
1: all of it; 0: none, as where reps are alike. Every block of leads is judged by a model that knew only what came
before it, so that the blocks' errors do not add up; the standard error is by rep.

With `given`, how good the leads were that a rep was given, in the regression too, κ rests on what managers did not
select by: trust in a rep, which comes with better leads than the table shows, does not pass for skill.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion_models.validation.slopes import Slopes, clustered_variance, fit_slopes

Floats = NDArray[np.float64]

Z90 = 1.6448536269514722
RIDGE = 1e-3  # on the nuisances, so that a column that never varies does no harm
LEAST_SPREAD = 1e-6  # standard deviation of the advantages below which there is nothing to judge


@dataclass(frozen=True, kw_only=True)
class Realised:
    """κ, its standard error, and the rows that it rests on."""

    share: float
    standard_error: float
    rows: int

    @property
    def low(self) -> float:
        """Lower end of the 90 % interval."""
        return self.share - Z90 * self.standard_error

    @property
    def high(self) -> float:
        """Upper end of the 90 % interval."""
        return self.share + Z90 * self.standard_error

    def state(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


def realised_slopes(label: Floats, base: Floats, advantage: Floats, given: Floats) -> Slopes | None:
    """κ, an intercept and the slope of `given`, with each row's influence; None where all advantages are alike.

    label : (n,) in [0, 1]. base : (n,) logit by the lead. advantage : (n,) what the rep adds, about its mean. given :
    (n,) see above, about its mean.
    """
    if float(advantage.std()) < LEAST_SPREAD:
        return None
    columns = np.column_stack([advantage - advantage.mean(), np.ones(label.size), given - given.mean()])
    start, penalty = np.array([1.0, 0.0, 0.0]), np.array([0.0, RIDGE, RIDGE])
    return fit_slopes(label, base, columns, start=start, penalty=penalty)


def realised_share(
    label: Floats, base: Floats, advantage: Floats, given: Floats, rep_id: NDArray[np.object_]
) -> Realised | None:
    """κ of n later leads, as `realised_slopes`; None where all advantages are alike or a rep stands alone."""
    _, rep_of = np.unique(rep_id.astype(str), return_inverse=True)
    found = realised_slopes(label, base, advantage, given) if rep_of.max(initial=0) > 0 else None
    if found is None:
        return None
    mine = found.influence[:, 0]
    variance = max(clustered_variance(mine, rep_of), float((mine**2).sum()))
    return Realised(share=float(found.theta[0]), standard_error=float(np.sqrt(variance)), rows=int(label.size))
