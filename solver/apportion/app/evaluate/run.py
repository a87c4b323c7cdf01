"""Evaluate: fit, test on later leads, cross-fit the plan, compare with the routers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from apportion.app.evaluate.compare import compare
from apportion.app.evaluate.crossfit import plan_side
from apportion.app.evaluate.errors import NotApplicable
from apportion.app.evaluate.halves import split_history
from apportion.app.evaluate.question import Question, pose_question
from apportion.app.evaluate.report import EvaluateReport, PlanValue
from apportion.app.sources import Read, Sources, read_sources
from apportion.policy import Policy, load_policy
from apportion_models import FitModel
from apportion_models.errors import InputError, TableError, UsageError

Step = Callable[[str], None]


@dataclass(frozen=True)
class EvaluateRequest:
    """What to evaluate. Without leads in `sources` the latest month of history is planned. None: the policy's setting.

    gap : of the two plans; None: the policy's, but no tighter than half a per cent.
    level : of the fit; "auto" lets the gate decide on the whole history, and the halves take what it decided.
    """

    sources: Sources
    policy: str | Path | None = None
    at: pd.Timestamp | None = None
    gap: float | None = None
    time_limit: float | None = None
    seed: int | None = None
    level: str = "auto"


def evaluate(request: EvaluateRequest, *, step: Step = lambda _: None) -> EvaluateReport:
    """Evaluate the fit and the plan that it leads to. `step` is told what is being done.

    Raises UsageError without history or reps, InputError for tables or a policy that cannot be used. Data too thin for
    a part of it are no error: the report says "not applicable", and why.
    """
    if request.sources.history is None or request.sources.reps is None:
        raise UsageError("An evaluation needs a history (--history) and the reps (--reps).")
    step("Reading tables")
    read = read_sources(request.sources)
    policy = load_policy(request.policy)
    seed = policy.solve.seed if request.seed is None else request.seed
    if not len(read.tables.reps):
        raise InputError("The reps table must have at least one rep; it has none.")
    question, value, reason = None, None, None
    try:
        question = pose_question(read, request.at)
    except NotApplicable as why:
        reason = str(why)
    step("Learning from the history")
    model = _fit(read, read.history, question, request.level, seed)
    if question is not None:
        try:
            value = _plan_value(model, question, policy, request, seed, step)
        except NotApplicable as why:
            reason = str(why)
    return EvaluateReport(
        at=None if question is None else question.at.isoformat(),
        batch=None if question is None else question.batch,
        currency=policy.currency,
        seed=seed,
        model=model,
        value=value,
        not_applicable=reason,
    )


def _plan_value(
    model: FitModel, question: Question, policy: Policy, request: EvaluateRequest, seed: int, step: Step
) -> PlanValue:
    if not model.evidence_.tested_rows:
        raise NotApplicable(_thin("the history", model))
    assert question.read.history is not None
    halves = split_history(question.read.history, seed=seed)
    models = []
    for number, part in enumerate((halves.first, halves.second), start=1):
        step(f"Learning from half {number}")
        models.append(_half_model(part, question, model.level_, seed))
    sides = []
    for number, half in enumerate(models, start=1):
        step(f"Planning with half {number}")
        sides.append(plan_side(half, question, policy, seed=seed, gap=request.gap, time_limit=request.time_limit))
    step("Comparing with the routers")
    return compare((sides[0], sides[1]), at=question.at, seed=seed, drawn_by=halves.drawn_by)


def _fit(read: Read, history: pd.DataFrame | None, question: Question | None, level: str, seed: int) -> FitModel:
    assert history is not None
    until = None if question is None else question.at
    return FitModel(random_state=seed, level=level).fit(history, read.tables.reps, until=until)


def _half_model(part: pd.DataFrame, question: Question, level: str, seed: int) -> FitModel:
    """The model of one half, at the level of the whole."""
    try:
        half = _fit(question.read, part, question, level, seed)
    except TableError as error:  # the whole history was read without fault: what fails is its size
        raise NotApplicable(f"half of the history is too thin to learn from ({error.findings[0].message})") from error
    if not half.evidence_.tested_rows:
        raise NotApplicable(_thin("half of the history", half))
    return half


def _thin(what: str, model: FitModel) -> str:
    reason = model.evidence_.effects[0].sentence
    inside = reason[reason.index("(") + 1 : reason.rindex(")")] if "(" in reason else reason
    return f"{what} is too thin ({inside})"
