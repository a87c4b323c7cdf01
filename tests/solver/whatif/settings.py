"""A small world as a setting, fitted once."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from apportion.build import Tables
from apportion.policy import load_policy
from apportion.whatif import How, Setting
from apportion_models import FitModel
from apportion_models.synthetic.world import World

POLICY = {
    "name": "small",
    "territories": {
        "cover": [
            {"name": "dach", "when": "country in ['DE', 'AT', 'CH']", "primary": True},
            {"name": "rest", "when": True, "primary": True},
        ]
    },
    "limits": [{"name": "not too many", "high": 30}],
    "solve": {"gap": 0.2, "time_limit": 20},
}
QUICK = How(sources=False, routers=False, draws=100, workers=1)


@lru_cache(maxsize=1)
def world() -> World:
    return World(seed=3, n_reps=6, n_new=1, n_unseen=0, exploration=0.5)


@lru_cache(maxsize=1)
def small() -> Setting:
    """40 leads, 6 reps, two territories."""
    made = world()
    reps, leads = made.reps().sort_values("rep_id"), made.leads(40).sort_values("lead_id")
    model = FitModel(random_state=0, level="rep").fit(made.history(600), reps, until=made.at)
    tables = Tables(leads=leads.reset_index(drop=True), reps=reps.reset_index(drop=True))
    return Setting(tables=tables, policy=load_policy(POLICY), model=model, at=made.at)


def reps_of(setting: Setting) -> list[str]:
    return list(setting.tables.reps["rep_id"].astype(str))


def same_tables(one: Tables, other: Tables) -> bool:
    """Whether two sets of tables hold the same, cell by cell."""
    for name in ("leads", "reps", "calendar", "territories", "overrides", "accounts"):
        a, b = getattr(one, name), getattr(other, name)
        if (a is None) != (b is None):
            return False
        if a is not None:
            pd.testing.assert_frame_equal(a, b)
    return True
