"""Assigned pairs whose true chances are known, and what became of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

START = pd.Timestamp("2025-01-06", tz="UTC")
INDUSTRIES = np.array(["bank", "energy", "health", "retail"], dtype=object)


def world(
    seed: int = 0,
    *,
    days: int = 120,
    per_day: int = 20,
    factor: float | np.ndarray = 1.0,
    value_factor: float = 1.0,
    slope: float = 1.0,
    segment_factor: dict[str, float] | None = None,
    rep_factor: dict[str, float] | None = None,
    win_days: float = 10.0,
    past: int = 2000,
    size_shift: float = 0.0,
    mix: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25),
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Timestamp]:
    """(assignments, history, the moment at which all is known). factor : on the true odds; one, or one for each lead.

    The fit in the assignments is the chance that the world would have with every factor at 1 and slope 1.
    """
    rng = np.random.default_rng(seed)
    n = days * per_day
    day = np.sort(rng.uniform(0, days, n))
    industry = rng.choice(4, n, p=mix)
    size = np.exp(rng.normal(4.0 + size_shift, 1.0, n))
    logit = rng.normal(-2.0, 0.9, n)
    rep = rng.integers(0, 8, n)
    odds = np.exp(slope * (logit + 2.0) - 2.0) * factor
    for level, by in (segment_factor or {}).items():
        odds = odds * np.where(INDUSTRIES[industry] == level, by, 1.0)
    for name, by in (rep_factor or {}).items():
        odds = odds * np.where(rep == int(name[1:]), by, 1.0)
    won = rng.random(n) < odds / (1 + odds)
    expected_value = np.exp(rng.normal(7.0, 0.5, n))
    at = START + pd.to_timedelta(day, unit="D")
    fit = 1 / (1 + np.exp(-logit))
    closed = at + pd.to_timedelta(rng.exponential(win_days, n), unit="D")
    plan = pd.DataFrame(
        {
            "lead_id": [f"L{i:05d}" for i in range(n)],
            "created_at": at,
            "assigned_at": at,
            "industry": INDUSTRIES[industry],
            "company_size": size,
            "rep_id": [f"R{i}" for i in rep],
            "fit": fit,
            "expected_revenue": fit * expected_value,
        }
    )
    became = pd.DataFrame(
        {
            "lead_id": plan["lead_id"],
            "rep_id": plan["rep_id"],
            "assigned_at": at,
            "industry": plan["industry"],
            "company_size": plan["company_size"],
            "outcome": np.where(won, "won", "lost"),
            "closed_at": closed,
            "deal_value": np.where(won, value_factor * expected_value * rng.gamma(2.0, 0.5, n), np.nan),
        }
    )
    before = START - pd.to_timedelta(rng.uniform(150, 400, past), unit="D")
    old_won = rng.random(past) < 0.14
    earlier = pd.DataFrame(
        {
            "lead_id": [f"H{i:05d}" for i in range(past)],
            "rep_id": [f"R{i % 8}" for i in range(past)],
            "assigned_at": before,
            "industry": INDUSTRIES[rng.choice(4, past)],
            "company_size": np.exp(rng.normal(4.0, 1.0, past)),
            "outcome": np.where(old_won, "won", "lost"),
            "closed_at": before + pd.to_timedelta(rng.exponential(win_days, past), unit="D"),
            "deal_value": np.where(old_won, 1000.0, np.nan),
        }
    )
    return plan, pd.concat([earlier, became], ignore_index=True), START + pd.Timedelta(days=days + 8 * win_days)


def known(history: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """The history as it stood at `at`."""
    table = history.loc[history["assigned_at"] <= at].copy()
    still = table["closed_at"] > at
    table["outcome"] = table["outcome"].where(~still, "open")
    table["closed_at"], table["deal_value"] = table["closed_at"].where(~still), table["deal_value"].where(~still)
    return table
