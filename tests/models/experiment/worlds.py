"""Experiments whose truth is known: leads, arms, shared capacity, accounts, shocks of the day, and slow wins."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from apportion_models.experiment import Design, Guardrail, MetricRules, Rules
from apportion_models.experiment.blocks import contrasts

START = pd.Timestamp("2025-01-06", tz="UTC")
BASE = 0.12
WITHIN = 30.0


def design(kind: str = "capacity_split", *, arms: int = 2, window_days: float = 1.0, salt: str = "s") -> Design:
    names = ("control", "joint", "third", "fourth")[:arms]
    return Design(kind=kind, arms=names, start=START, salt=salt, window_days=window_days)  # type: ignore[arg-type]


def rules(
    *,
    horizon: int = 40,
    per_block: float = 100.0,
    base: float = BASE,
    worth: float = 0.1,
    margin: float = 0.05,
    shock: float = 0.0,
    adjust: bool = False,
    guardrails: tuple[Guardrail, ...] = (),
    metric: str = "conversion",
) -> Rules:
    size = per_block / 4.0
    sd = float(np.sqrt(base * (1 - base) * (1 / size + shock)))
    return Rules(
        metric=metric,  # type: ignore[arg-type]
        metrics={
            "conversion": MetricRules(baseline=base, block_sd=sd),
            "revenue": MetricRules(baseline=base * 1000.0, block_sd=sd * 1500.0, cap=10_000.0),
        },
        within_days=WITHIN,
        worth=worth * (base if metric == "conversion" else base * 1000.0),
        margin=margin * (base if metric == "conversion" else base * 1000.0),
        horizon=horizon,
        planned_size=size,
        shock=shock,
        adjust=adjust,
        guardrails=guardrails,
    )


@dataclass
class Trial:
    """One experiment's log and what became of its leads. lift : relative, by arm; the control's is 0."""

    made: Design
    lift: tuple[float, ...] = (0.0, 0.0)
    blocks: int = 40
    per_window: int = 100
    seed: int = 0
    base: float = BASE
    day_shock: float = 0.0
    accounts: int | None = None
    account_sd: float = 0.0
    win_days: float = 10.0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        arm, window, block, account, chance = self.drawn(rng)
        n = arm.size
        won = rng.random(n) < chance
        day = (window + rng.random(n)) * self.made.window_days
        delay = np.where(won, rng.exponential(self.win_days, n), 5.0)
        self.chance = chance
        at = START + pd.to_timedelta(day, unit="D")
        self.log = pd.DataFrame(
            {
                "lead_id": [f"L{i:06d}" for i in range(n)],
                "unit": account.astype(str),
                "arm": np.array(self.made.arms, dtype=object)[arm],
                "propensity": np.array(self.made.shares)[arm],
                "at": at,
                "window": window,
                "block": block,
                "rep_id": [f"R{i % 5}" for i in range(n)],
                "effort": 1.0,
                "opportunity": 100.0,
            }
        )
        self.history = pd.DataFrame(
            {
                "lead_id": self.log["lead_id"],
                "rep_id": self.log["rep_id"],
                "assigned_at": at,
                "outcome": np.where(won, "won", "lost"),
                "closed_at": at + pd.to_timedelta(delay, unit="D"),
                "deal_value": np.where(won, np.exp(rng.normal(6.2, 1.2, n)), np.nan),
            }
        )

    def drawn(self, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """(n,) each: arm, window, block, account and true chance of every lead."""
        windows = self.blocks * self.made.block_windows
        n = windows * self.per_window
        window = np.repeat(np.arange(windows), self.per_window)
        block = self.made.blocks_of(window)
        account = np.arange(n) if self.accounts is None else rng.integers(0, self.accounts, n)
        if self.made.kind == "switchback":
            arm = np.array([self.made.window_arm(int(w)) for w in range(windows)])[window]
        else:
            draw = rng.random(n) if self.accounts is None else rng.random((self.blocks, self.accounts))[block, account]
            arm = np.searchsorted(np.cumsum(self.made.shares)[:-1], draw, side="right")
        own = self.account_sd * rng.standard_normal(int(account.max()) + 1)
        shock = self.day_shock * rng.standard_normal(windows)
        odds = np.log(self.base / (1 - self.base)) + own[account] + shock[window]
        chance = np.clip(1 / (1 + np.exp(-odds)) * (1 + np.array(self.lift)[arm]), 0, 1)
        return arm, window, block, account, chance

    @classmethod
    def effects(cls, made: Design, runs: int, **given: Any) -> tuple[np.ndarray, np.ndarray]:
        """(runs, blocks) effects and sizes of as many experiments with two arms, without tables: fast."""
        effects, sizes = [], []
        for seed in range(runs):
            trial = cls.__new__(cls)
            for field in fields(cls):
                setattr(trial, field.name, given.get(field.name, field.default))
            trial.made = replace(made, salt=str(seed))
            rng = np.random.default_rng(seed)
            arm, window, block, _, chance = trial.drawn(rng)
            won = (rng.random(arm.size) < chance).astype(float)
            stratum = block if made.kind == "switchback" else window
            found = contrasts(won, arm == 1, stratum, block, n_blocks=trial.blocks)
            assert found.effect.size == trial.blocks
            effects.append(found.effect)
            sizes.append(found.size)
        return np.array(effects), np.array(sizes)

    def known(self, at: pd.Timestamp) -> pd.DataFrame:
        """The history as it stood at `at`."""
        still = self.history["closed_at"] > at
        table = self.history.copy()
        table["outcome"] = table["outcome"].where(~still, "open")
        table["closed_at"] = table["closed_at"].where(~still)
        table["deal_value"] = table["deal_value"].where(~still)
        return table.loc[table["assigned_at"] <= at].reset_index(drop=True)

    @property
    def end(self) -> pd.Timestamp:
        """When the last lead has had its time."""
        days = self.blocks * self.made.block_days + WITHIN + 0.01
        return START + pd.Timedelta(days=days)
