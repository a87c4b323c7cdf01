"""A world of arrays, cheap enough for hundreds of draws: past leads, a plan that never saw them, and the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from apportion_models.policy_value import Log


@dataclass(frozen=True, kw_only=True)
class Cheap:
    """`kept` of the advantages is true, `own` is what is true beside them, `hidden` how much managers saw beyond the
    table, by which they gave leads to the reps they trusted; `slice_` is the share of leads dealt at random on record.
    """

    seed: int = 0
    rows: int = 3000
    reps: int = 20
    segments: int = 5
    kept: float = 1.0
    own: float = 0.0
    hidden: float = 0.0
    slice_: float = 0.0
    accounts: int = 0
    steep: float = 0.5  # how much more often some reps get some segments

    def draw(self) -> tuple[Log, float, np.ndarray, np.ndarray]:
        """The log with the chances by which leads were really dealt, the plan's true uplift over how they were, and the
        segment and the true propensities (n, R) of the leads."""
        rng = np.random.default_rng(self.seed)
        believed = 0.35 * rng.normal(size=(self.reps, self.segments))
        true = self.kept * believed + self.own * rng.normal(size=believed.shape)
        trust = believed.mean(axis=1) / believed.mean(axis=1).std()
        likes = self.steep * rng.normal(size=believed.shape)
        unit = rng.integers(0, self.accounts, self.rows) if self.accounts else np.arange(self.rows)
        segment = rng.integers(0, self.segments, unit.max() + 1)[unit]
        shared = 0.4 * rng.normal(size=unit.max() + 1)[unit] if self.accounts else np.zeros(self.rows)
        base, unseen = rng.normal(-1.2, 0.6, self.rows), rng.normal(size=self.rows)
        score = likes[:, segment].T + self.hidden * np.outer(unseen, trust)
        chance = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
        slice_ = rng.random(self.rows) < self.slice_
        chance[slice_] = 1.0 / self.reps
        rep = (chance.cumsum(axis=1) < rng.random(self.rows)[:, None]).sum(axis=1).clip(0, self.reps - 1)
        offered = rng.integers(0, self.reps, (self.rows, 3))  # what capacity leaves of the reps
        planned = offered[np.arange(self.rows), believed[offered, segment[:, None]].argmax(axis=1)]
        worth = rng.gamma(4.0, 0.25, self.rows)
        logit = base + shared + self.hidden * unseen
        odds = expit(logit[:, None] + true[:, segment].T)
        every = np.arange(self.rows)
        dealt = (worth[:, None] * odds * chance).sum()
        log = Log(
            label=(rng.random(self.rows) < odds[every, rep]).astype(float),
            worth=worth,
            rep=rep,
            planned=planned,
            base=base,
            advantage=believed[rep, segment],
            planned_advantage=believed[planned, segment],
            given=np.zeros(self.rows),
            unit=unit.astype(str).astype(object),
            chance=chance[every, rep],
            planned_chance=chance[every, planned],
            randomised=slice_,
            fold=np.zeros(self.rows, dtype=np.int64),
        )
        return log, float((worth * odds[every, planned]).sum() / dealt - 1.0), segment, chance
