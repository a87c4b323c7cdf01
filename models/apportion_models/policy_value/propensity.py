"""By which chance history gave each lead to each rep, where it was not logged.

A multinomial logistic regression of the rep on the lead's columns, fitted on other leads (cross-fitted), times how busy
each rep was at the time: chance_ij ∝ share of rep j among the leads of the time × how much more often than others j
gets leads like i. What managers went by and no column tells is not in it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_CELLS = 40_000_000  # rows × columns × reps of one regression; beyond it, evenly spaced rows are learned from
STRENGTH = 0.3  # of the regression's inverse ridge
ROUNDS = 60
SMALLEST = 1e-4
BLOCK = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Propensities:
    """dealt, planned : (n,) chance of the rep who had the lead, and of the one the plan gives it."""

    dealt: Floats
    planned: Floats


def estimate_propensities(
    columns: Floats, *, rep: Ints, planned: Ints, period: Ints, fold: Ints, reps: int
) -> Propensities:
    """Estimate from n leads in order of time.

    columns : (n, p) numbers of the leads alone. rep, planned : (n,) index below `reps`. period : (n,) 0.. the time.
    fold : (n,) label; the chances of a fold are learned on the others.
    """
    dealt, wanted = np.zeros(rep.size), np.zeros(rep.size)
    busy = _shares(rep, period, reps)
    for one in np.unique(fold):
        mine, others = np.flatnonzero(fold == one), np.flatnonzero(fold != one)
        if not others.size:
            others = mine
        model, known = _learn(columns, rep, others, reps)
        usual = np.bincount(rep[others], minlength=reps) / others.size
        for first in range(0, mine.size, BLOCK):
            rows = mine[first : first + BLOCK]
            chance = np.zeros((rows.size, reps))
            chance[:, known] = 1.0 if model is None else model.predict_proba(columns[rows]) / usual[known]
            chance[:, usual == 0] = 1.0  # nothing is known of whom they get: like anybody else's leads
            chance *= busy[period[rows]]
            chance /= np.maximum(chance.sum(axis=1, keepdims=True), 1e-300)
            at = np.arange(rows.size)
            dealt[rows], wanted[rows] = chance[at, rep[rows]], chance[at, planned[rows]]
    return Propensities(dealt=np.clip(dealt, SMALLEST, 1.0), planned=wanted)


def _shares(rep: Ints, period: Ints, reps: int) -> Floats:
    """(P, reps) each rep's share of the leads of the period."""
    counts = np.bincount(period * reps + rep, minlength=(int(period.max(initial=0)) + 1) * reps).reshape(-1, reps)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), dtype=np.float64)


def _learn(columns: Floats, rep: Ints, rows: NDArray[np.intp], reps: int) -> tuple[LogisticRegression | None, Ints]:
    """The regression and the reps that it knows; None where there is nothing to tell reps apart by."""
    known = np.unique(rep[rows])
    if known.size < 2 or columns.shape[1] == 0:
        return None, known
    most = max(500, MOST_CELLS // (columns.shape[1] * known.size))
    some = rows[np.unique(np.linspace(0, rows.size - 1, min(rows.size, most)).astype(np.intp))]
    known = np.unique(rep[some])
    if known.size < 2:
        return None, known
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a rough optimum is as good: the ridge is rough too
        model = LogisticRegression(C=STRENGTH, max_iter=ROUNDS).fit(columns[some], rep[some])
    return model, known
