"""What one more slot, or one more rep, is worth in each territory: by solving again, beside the shadow price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem
from apportion.whatif.compare.outcome import Outcome
from apportion.whatif.compare.solving import Solved, Solver
from apportion.whatif.scenarios import Scenario, apply, believed
from apportion.whatif.setting import pose

EVERYWHERE = "all reps"
COLUMNS = ["territory", "what", "reps", "like", "slots", "worth_each", "low_each", "high_each", "shadow_price"]
NEW_REP = "one more rep"


def marginal_values(base: Outcome, solver: Solver, *, slots: float = 1.0, workers: int = 2) -> pd.DataFrame:
    """One row a territory and kind: `slots` more effort units, shared among its primary reps by capacity; and one more
    rep, like the primary rep whose price is the median, without history.

    worth_each, low_each, high_each : gain of worth for one slot (or for the rep), and what it is at least and at most
    by the gaps of both solves. shadow_price : what the base's prices said of it: their mean over those reps, by
    capacity (or the price of the rep that the new one is like, times the slots that the rep brings).
    """
    work = [job for name, reps in _crews(base) for job in ((name, reps, False), (name, reps, True))]

    def one(job: tuple[str, NDArray[np.int64], bool]) -> dict[str, object]:
        name, reps, hire = job
        return _hire(base, solver, name, reps) if hire else _slots(base, solver, name, reps, slots)

    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        return pd.DataFrame(list(pool.map(one, work)), columns=COLUMNS)


def _crews(base: Outcome) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each territory with the reps who cover it as primary and have capacity; all reps where there is no territory."""
    able = base.solved.problem.capacity > 0
    cover = base.batch.policy.territories.cover
    for index, item in enumerate(cover):
        reps = np.flatnonzero((np.asarray(base.batch.eligibility.covers)[index] == 2) & able)
        if len(reps):
            yield item.name, reps
    if not cover and able.any():
        yield EVERYWHERE, np.flatnonzero(able)


def _slots(base: Outcome, solver: Solver, name: str, reps: NDArray[np.int64], slots: float) -> dict[str, object]:
    problem = base.solved.problem
    part = problem.capacity[reps] / problem.capacity[reps].sum()
    capacity = problem.capacity.copy()
    capacity[reps] += slots * part
    shadow = float(base.plan.prices.capacity[reps] @ part)
    gain = _gain(solver.solve(problem.replace(capacity=capacity), base.solved), base.solved)
    return _row(name, "one more slot", reps, "", slots, [amount / slots for amount in gain], shadow)


def _hire(base: Outcome, solver: Solver, name: str, reps: NDArray[np.int64]) -> dict[str, object]:
    problem, prices = base.solved.problem, base.plan.prices.capacity
    like = reps[np.argsort(prices[reps], kind="stable")[len(reps) // 2]]
    twin = problem.rep_ids[like]
    fresh = f"{twin}~new"
    scenario = Scenario.model_validate({"name": NEW_REP, "reps": {"join": [{"rep_id": fresh, "like": twin}]}})
    setting = apply(scenario, base.setting)
    posed: AssignmentProblem = pose(setting, estimates=believed(scenario, setting)).problem
    brings = float(posed.capacity[posed.rep_ids.index(fresh)])
    gain = _gain(solver.solve(posed, base.solved), base.solved)
    return _row(name, NEW_REP, reps, twin, brings, gain, float(prices[like]) * brings)


def _gain(one: Solved, base: Solved) -> list[float]:
    """The gain of worth, and what it is at least and at most; NaN without a plan."""
    if not one.plan.status.has_plan:
        return [np.nan] * 3
    if one.fingerprint == base.fingerprint:
        return [0.0] * 3
    return [
        one.plan.objective - base.plan.objective,
        one.plan.objective - base.plan.bound,
        one.plan.bound - base.plan.objective,
    ]


def _row(
    name: str, what: str, reps: NDArray[np.int64], like: str, slots: float, gain: Sequence[float], shadow: float
) -> dict[str, object]:
    return dict(zip(COLUMNS, (name, what, len(reps), like, slots, *gain, shadow), strict=True))
