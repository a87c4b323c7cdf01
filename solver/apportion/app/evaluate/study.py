"""The parts of an evaluation: each is answered, or not applicable for a reason of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from apportion.app.evaluate.compare import compare
from apportion.app.evaluate.crossfit import Side, plan_side
from apportion.app.evaluate.errors import NotApplicable
from apportion.app.evaluate.halves import split_history
from apportion.app.evaluate.judge import judges_of
from apportion.app.evaluate.past import Past
from apportion.app.evaluate.question import Question
from apportion.app.evaluate.report import PlanValue
from apportion.policy import Policy
from apportion.whatif import BASELINES, Baseline
from apportion_models import FitModel
from apportion_models.errors import TableError
from apportion_models.policy_value import Interval, PolicyValue, calibrate, policy_value
from apportion_models.validation.decision import (
    AssignedCalibration,
    Claim,
    calibration_on_assigned,
    claimed_uplift,
    permuted_reps,
)

ROUND_ROBIN = tuple(one for one in BASELINES if one.name == "round_robin")


@dataclass(frozen=True, eq=False)
class Fitting:
    """How models are fitted here: those of the halves at the level, and with the trees, that the whole came to.

    people : what the policy says of protected attributes, as `people_rules` gives it.
    """

    seed: int
    level: str
    boosted: bool | str
    people: Mapping[str, Any]

    def fit(self, history: pd.DataFrame, reps: pd.DataFrame, until: pd.Timestamp | None) -> FitModel:
        """Learn from what was known at `until`."""
        model = FitModel(random_state=self.seed, level=self.level, boosted=self.boosted, **self.people)
        return model.fit(history, reps, until=until)

    def like(self, model: FitModel) -> Fitting:
        """The same for a part of the history."""
        return Fitting(self.seed, model.level_, model.scorer_.boosted is not None, self.people)


@dataclass(frozen=True, eq=False)
class Study:
    """One question to one history. model : of the whole; fitting : of its halves."""

    question: Question
    policy: Policy
    model: FitModel
    fitting: Fitting
    gap: float | None
    time_limit: float | None
    step: Callable[[str], None]

    def value(self) -> tuple[PlanValue, Past]:
        """The plan beside the routers, and the past as the halves' models see it. Raises NotApplicable."""
        assert self.question.read.history is not None
        return self._crossed(self.question.read.history, BASELINES)

    def placebo(self) -> Interval | None:
        """What the same procedure finds a plan to be worth, over round robin, where reps were dealt at random."""
        assert self.question.read.history is not None
        self.step("Learning from reps dealt at random")
        history = permuted_reps(self.question.read.history, seed=self.fitting.seed)
        try:
            return self._crossed(history, ROUND_ROBIN)[0].against("round_robin").uplift
        except NotApplicable:
            return None

    def past(self, past: Past) -> PolicyValue | None:
        """What the plans of the past would have earned; None where to the models all reps are alike."""
        if calibrate(past.as_dealt) is None:
            return None
        self.step("Planning past leads anew")
        log, kinds = past.planned(self.model, self.question.read.tables.reps, seed=self.fitting.seed)
        return policy_value(log, kinds=kinds)

    def claim(self) -> Claim:
        """What may be claimed for the plan of the whole history, by what came true on later leads.

        Where strengths by kind of lead are not evident, only what reps are good at altogether counts.
        """
        side = self._side(self.model, ())
        batch = side.batch
        base, advantage = self.model.advantage(batch.leads.iloc[batch.rows], batch.reps, at=self.question.at)
        if not self.model.evidence_["rep x segment"].held:
            advantage = np.repeat(advantage.mean(axis=0, keepdims=True), len(advantage), axis=0)
        pairs, room = batch.problem.pairs, np.maximum(batch.problem.capacity, 0.0)
        share = np.zeros(advantage.shape)
        share[pairs.lead, pairs.rep] = room[pairs.rep]
        total = share.sum(axis=1, keepdims=True)
        return claimed_uplift(
            base=base,
            advantage=advantage,
            value=batch.deal_value,
            rep=side.choices[0].rep,
            share=np.divide(share, total, out=np.zeros_like(share), where=total > 0),
            realised=self.model.evidence_.realised,
        )

    def _crossed(self, history: pd.DataFrame, routers: tuple[Baseline, ...]) -> tuple[PlanValue, Past]:
        halves = split_history(history, seed=self.fitting.seed)
        models, parts = [], (halves.first, halves.second)
        for number, part in enumerate(parts, start=1):
            self.step(f"Learning from half {number}")
            models.append(self._half_model(part))
        sides = []
        for number, model in enumerate(models, start=1):
            self.step(f"Planning with half {number}")
            sides.append(self._side(model, routers))
        self.step("Comparing with the routers")
        past = Past.of((models[0], models[1]), parts, self.question.read.tables.reps, self.question.at, halves.drawn_by)
        found = calibrate(past.as_dealt)
        pair, seed = (sides[0], sides[1]), self.fitting.seed
        judges = judges_of(pair, found, self.question.at, seed=seed)
        value = compare(pair, judges, seed=seed, drawn_by=halves.drawn_by)
        return value, past

    def _side(self, model: FitModel, routers: tuple[Baseline, ...]) -> Side:
        return plan_side(
            model,
            self.question,
            self.policy,
            seed=self.fitting.seed,
            gap=self.gap,
            time_limit=self.time_limit,
            routers=routers,
        )

    def _half_model(self, part: pd.DataFrame) -> FitModel:
        """The model of one half, like the model of the whole."""
        try:
            half = self.fitting.like(self.model).fit(part, self.question.read.tables.reps, self.question.at)
        except TableError as error:  # the whole history was read without fault: what fails is its size
            message = error.findings[0].message
            raise NotApplicable(f"half of the history is too thin to learn from ({message})") from error
        if not half.evidence_.tested_rows:
            raise NotApplicable(thin("half of the history", half))
        return half


def assigned(past: Past) -> AssignedCalibration | None:
    """Calibration of past leads whose rep the other half's model thought best for them; None where all seem alike."""
    if calibrate(past.as_dealt) is None:
        return None
    label, chance, advantage = (
        np.concatenate([getattr(seen, name) for seen in past.seen]) for name in ("label", "expected", "advantage")
    )
    return calibration_on_assigned(label, chance, advantage)


def thin(what: str, model: FitModel) -> str:
    """Why nothing could be tested on later leads, as a reason."""
    reason = model.evidence_.effects[0].sentence
    inside = reason[reason.index("(") + 1 : reason.rindex(")")] if "(" in reason else reason
    return f"{what} is too thin ({inside})"
