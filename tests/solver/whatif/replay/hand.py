"""Runs small enough to be worked out by hand: a ground without a model, on which every chance is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from apportion.build import Batch, Estimates, Tables
from apportion.policy import load_policy
from apportion.whatif.replay.arrivals import arrivals
from apportion.whatif.replay.play import Step, play
from apportion.whatif.replay.stage import Ends, Stage, Track
from apportion.whatif.replay.tracks import chosen_routers, plan_track, router_track

MONDAY = pd.Timestamp("2026-03-02T08:00:00Z")
DAY = pd.Timedelta(days=1)
Chance = Callable[[pd.Series, str], float]


def days(count: int, first: pd.Timestamp = MONDAY) -> tuple[pd.Timestamp, ...]:
    return tuple(first + DAY * k for k in range(count))


def leads_of(per_day: Sequence[int], **columns: Any) -> pd.DataFrame:
    """Leads that arrive an hour before each day's batch: so many on the first day, so many on the second ..."""
    rows = [
        (f"L{day}{k}", MONDAY + DAY * day - pd.Timedelta(hours=1)) for day, n in enumerate(per_day) for k in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["lead_id", "created_at"])
    return frame.assign(deal_value=100.0, **columns)


class HandGround:
    """chance : of a lead (a row) and a rep id. days : until a lead is closed."""

    worth_is = "what the test says"

    def __init__(self, chance: Chance, days: float = np.inf) -> None:
        self.chance, self.days = chance, days

    def model(self, track: str, book: Any, at: pd.Timestamp) -> Any:
        rates = pd.DataFrame({"rep_id": [], "shrunk_rate": []})
        return SimpleNamespace(evidence_=SimpleNamespace(rates=rates))

    def estimates(self, track: str, model: Any, tables: Tables, at: pd.Timestamp) -> Estimates:
        rows = [[self.chance(lead, rep) for rep in tables.reps["rep_id"]] for _, lead in tables.leads.iterrows()]
        fit = np.array(rows, dtype=np.float32).reshape(len(tables.leads), len(tables.reps))
        return Estimates(fit, tables.leads["deal_value"].to_numpy(dtype=float))

    def ends(self, batch: Batch, lead: Any, rep: Any, at: pd.Timestamp) -> Ends:
        worth = batch.fit[lead, rep].astype(float) * batch.deal_value[lead]
        return Ends(days=np.full(len(lead), self.days), worth=worth)


def stage_of(policy: dict[str, Any], leads: pd.DataFrame, n: int, reps: Any = ("A",), **more: Any) -> Stage:
    table = reps if isinstance(reps, pd.DataFrame) else pd.DataFrame({"rep_id": list(reps)})
    named = {"equity": [], "solve": {"gap": 0.0}, "availability": {"week": "mon-sun 09:00-17:00"}} | policy
    moments = days(n)
    return Stage(
        policy=load_policy(named), reps=table, arrivals=arrivals(leads, moments), moments=moments, gap=0.0, **more
    )


def tracks_of(stage: Stage, *routers: str) -> list[Track]:
    return [plan_track(stage), *(router_track(stage, one) for one in chosen_routers(routers or ("none",)))]


def played(stage: Stage, *routers: str, chance: Chance = lambda lead, rep: 0.5, ends: float = np.inf) -> list[Step]:
    return play(stage, tracks_of(stage, *routers), HandGround(chance, ends))


def placed(steps: Sequence[Step], track: str = "plan") -> list[int]:
    """How many leads each batch of a track placed."""
    return [int((step.decisions["outcome"] == "assigned").sum()) for step in steps if step.track == track]


def owners(steps: Sequence[Step], track: str = "plan") -> list[str]:
    """Who got each lead, in the order of batches."""
    return [str(rep) for step in steps if step.track == track for rep in step.decisions["rep_id"].dropna()]
