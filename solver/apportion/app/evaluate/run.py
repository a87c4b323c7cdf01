"""Evaluate: fit, test on later leads, cross-fit the plan, compare with the routers, ask the past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from apportion.app.evaluate.errors import NotApplicable
from apportion.app.evaluate.question import Question, pose_question
from apportion.app.evaluate.report import Checks, EvaluateReport, PlanValue
from apportion.app.evaluate.study import Fitting, Study, assigned, thin
from apportion.app.sources import Read, Sources, read_sources
from apportion.policy import load_policy, people_rules
from apportion_models import FitModel
from apportion_models.errors import InputError, TableError, UsageError

Step = Callable[[str], None]


@dataclass(frozen=True)
class EvaluateRequest:
    """What to evaluate. Without leads in `sources` the latest month of history is planned. None: the policy's setting.

    gap : of the plans; None: the policy's, but no tighter than half a per cent.
    level : of the fit; "auto" lets the gate decide on the whole history, and the halves take what it decided.
    boosted : as of `FitModel`; the halves take what the whole came to. placebo : whether to run the whole procedure
    once more on reps dealt at random.
    """

    sources: Sources
    policy: str | Path | None = None
    at: pd.Timestamp | None = None
    gap: float | None = None
    time_limit: float | None = None
    seed: int | None = None
    level: str = "auto"
    boosted: bool | str = "auto"
    placebo: bool = True


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
    assert read.history is not None
    fitting = Fitting(seed, request.level, request.boosted, people_rules((policy,)))
    question, model, reason = _posed(read, read.history, request, fitting, step)
    value, checks = None, Checks()
    if question is not None:
        study = Study(question, policy, model, fitting, request.gap, request.time_limit, step)
        try:
            value, checks = _answers(study, placebo=request.placebo)
        except NotApplicable as why:
            reason = str(why)
    return EvaluateReport(
        at=None if question is None else question.at.isoformat(),
        batch=None if question is None else question.batch,
        currency=policy.currency,
        seed=seed,
        model=model,
        value=value,
        checks=checks,
        not_applicable=reason,
        told=read.tables.findings,
    )


def _posed(
    read: Read, history: pd.DataFrame, request: EvaluateRequest, fitting: Fitting, step: Step
) -> tuple[Question | None, FitModel, str | None]:
    """The question, the model that knew what was known then, and why there is no question, where there is none."""
    reps, reason = read.tables.reps, None
    try:
        question = pose_question(read, request.at)
    except NotApplicable as why:
        question, reason = None, str(why)
    step("Learning from the history")
    try:
        return question, fitting.fit(history, reps, None if question is None else question.at), reason
    except TableError:
        if question is None or question.given:
            raise
    nothing = "there are no leads to plan, and no lead of the history was closed before its last month"
    return None, fitting.fit(history, reps, None), nothing


def _answers(study: Study, *, placebo: bool) -> tuple[PlanValue, Checks]:
    if not study.model.evidence_.tested_rows:
        raise NotApplicable(thin("the history", study.model))
    value, past = study.value()
    return value, Checks(
        claim=study.claim(),
        placebo=study.placebo() if placebo else None,
        assigned=assigned(past),
        past=study.past(past),
    )
