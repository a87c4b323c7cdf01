"""Plan with one half's model, and let the routers deal the same batch."""

from __future__ import annotations

from dataclasses import dataclass

import apportion.engines as engines
from apportion.app.evaluate.errors import NotApplicable
from apportion.app.evaluate.question import Question
from apportion.build import Batch, build_batch
from apportion.policy import Policy
from apportion.problem import Status
from apportion.whatif import BASELINES, Baseline, BaselineResult, router_context, run_baselines, score
from apportion.whatif.estimates import estimate, past_rates
from apportion_models import FitModel
from apportion_models.errors import PolicyError, TableError

PLAN = "plan"
WIDEST_GAP = 0.005  # far below the intervals; proving more would cost time and change no verdict


@dataclass(frozen=True, eq=False)
class Side:
    """One model, the batch that it poses, and what the plan and the routers do with it."""

    model: FitModel
    batch: Batch
    choices: tuple[BaselineResult, ...]  # the plan first


def plan_side(
    model: FitModel,
    question: Question,
    policy: Policy,
    *,
    seed: int,
    gap: float | None = None,
    time_limit: float | None = None,
    routers: tuple[Baseline, ...] = BASELINES,
) -> Side:
    """Plan and route the batch by this model. Raises NotApplicable where there is no plan."""
    estimates = estimate(model, question.read.tables, policy, at=question.at)
    try:
        batch = build_batch(policy, question.read.tables, estimates, at=question.at)
    except (PolicyError, TableError) as error:
        if question.given:
            raise
        first = str(error.findings[0]).rstrip(".")
        raise NotApplicable(f"past leads cannot stand in for new ones here; give the leads ({first})") from error
    if not batch.problem.n_leads:
        raise NotApplicable("no lead of the batch stands for assignment")
    limit = policy.solve.time_limit if time_limit is None else time_limit
    close = max(policy.solve.gap, WIDEST_GAP) if gap is None else gap
    plan = engines.solve(batch.problem, gap=close, time_limit=limit, seed=seed)
    if plan.status is Status.INFEASIBLE:
        raise NotApplicable("no plan keeps all hard rules of the policy; `apportion assign` tells which contradict")
    if plan.status is Status.TIME_LIMIT:
        raise NotApplicable("no plan was found within the time limit")
    context = router_context(batch, rank=past_rates(model, batch.reps), seed=seed)
    own = score(batch.problem, plan.rep, name=PLAN, title="This plan")
    return Side(model, batch, (own, *run_baselines(batch.problem, context, baselines=routers)))
