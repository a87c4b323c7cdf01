"""Small tables for the service's tests, and a model that fits them."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import numpy as np
import pandas as pd

from apportion.policy import load_policy
from apportion.service.store import Store
from apportion_models import FitModel, read_history, read_leads, read_reps

START = dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC)  # a Monday


def leads(count: int, *, first: int = 1, **columns: object) -> pd.DataFrame:
    """Leads L0001, L0002, … as `read_leads` gives them."""
    numbers = range(first, first + count)
    rows = {
        "lead_id": [f"L{number:04}" for number in numbers],
        "created_at": [(START - dt.timedelta(minutes=number)).isoformat() for number in numbers],
        "country": [("SE", "DE", "FR")[number % 3] for number in numbers],
        "score": [float(number * 37 % 101) for number in numbers],
        "deal_value": [1000.0 + 50.0 * (number % 7) for number in numbers],
        "contact": [f"Contact {number}" for number in numbers],
    }
    return read_leads(pd.DataFrame({**rows, **columns}))


def reps(count: int, **columns: object) -> pd.DataFrame:
    """Reps R1, R2, … as `read_reps` gives them."""
    rows = {
        "rep_id": [f"R{number}" for number in range(1, count + 1)],
        "name": [f"Rep Number {number}" for number in range(1, count + 1)],
        "level": ["senior" if number % 2 else "junior" for number in range(1, count + 1)],
        "capacity": [10.0] * count,
    }
    return read_reps(pd.DataFrame({**rows, **columns}))


@lru_cache(maxsize=1)
def model() -> FitModel:
    """A model learnt from 400 past leads of five reps."""
    rng, count = np.random.default_rng(0), 400
    given = [START - dt.timedelta(days=float(day)) for day in np.linspace(300, 40, count)]
    won = rng.random(count) < np.where(np.arange(count) % 2, 0.4, 0.2)
    history = read_history(
        pd.DataFrame(
            {
                "lead_id": [f"H{number}" for number in range(count)],
                "created_at": [time.isoformat() for time in given],
                "assigned_at": [time.isoformat() for time in given],
                "closed_at": [(time + dt.timedelta(days=10)).isoformat() for time in given],
                "rep_id": [f"R{number % 5 + 1}" for number in range(count)],
                "country": [("SE", "DE", "FR")[number % 3] for number in range(count)],
                "score": rng.integers(0, 101, count).astype(float),
                "outcome": ["won" if one else "lost" for one in won],
                "deal_value": np.where(won, rng.integers(800, 1400, count), np.nan),
            }
        )
    )
    return FitModel(random_state=0, level="rep").fit(history, reps(5))


def set_up(store: Store, *, n_leads: int = 12, n_reps: int = 3, policy: dict[str, object] | None = None) -> None:
    """Leads that wait, reps, a policy and a model in use."""
    with store.write(actor="test") as tx:
        tx.leads.upsert(leads(n_leads))
        tx.reps.upsert(reps(n_reps))
        tx.policies.activate(tx.policies.add(load_policy(policy or {"equity": []})).version)
        tx.models.activate(tx.models.add(model()).version)
