"""Worlds of reps and leads with a known truth, for the benchmark of decision quality.

Sixty reps, of whom fifteen are new and three of those have no history at all; managers give good reps good leads, by a
quality that no column tells. `strength` 0 makes all reps alike; `odd` is a world whose form no model here knows: skill
sits in industry × size cells and behind a threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Leads = dict[str, Any]  # codes (n,) of industry, size, source, region; X (n, 3); U and value (n,)

INDUSTRIES, SIZES, SOURCES, REGIONS = 8, 4, 6, 6
LEVEL_NAMES = ("junior", "mid", "senior")
FIRST = pd.Timestamp("2024-01-01", tz="UTC")
DAYS = 365.0
AT = FIRST + pd.Timedelta(days=DAYS + 0.01)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, kw_only=True)
class WorldSpec:
    """What kind of world. `hidden` is the spread of the quality that managers see; `at_random`: leads dealt blindly."""

    reps: int = 60
    new: int = 15
    unseen: int = 3
    strength: float = 0.5
    hidden: float = 0.5
    odd: bool = False
    at_random: bool = False


class World:
    """One world; every draw follows from its seed."""

    def __init__(self, spec: WorldSpec, seed: int) -> None:
        rng = self.rng = np.random.default_rng(seed)
        self.spec, self.seed, count, strength = spec, seed, spec.reps, spec.strength
        self.industry = rng.normal(0, 0.3, INDUSTRIES)
        self.source = rng.normal(0, 0.4, SOURCES)
        self.region = rng.normal(0, 0.2, REGIONS)
        self.size = np.array([0.25, 0.1, -0.1, -0.35])
        self.level = rng.integers(0, 3, count)
        self.hired = -rng.exponential(500, count)
        self.new = rng.permutation(count)[: spec.new]
        self.hired[self.new] = DAYS - rng.uniform(5, 90, spec.new)
        self.level[self.new] = 0
        self.hired[self.new[: spec.unseen]] = DAYS + 1e-3
        self.specialism = rng.integers(0, INDUSTRIES, count)
        self.home = np.arange(count) % REGIONS
        rng.shuffle(self.home)
        self.main = strength * (0.15 * (self.level - 1) + rng.normal(0, 0.35, count))
        self.by_industry = strength * rng.normal(0, 0.35, (count, INDUSTRIES))
        self.by_industry[np.arange(count), self.specialism] += strength * 0.25
        self.by_size = strength * rng.normal(0, 0.25, (count, SIZES))
        self.by_number = strength * rng.normal(0, 0.15, count)
        self.cell, self.threshold = np.zeros((count, INDUSTRIES * SIZES)), np.zeros(count)
        if spec.odd:
            self.by_industry *= 0.4
            self.by_size *= 0.4
            self.by_number *= 0.0
            self.cell = strength * rng.normal(0, 0.45, (count, INDUSTRIES * SIZES))
            self.threshold = strength * rng.normal(0, 0.3, count)

    def leads(self, count: int, rng: np.random.Generator) -> Leads:
        """Leads as codes and numbers."""
        shares = np.arange(INDUSTRIES, 0, -1) / np.arange(1, INDUSTRIES + 1).sum()
        leads: Leads = {
            "industry": rng.choice(INDUSTRIES, count, p=shares),
            "size": rng.choice(SIZES, count, p=[0.4, 0.3, 0.2, 0.1]),
            "source": rng.integers(0, SOURCES, count),
            "region": rng.integers(0, REGIONS, count),
        }
        leads["X"] = rng.normal(size=(count, 3))
        leads["U"] = rng.normal(0, self.spec.hidden, count) if self.spec.hidden > 0 else np.zeros(count)
        leads["value"] = np.exp(
            8.5 + 0.6 * leads["size"] + self.industry[leads["industry"]] * 0.5 + rng.normal(0, 0.6, count)
        )
        return leads

    def lead_logit(self, leads: Leads) -> Floats:
        """(n,) what holds whoever works the lead, without the hidden quality."""
        x, size = leads["X"], leads["size"]
        named = self.industry[leads["industry"]] + self.source[leads["source"]] + self.region[leads["region"]]
        curved = 0.3 * x[:, 0] * x[:, 1] * (size >= 2) + 0.3 * np.sin(2 * x[:, 2])
        return np.asarray(
            -2.25 + 0.6 * x[:, 0] + 0.35 * x[:, 1] - 0.25 * x[:, 2] + curved + named + self.size[size], dtype=np.float64
        )

    def _ramp(self, day: Any, rep: Any) -> Floats:
        lacking = self.spec.strength * 0.6 * np.exp(-np.maximum(day - self.hired[rep], 0) / 90)
        return np.asarray(lacking, dtype=np.float64)

    def effect(self, leads: Leads, day: Floats, rep: Ints) -> Floats:
        """(n,) effect of one rep for each lead."""
        industry, size, x = leads["industry"], leads["size"], leads["X"][:, 0]
        own = self.main[rep] + self.by_industry[rep, industry] + self.by_size[rep, size] + self.by_number[rep] * x
        own += self.cell[rep, industry * SIZES + size] + self.threshold[rep] * (x > 0.5)
        return np.asarray(own - self._ramp(day, rep), dtype=np.float64)

    def truth(self, leads: Leads, day: float = DAYS + 0.01) -> Floats:
        """(L, R) P(convert | lead, rep), the hidden quality integrated out."""
        industry, size, x = leads["industry"], leads["size"], leads["X"][:, 0]
        logit = self.lead_logit(leads)[:, None] + self.main + self.by_industry[:, industry].T
        logit = logit + self.by_size[:, size].T + np.outer(x, self.by_number)
        logit += self.cell[:, industry * SIZES + size].T + np.outer(x > 0.5, self.threshold)
        logit -= self._ramp(day, np.arange(self.spec.reps))
        out = np.zeros_like(logit)
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            out += weight * expit(logit + self.spec.hidden * node)
        return out

    def _dealt(self, leads: Leads, day: Floats) -> Floats:
        """(n, R) chance that each rep was given the lead: 85 % in the home region, seniors and good reps get better."""
        here = day[:, None] >= self.hired[None]
        if self.spec.at_random:
            return np.asarray(here / here.sum(1, keepdims=True), dtype=np.float64)
        quality = self.lead_logit(leads) + leads["U"]
        quality = (quality - quality.mean()) / quality.std()
        lean = 0.6 * np.outer(quality, self.level - 1) + 0.5 * np.outer(leads["size"] - 1, self.level - 1)
        weight = np.exp(lean + 0.5 * np.outer(quality, self.main / 0.35)) * here
        home = weight * (leads["region"][:, None] == self.home[None])
        total = home.sum(1, keepdims=True)
        at_home = np.divide(home, total, out=np.zeros_like(home), where=total > 0)
        return np.asarray(
            0.85 * at_home + (0.15 + 0.85 * (total == 0)) * weight / weight.sum(1, keepdims=True), dtype=np.float64
        )

    def history(self, count: int) -> pd.DataFrame:
        """A table of past leads; every outcome is known on the day."""
        leads = self.leads(count, self.rng)
        day = np.sort(self.rng.uniform(0.0, DAYS, count))
        rep = np.empty(count, dtype=np.int64)
        draw = self.rng.random(count)
        for first in range(0, count, 20_000) if self.spec.at_random else (0,):
            rows = slice(first, first + 20_000) if self.spec.at_random else slice(None)
            part = {key: column[rows] for key, column in leads.items()}
            chance = self._dealt(part, day[rows])
            rep[rows] = (chance.cumsum(1) < draw[rows, None]).sum(1).clip(0, self.spec.reps - 1)
        won = self.rng.random(count) < expit(self.lead_logit(leads) + leads["U"] + self.effect(leads, day, rep))
        table = self.table(leads, prefix="H")
        table["assigned_at"] = FIRST + pd.to_timedelta(day, unit="D")
        table["closed_at"] = table["created_at"] = table["assigned_at"]
        table["rep_id"] = np.array([f"R{i:03d}" for i in range(self.spec.reps)], dtype=object)[rep]
        table["outcome"] = np.where(won, "won", "lost")
        table["deal_value"] = np.where(won, leads["value"], np.nan)
        return table

    def table(self, leads: Leads, prefix: str = "N") -> pd.DataFrame:
        """The leads as a table, without what nobody sees."""
        count = len(leads["industry"])
        return pd.DataFrame(
            {
                "lead_id": [f"{prefix}{i:07d}" for i in range(count)],
                "created_at": AT,
                "industry": [f"industry {i}" for i in leads["industry"]],
                "company_size": [f"size {i}" for i in leads["size"]],
                "source": [f"source {i}" for i in leads["source"]],
                "region": [f"region {i}" for i in leads["region"]],
                "engagement": leads["X"][:, 0],
                "visits": leads["X"][:, 1],
                "years": leads["X"][:, 2],
            }
        )

    def reps(self) -> pd.DataFrame:
        """The roster: what a CRM knows of reps."""
        return pd.DataFrame(
            {
                "rep_id": [f"R{i:03d}" for i in range(self.spec.reps)],
                "level": [LEVEL_NAMES[i] for i in self.level],
                "start_date": FIRST + pd.to_timedelta(self.hired, unit="D"),
                "skills": [(f"industry {i}",) for i in self.specialism],
            }
        )

    def capacity(self, leads: int, rng: np.random.Generator, slack: float = 1.05) -> Ints:
        """(R,) slots, some 5 % more than leads."""
        weight = rng.uniform(0.7, 1.3, self.spec.reps)
        slots = np.floor(weight / weight.sum() * leads * slack).astype(np.int64)
        while slots.sum() < np.ceil(leads * slack):
            slots[rng.integers(self.spec.reps)] += 1
        return np.asarray(slots, dtype=np.int64)
