"""A small company's past, for replays that fit models: made once, short enough to be replayed in a second or two."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from apportion.policy import load_policy
from apportion.whatif.replay import Past, ReplayHow, Run, replay
from apportion_models.synthetic import World

POLICY = {
    "name": "small",
    "window": {"days": 5},
    "capacity": {"default": 6, "backlog": {"effort_each": 0.05, "at_most": 0.3}},
    "ramp": [{"name": "new", "shape": "linear", "points": [{"day": 0, "share": 0.4}, {"day": 90, "share": 1}]}],
    "equity": [{"name": "even", "measure": "opportunity", "low": 0.5, "window": 14, "price": 1}],
    "solve": {"gap": 0.1, "time_limit": 60},
}
HOW = ReplayHow(
    since=pd.Timestamp("2026-02-02", tz="UTC"), batches="weekly", retrain=14, routers=("round_robin", "cherry_pick")
)


@lru_cache(maxsize=1)
def past() -> Past:
    """Five reps, 400 leads in 200 days; the last four weeks are replayed."""
    world = World(seed=5, n_reps=5, n_new=1, n_unseen=0, days=200, exploration=1.0, strength=2.0)
    reps = world.reps().drop(columns="capacity").sort_values("rep_id", ignore_index=True)
    return Past(history=world.history(400), reps=reps, policy=load_policy(POLICY))


@lru_cache(maxsize=1)
def once() -> Run:
    """The replay, run once for all tests that only look at it."""
    return replay(past(), HOW)
