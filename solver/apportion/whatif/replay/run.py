"""Run: what a replay or a simulation gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from apportion.whatif.replay.differences import against
from apportion.whatif.replay.measures import Measured, equity_days, measure
from apportion.whatif.replay.play import Step
from apportion.whatif.replay.stage import Stage, Track
from apportion.whatif.replay.tracks import PLAN
from apportion_models.errors import Finding


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """Every track's batches, decided and measured.

    kind : "replay" or "simulation". worth_is : what `worth` means here, in words. models : when the model was fitted,
    and at which level. facts : what was said of the run. findings : what a person should know of the input.
    """

    kind: str
    worth_is: str
    stage: Stage
    titles: dict[str, str]
    steps: tuple[Step, ...]
    models: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def days(self) -> float:
        """The days over which equity is told for each batch."""
        return equity_days(self.stage.policy)

    @cached_property
    def measured(self) -> Measured:
        """Tables over time, by cohort, by rep, and the totals."""
        return measure(self.steps, self.stage.reps, days=self.days)

    @cached_property
    def against(self) -> pd.DataFrame:
        """How far the policy's plan lies above each other track."""
        return against(self.measured.batches, PLAN)

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """One row a track and lead: the batch in which it was decided, where it went, what was believed of it.

        Each lead is in it exactly once a track; "waiting" are those for whom no batch found a plan until the end.
        """
        last = {track: max(step.number for step in self.steps if step.track == track) for track in self.titles}
        frames = []
        for step in self.steps:
            ends = step.number == last[step.track]
            rows = step.decisions if ends else step.decisions[step.decisions["outcome"] != "waiting"]
            told = rows.assign(track=step.track, batch=step.number, at=step.at)
            frames.append(told[["track", "batch", "at", *rows.columns]])
        made = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
        return made.sort_values(["track", "lead_id"], kind="stable", ignore_index=True)

    @property
    def at_limit(self) -> bool:
        """Whether a solve was cut short by its time limit: another run may then differ."""
        return any(step.cut_short for step in self.steps)


def finished(
    kind: str, worth_is: str, stage: Stage, tracks: Sequence[Track], steps: Sequence[Step], **more: Any
) -> Run:
    """The run of these tracks."""
    titles = {track.name: track.title for track in tracks}
    return Run(kind=kind, worth_is=worth_is, stage=stage, titles=titles, steps=tuple(steps), **more)
