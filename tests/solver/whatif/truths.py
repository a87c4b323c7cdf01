"""Worlds whose truth is known, as settings, and how often stated intervals hold what a scenario truly changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from apportion.build import Tables
from apportion.policy import load_policy
from apportion.whatif import Difference, How, Outcome, Scenario, Setting, compare, load_scenario
from apportion_models import FitModel
from apportion_models.synthetic import World

REPS, NEW, LEADS, ROOM = 12, 3, 160, 0.65
POLICY = {"name": "known truth", "solve": {"gap": 0.02, "time_limit": 20}}
HOW = How(sources=False, routers=False, workers=1)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of world: `World`'s own parameters, the rows of its history, and whether its leads state a deal value."""

    name: str
    history: int = 3000
    strength: float = 1.0
    misspecified: bool = False
    exploration: float = 0.0
    quality_spread: float = 0.5
    stated: bool = False


KNOWN_FORM = Kind(name="known form")
ODD_FORM = Kind(name="odd form", misspecified=True)
ALIKE = Kind(name="reps alike", strength=0.0)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A scenario beside its base: what is said of the difference of revenue, and what it truly is, in currency."""

    kind: str
    seed: int
    scenario: str
    told: Difference
    truth: float

    @property
    def held(self) -> bool:
        """Whether the interval holds the truth."""
        return bool(self.told.revenue.low <= self.truth <= self.told.revenue.high)


def pairs(kind: Kind, seed: int) -> Iterator[Pair]:
    """Every scenario of `scenarios` in one world of the kind."""
    world = World(
        seed=seed,
        n_reps=REPS,
        n_new=NEW,
        n_unseen=1,
        strength=kind.strength,
        misspecified=kind.misspecified,
        exploration=kind.exploration,
        quality_spread=kind.quality_spread,
    )
    base, newcomer = setting(world, kind)
    found = compare(base, scenarios(base, newcomer), HOW)
    before = truth(world, found.base)
    for one in found.scenarios:
        if one.has_plan:
            told, after = found.differences[one.name], truth(world, one)
            yield Pair(kind=kind.name, seed=seed, scenario=one.name, told=told, truth=after - before)


def setting(world: World, kind: Kind) -> tuple[Setting, pd.Series]:
    """The world's batch, with room for part of it, and the rep without history, who is not in it yet."""
    reps = world.reps().sort_values("rep_id").assign(capacity=round(LEADS * ROOM / (REPS - 1)))
    leads = world.leads(LEADS).sort_values("lead_id").reset_index(drop=True)
    model = FitModel(random_state=0).fit(world.history(kind.history), reps, until=world.at)
    fresh = int(np.argmax(reps["start_date"].to_numpy()))
    here = reps.drop(index=reps.index[fresh]).reset_index(drop=True)
    tables = Tables(leads=leads if kind.stated else leads.drop(columns="deal_value"), reps=here)
    return Setting(tables=tables, policy=load_policy(POLICY), model=model, at=world.at), reps.iloc[fresh]


def scenarios(base: Setting, newcomer: pd.Series) -> list[Scenario]:
    """Changes of roster, room, leads and rules, small and large."""
    ids = base.tables.reps["rep_id"].astype(str).tolist()
    columns = {name: newcomer[name] for name in ("start_date", "level", "specialism", "team_id")}
    columns["start_date"] = columns["start_date"].isoformat()
    made = [
        {"name": "leaves", "reps": {"leave": [ids[0]]}},
        {"name": "joins", "reps": {"join": [{"rep_id": newcomer["rep_id"], "like": ids[0], "columns": columns}]}},
        {"name": "more room", "reps": {"change": {rep: {"capacity": 13} for rep in ids[:5]}}},
        {"name": "grows", "leads": {"grow": [{"when": "company_size >= 200", "by": 0.4}]}},
        {"name": "free", "policy": {"drop": ["fair offer"]}},
        {"name": "firmer", "policy": {"set": {"equity[fair offer].low": 0.9}}},
        {"name": "nurture", "policy": {"set": {"nurture.value": 400}}},
    ]
    return [load_scenario(one) for one in made]


def truth(world: World, outcome: Outcome) -> float:
    """What the outcome's plan truly earns: true chance × true deal value, in currency."""
    batch, rep = outcome.batch, outcome.plan.rep
    leads = batch.leads.iloc[batch.rows].reset_index(drop=True)
    fit = world.true_fit(leads, batch.reps, at=world.at)
    own = np.where(rep >= 0, fit[np.arange(len(rep)), np.maximum(rep, 0)], 0.0)
    return float(own @ world.true_deal_value(leads))
