"""A small world with known truth, for the tests of the fit model: who converts whom, and for how much."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import expit

INDUSTRIES = ("bank", "energy", "health", "retail")
SIZES = ("large", "medium", "small")
FIRST = pd.Timestamp("2024-01-01", tz="UTC")
DAYS = 360.0
LAST = FIRST + pd.Timedelta(days=DAYS)


@dataclass
class World:
    """`rep_sd` spreads the reps' own effects, `segment_sd` their effects by industry; both 0: all reps are alike."""

    seed: int = 0
    reps_count: int = 12
    rep_sd: float = 0.0
    segment_sd: float = 0.0
    skill: float = 0.0
    ramp: float = 0.0
    base: float = -1.2
    lead_effect: float = 0.8
    win_days: float = 0.0  # mean days to a win; 0: outcomes are known at once
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        count = self.reps_count
        self.start = np.where(np.arange(count) < count // 4, DAYS - 60.0, -400.0)
        self.skill_of = np.arange(count) % len(INDUSTRIES)
        self.own = self.rep_sd * self.rng.normal(size=count)
        self.by_industry = self.segment_sd * self.rng.normal(size=(count, len(INDUSTRIES)))
        self.industry_effect = 0.3 * self.rng.normal(size=len(INDUSTRIES))

    def reps(self) -> pd.DataFrame:
        count = self.reps_count
        return pd.DataFrame(
            {
                "rep_id": [f"R{i:02d}" for i in range(count)],
                "name": [f"Rep {i}" for i in range(count)],
                "team_id": [f"T{i % 3}" for i in range(count)],
                "level": ["junior" if i % 2 else "senior" for i in range(count)],
                "start_date": FIRST + pd.to_timedelta(self.start, unit="D"),
                "skills": [(INDUSTRIES[i],) for i in self.skill_of],
                "capacity": 10.0,
            }
        )

    def draw(self, count: int, prefix: str = "N") -> pd.DataFrame:
        """Leads; `industry_code` and `mean_value` are truth, to be dropped before anything learns."""
        code = self.rng.integers(0, len(INDUSTRIES), count)
        size = self.rng.integers(0, len(SIZES), count)
        return pd.DataFrame(
            {
                "lead_id": [f"{prefix}{i:05d}" for i in range(count)],
                "created_at": FIRST,
                "industry": np.array(INDUSTRIES, dtype=object)[code],
                "company_size": np.array(SIZES, dtype=object)[size],
                "score": self.rng.normal(size=count),
                "industry_code": code,
                "mean_value": 1000.0 * np.array([8.0, 3.0, 1.0])[size],
            }
        )

    def logit(self, leads: pd.DataFrame, rep: np.ndarray, day: np.ndarray) -> np.ndarray:
        code = leads["industry_code"].to_numpy()
        tenure = np.maximum(day - self.start[rep], 0.0)
        return (
            self.base
            + self.lead_effect * leads["score"].to_numpy()
            + self.industry_effect[code]
            + self.own[rep]
            + self.by_industry[rep, code]
            + self.skill * (self.skill_of[rep] == code)
            - self.ramp * np.exp(-tenure / 90.0)
        )

    def truth(self, leads: pd.DataFrame, day: float = DAYS) -> np.ndarray:
        """(L, R) the true chances at `day`."""
        columns = [
            expit(self.logit(leads, np.full(len(leads), rep), np.full(len(leads), day)))
            for rep in range(self.reps_count)
        ]
        return np.column_stack(columns)

    def history(self, count: int = 3000) -> pd.DataFrame:
        leads = self.draw(count, "H")
        day = np.sort(self.rng.uniform(0.0, DAYS, count))
        rep = self.rng.integers(0, self.reps_count, count)
        early = day < self.start[rep]  # not hired yet: a tenured colleague took it
        rep[early] = self.rng.integers(self.reps_count // 4, self.reps_count, int(early.sum()))
        won = self.rng.random(count) < expit(self.logit(leads, rep, day))
        delay = np.where(won, self.rng.exponential(max(self.win_days, 1e-9), count), self.win_days / 2.0)
        known = day + delay <= DAYS
        value = leads["mean_value"].to_numpy() * self.rng.gamma(2.0, 0.5, count)
        assigned = FIRST + pd.to_timedelta(day, unit="D")
        table = leads.drop(columns=["industry_code", "mean_value"])
        table["rep_id"] = [f"R{i:02d}" for i in rep]
        table["assigned_at"] = assigned
        table["outcome"] = np.where(known, np.where(won, "won", "lost"), "open")
        table["closed_at"] = (assigned + pd.to_timedelta(delay, unit="D")).where(known)
        table["deal_value"] = np.where(known & won, value, np.nan)
        return table

    def leads(self, count: int = 400) -> pd.DataFrame:
        """New leads as a table would give them."""
        return self.draw(count).drop(columns=["industry_code", "mean_value"])
