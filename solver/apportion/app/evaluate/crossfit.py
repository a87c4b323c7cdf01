"""Plan with one half's model, score with the other's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import apportion.engines as engines
from apportion.app.evaluate.errors import NotApplicable
from apportion.app.evaluate.question import Question
from apportion.build import Batch, build_batch
from apportion.policy import Policy
from apportion.problem import Status
from apportion.whatif import BaselineResult, router_context, run_baselines, score
from apportion.whatif.estimates import estimate, past_rates
from apportion_models import FitModel
from apportion_models.errors import PolicyError, TableError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PLAN = "plan"
WIDEST_GAP = 0.005  # far below the intervals; proving more would cost time and change no verdict


@dataclass(frozen=True, eq=False)
class Side:
    """One half's model, the batch that it poses, and what the plan and the routers do with it."""

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
    return Side(model, batch, (own, *run_baselines(batch.problem, context)))


@dataclass(frozen=True, eq=False)
class Judge:
    """A model that scores the plans of the other, lead by lead, in currency.

    deal_value, nurture, average : (L,). revenue : (L, R). `average` is the mean expected revenue of the reps who may
    get the lead: what it is worth whoever gets it.
    """

    side: Side
    revenue: Floats
    deal_value: Floats
    nurture: Floats
    average: Floats

    @classmethod
    def of(cls, side: Side) -> Judge:
        """The judge that this side's model makes."""
        batch = side.batch
        revenue = batch.fit.astype(np.float64) * batch.deal_value[:, None]
        problem = batch.problem
        return cls(side, revenue, batch.deal_value, problem.nurture, problem.opportunity)

    def worth(self, rep: Ints) -> Floats:
        """(L,) expected revenue of each lead with its rep; what nurture is worth where it has none."""
        return np.where(rep >= 0, self.revenue[np.arange(rep.size), np.maximum(rep, 0)], self.nurture)

    def matched(self, rep: Ints) -> Floats:
        """(L,) what the lead earns above the average rep: the part that comes from who gets it."""
        return np.where(rep >= 0, self.worth(rep) - self.average, 0.0)

    def drawn(self, rep: Ints, at: pd.Timestamp, *, draws: int, seed: int) -> Floats:
        """(S, L) posterior draws of `worth`, by what this model does not know of the reps."""
        batch = self.side.batch
        leads = batch.leads.iloc[batch.rows]
        chance = self.side.model.draw_pairs(leads, batch.reps, rep, at=at, draws=draws, seed=seed)
        return np.where(rep >= 0, chance * self.deal_value, self.nurture)
