"""scipy's linear_sum_assignment: a rep is as many columns as there is capacity."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment

from benchmarks.contender import Answer, Ask, Contender
from benchmarks.instances import Instance
from benchmarks.rivals.sums import more_than_counts, nurture_of


def cannot(instance: Instance) -> str | None:
    """Counts only; what is not eligible is worth as little as nurture, so a lead cannot be forced on a rep."""
    return "cannot force every lead on a rep" if instance.must_assign else more_than_counts(instance)


def prepare(instance: Instance) -> tuple[Any, Any, Any]:
    """(L, R) the gain over nurture, never below 0; its columns repeated."""
    value = instance.value.toarray() if bool(sp.issparse(instance.value)) else instance.value
    gain = np.maximum(value - nurture_of(instance)[:, None], 0.0)
    if instance.eligible is not None:
        gain = np.where(instance.eligible, gain, 0.0)
    slot = np.repeat(np.arange(instance.n_reps), instance.capacity.astype(np.int64))
    return gain, slot, gain[:, slot]


def solve(model: tuple[Any, Any, Any], ask: Ask) -> Answer:
    """Knows no time limit."""
    gain, slot, repeated = model
    lead, column = linear_sum_assignment(repeated, maximize=True)
    rep = np.full(len(gain), -1, dtype=np.int64)
    rep[lead] = slot[column]
    rep[gain[np.arange(len(gain)), rep] <= 0] = -1
    return Answer(rep, "optimal")


CONTENDER = Contender("scipy linear_sum_assignment", prepare, solve, cannot)
