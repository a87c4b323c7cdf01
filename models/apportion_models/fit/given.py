"""How good the leads were that each rep was given, and what follows from it.

Managers give good leads to reps whom they trust. Two things follow. The trust tells something of the rep before the own
record can (the mean of a covariate within the group as a predictor of the group's effect: Mundlak 1978). And part of
what such a rep then converts is the leads' doing, for managers also go by what no column tells.

How much, no log can say. It is assumed, as a number on record: what managers see beyond the table counts for `unseen`
of what the table shows (selection on unobservables in proportion to that on observables: Altonji, Elder and Taber
2005). Where leads were dealt without regard to their quality both are nothing, whatever the number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quality_given(logit: Floats, rep_of: NDArray[np.intp], reps: int) -> Floats:
    """(R,) mean lead logit of each rep's leads, as a deviation from the mean of all, shrunk by how far it is luck.

    logit : (n,) by the lead alone. rep_of : (n,) in 0..R−1, each with at least one row. Moments of the one-way layout
    give how much reps really differ in what they were given; 0 for all where that is nothing.
    """
    rows = np.bincount(rep_of, minlength=reps).astype(np.float64)
    away = logit - logit.mean()
    mean = np.bincount(rep_of, weights=away, minlength=reps) / rows
    if reps < 2 or logit.size <= reps:
        return np.zeros(reps)
    within = float(((away - mean[rep_of]) ** 2).sum()) / (logit.size - reps)
    effective = logit.size - float((rows**2).sum()) / logit.size
    between = max(0.0, (float(rows @ mean**2) - (reps - 1) * within) / effective) if effective > 0 else 0.0
    total = between + within / rows
    return np.asarray(np.divide(between, total, out=np.zeros(reps), where=total > 0) * mean, dtype=np.float64)
