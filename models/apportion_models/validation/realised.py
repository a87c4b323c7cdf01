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
from scipy.special import expit

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


def realised_share(
    label: Floats, base: Floats, advantage: Floats, given: Floats, rep_id: NDArray[np.object_]
) -> Realised | None:
    """κ of n later leads; None where all advantages are alike or a rep stands alone.

    label : (n,) in [0, 1]. base : (n,) logit by the lead. advantage : (n,) what the rep adds. given : (n,) see above.
    """
    ids, rep_of = np.unique(rep_id.astype(str), return_inverse=True)
    if ids.size < 2 or float(advantage.std()) < LEAST_SPREAD:
        return None
    columns = np.column_stack([advantage - advantage.mean(), np.ones(label.size), given - given.mean()])
    penalty = np.array([0.0, RIDGE, RIDGE])
    theta = np.array([1.0, 0.0, 0.0])
    for _ in range(50):
        chance = np.asarray(expit(base + columns @ theta), dtype=np.float64)
        weight = np.maximum(chance * (1.0 - chance), 1e-9)
        information = (columns * weight[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(information, columns.T @ (label - chance) - penalty * theta)
        theta += step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    score = columns * (label - chance)[:, None]
    by_rep = np.column_stack([np.bincount(rep_of, weights=score[:, k], minlength=ids.size) for k in range(3)])
    inverse = np.linalg.inv(information)
    clustered = (inverse @ (by_rep.T @ by_rep) @ inverse)[0, 0] * ids.size / (ids.size - 1)
    plain = (inverse @ (score.T @ score) @ inverse)[0, 0]
    error = float(np.sqrt(max(clustered, plain)))
    return Realised(share=float(theta[0]), standard_error=error, rows=int(label.size))
