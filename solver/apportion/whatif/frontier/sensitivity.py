"""What it costs if the fit is wrong: plans made under other beliefs, each judged by the base's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from apportion.build import Estimates
from apportion.problem import AssignmentProblem
from apportion.whatif.baselines import score
from apportion.whatif.compare.outcome import Outcome
from apportion.whatif.compare.solving import Solver
from apportion.whatif.estimates import estimate
from apportion.whatif.frontier.shared import in_order
from apportion.whatif.scenarios import shrunk
from apportion.whatif.setting import Setting, pose
from apportion_models.errors import UsageError

SHRINKS = (0.25, 0.5, 0.75, 1.0)
COLUMNS = ["belief", "kind", "amount", "status", "moves", "base_plan", "best_plan", "regret", "regret_gap", "judged"]


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """beliefs : one row for each other truth that the fit could have: base_plan, what the base's plan is worth then;
    best_plan, what the plan for it is worth; regret, what is lost by not having known, and regret_gap, how much more it
    may be by the gap of that solve; judged, what the plan for it is worth if the base is right. In currency."""

    beliefs: pd.DataFrame


def sensitivity(
    base: Outcome,
    solver: Solver,
    *,
    shrinks: Sequence[float] = SHRINKS,
    draws: int = 4,
    seed: int = 0,
    workers: int = 2,
) -> Sensitivity:
    """Solve again under beliefs that are shrunk, and that are drawn from what the model does not know.

    Shrunk by s: s of what tells the reps apart is taken away. Drawn: each rep is better or worse than believed, by one
    normal draw a rep in standard errors (`FitModel.predict_spread`), the same for all of the rep's leads.
    """
    if draws < 0 or any(not 0 <= share <= 1 for share in shrinks):
        raise UsageError("draws must be 0 or more, and shrinks from 0 to 1.")
    setting = base.setting
    estimates = estimate(setting.model, setting.tables, setting.policy, at=setting.at)
    beliefs = [("shrunk", float(share), shrunk(estimates, share)) for share in shrinks]
    beliefs += [("drawn", float(k), _drawn(setting, estimates, seed, k)) for k in range(draws)]

    def one(belief: tuple[str, float, Estimates]) -> tuple[object, ...]:
        kind, amount, other = belief
        problem = pose(setting, estimates=other).problem
        return _row(base, solver, kind, amount, problem)

    return Sensitivity(pd.DataFrame(in_order(one, beliefs, workers), columns=COLUMNS))


def _drawn(setting: Setting, estimates: Estimates, seed: int, draw: int) -> Estimates:
    """The fits with each rep moved by a draw; a rep's draw follows from the seed and the rep's place by id."""
    if not len(setting.tables.leads):
        return estimates
    spread = setting.model.predict_spread(setting.tables.leads, setting.tables.reps, at=setting.at)
    normal = np.random.default_rng([seed, draw]).standard_normal(size=(1, spread.shape[1]))
    fit = np.clip(estimates.fit + spread * normal, 0.0, 1.0).astype(np.float32)
    return Estimates(fit, estimates.deal_value, estimates.spread)


def _row(base: Outcome, solver: Solver, kind: str, amount: float, problem: AssignmentProblem) -> tuple[object, ...]:
    title = f"{amount:.0%} alike" if kind == "shrunk" else f"draw {amount + 1:.0f}"
    solved = solver.solve(problem, base.solved)
    plan = solved.plan
    if not plan.status.has_plan:
        return (title, kind, amount, str(plan.status), 0, *[np.nan] * 5)
    kept = score(problem, base.plan.rep).objective
    moves = int((plan.rep != base.plan.rep).sum()) if len(plan.rep) == len(base.plan.rep) else -1
    judged = score(base.solved.problem, plan.rep).objective if moves >= 0 else np.nan
    regret = max(0.0, plan.objective - kept)
    return (
        title,
        kind,
        amount,
        str(plan.status),
        moves,
        kept,
        plan.objective,
        regret,
        plan.bound - plan.objective,
        judged,
    )
