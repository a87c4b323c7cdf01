"""What a router knows beyond the problem: order of arrival, scores, owners, weights, territories, rank of reps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem
from apportion_models.errors import UsageError


@dataclass(frozen=True)
class Memory:
    """What a router remembers from one batch to the next, by rep id. It belongs to one router, which writes into it.

    last : who got the last lead of each turn (`""`: the turn of all; else a territory's label). credit : of the
    weighted router.
    """

    last: dict[str, str] = field(default_factory=dict)
    credit: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class RouterContext:
    """Optional facts. L leads, R reps, T territories, in the order of the problem.

    order : (L,) lead indices, first to arrive first (created_at, then lead_id); default: by lead id.
    score : (L,) the higher the better; default: the leads' opportunity.
    owner : (L,) rep index of the current owner of the lead or its account, -1 none; default: none.
    weights : (R,) share of leads for the weighted router, >= 0; default: capacity.
    territory : (L,) territory label, 0 to T - 1, -1 none; default: none.
    cover : (T, R) bool, who takes part in a territory's rotation; default: every eligible rep.
    rank : (R,) level or past rate, the higher the better, for the score-tiered router; default: mean revenue of the
        rep's pairs.
    already : (R,) effort units that each rep has open before the batch, for the least-loaded router; default: none.
    shotgun : how many reps a lead is offered to at a time. seed : of the order in which offered reps answer.
    memory : of the batches before, and for those to come; default: the batch stands alone.
    """

    order: NDArray[np.int64] | None = None
    score: NDArray[np.float64] | None = None
    owner: NDArray[np.int64] | None = None
    weights: NDArray[np.float64] | None = None
    territory: NDArray[np.int64] | None = None
    cover: NDArray[np.bool_] | None = None
    rank: NDArray[np.float64] | None = None
    already: NDArray[np.float64] | None = None
    shotgun: int = 5
    seed: int = 0
    memory: Memory | None = None

    def checked(self, problem: AssignmentProblem) -> RouterContext:
        """Give a context with every default filled in; UsageError names what does not fit the problem."""
        n_leads, n_reps = problem.n_leads, problem.n_reps
        none = np.full(n_leads, -1, dtype=np.int64)
        order = np.argsort(np.array(problem.lead_ids, dtype=str)) if self.order is None else np.asarray(self.order)
        if not np.array_equal(np.sort(order), np.arange(n_leads)):
            raise UsageError(f"order must name each of the {n_leads} leads once, by index.")
        territory = _labels("territory", none if self.territory is None else self.territory, n_leads)
        n_territories = int(territory.max(initial=-1)) + 1
        cover = np.ones((n_territories, n_reps), dtype=bool) if self.cover is None else np.asarray(self.cover)
        if cover.dtype != np.bool_ or cover.ndim != 2 or cover.shape[0] < n_territories or cover.shape[1] != n_reps:
            raise UsageError(
                f"cover must be bool of shape ({n_territories}, {n_reps}). Got {cover.dtype} {cover.shape}."
            )
        if self.shotgun < 1:
            raise UsageError(f"shotgun must be 1 or more. Got {self.shotgun}.")
        weights = _numbers("weights", problem.capacity if self.weights is None else self.weights, n_reps)
        if (weights < 0).any():
            raise UsageError(f"weights must be 0 or more. Got {float(weights.min())}.")
        owner = _labels("owner", none if self.owner is None else self.owner, n_leads)
        if (owner >= n_reps).any():
            raise UsageError(f"owner must be below {n_reps}, the number of reps, or -1. Got {int(owner.max())}.")
        return RouterContext(
            order=order.astype(np.int64),
            score=_numbers("score", problem.opportunity if self.score is None else self.score, n_leads),
            owner=owner,
            weights=weights,
            territory=territory,
            cover=cover,
            rank=_numbers("rank", _mean_revenue(problem) if self.rank is None else self.rank, n_reps),
            already=_numbers("already", np.zeros(n_reps) if self.already is None else self.already, n_reps),
            shotgun=self.shotgun,
            seed=self.seed,
            memory=Memory() if self.memory is None else self.memory,
        )


def _mean_revenue(problem: AssignmentProblem) -> NDArray[np.float64]:
    """(R,) mean over each rep's eligible pairs, rounded so that the order of rows cannot show in it."""
    count = np.bincount(problem.pairs.rep, minlength=problem.n_reps)
    total = np.bincount(problem.pairs.rep, weights=problem.revenue, minlength=problem.n_reps)
    mean = total / np.maximum(count, 1)
    return np.asarray(np.round(mean, 9), dtype=np.float64)


def _numbers(name: str, given: Any, size: int) -> NDArray[np.float64]:
    array = np.asarray(given, dtype=np.float64)
    if array.shape != (size,) or not np.isfinite(array).all():
        raise UsageError(f"{name} must be ({size},) finite numbers. Got shape {array.shape}.")
    return array


def _labels(name: str, given: Any, size: int) -> NDArray[np.int64]:
    array = np.asarray(given)
    if array.shape != (size,) or not (size == 0 or np.issubdtype(array.dtype, np.integer)):
        raise UsageError(f"{name} must be ({size},) integers. Got {array.dtype} of shape {array.shape}.")
    return array.astype(np.int64)
