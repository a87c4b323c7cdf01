"""When a window's capacity is expected to be used: read from a plan over leads that stand in the order they arrived.

Mixes shift within a day, a week, a quarter. A router that spends evenly is then too eager in the poor part and too
sparing in the rich one; the plan over a past window knows which part is which, for each rep.
(Balseiro, Kumar, Mirrokni, Sivan and Wang, "Robust budget pacing with a single sample", ICML 2023.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_PARTS = 8
LEADS_PER_PART = 4  # of a rep: fewer say nothing about when
COMMON = 5.0  # leads' worth of everybody's pace, mixed into each rep's own


def pace_of(rep: NDArray[np.int64], effort: NDArray[np.float64], n_reps: int) -> NDArray[np.float64]:
    """(B, R) part of each rep's load that falls in each of B equal parts of the plan; columns add up to 1.

    rep : (L,) of the plan, -1 for nurture. effort : (L,) effort units of the lead at its rep.
    """
    placed = rep >= 0
    per_rep = placed.sum() / n_reps
    parts = int(np.clip(per_rep // LEADS_PER_PART, 1, MOST_PARTS))
    part = np.arange(len(rep)) * parts // max(len(rep), 1)
    load = np.zeros((parts, n_reps))
    np.add.at(load, (part[placed], rep[placed]), effort[placed])
    total = float(load.sum())
    if parts == 1 or total <= 0:
        return np.full((1, n_reps), 1.0)
    common = (load.sum(axis=1) + 0.01 * total / parts) / (1.01 * total)
    mixed = load + (COMMON * total / placed.sum() * common)[:, None]
    return np.asarray(mixed / mixed.sum(axis=0))
