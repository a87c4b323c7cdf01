"""simulate: weeks of arrivals in a world whose truth is known, each track learning from what it made happen itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build import Batch, Estimates, Tables
from apportion.policy import Policy, lead_effort, load_policy, people_rules
from apportion.whatif.estimates import estimate
from apportion.whatif.replay.arrivals import arrivals
from apportion.whatif.replay.book import COLUMNS, Book
from apportion.whatif.replay.grounds import fitted_row, latest, retrain_moments
from apportion.whatif.replay.known import known_history
from apportion.whatif.replay.play import play
from apportion.whatif.replay.run import Run, finished
from apportion.whatif.replay.slots import moments, read_slots
from apportion.whatif.replay.stage import Ends, Stage, Track
from apportion.whatif.replay.tracks import (
    FROZEN,
    PLAN,
    RANKS_BY_VALUE,
    TRUTH,
    chosen_routers,
    plan_track,
    router_track,
)
from apportion.whatif.setting import check_effort
from apportion_models import FitModel
from apportion_models.errors import UsageError
from apportion_models.synthetic import BATCH_AT, Coming, World, coming, ended

Ints = NDArray[np.int64]
TWICE_A_WEEK = "mon,thu 08:00"
LEADS_PER_REP = 7  # a week: a little more than the reps' capacity, so that it matters who gets what

# What a run is simulated under where no policy is given: capacity and ramp as the worlds mean them, a fair offer over
# four weeks, nothing else.
WORLD_POLICY: dict[str, Any] = {
    "name": "simulated company",
    "window": {"days": 20},
    "capacity": {"backlog": {"effort_each": 0.05, "at_most": 0.25}},
    "ramp": [{"name": "new rep", "shape": "linear", "points": [{"day": 0, "share": 0.4}, {"day": 90, "share": 1}]}],
    "equity": [{"name": "fair offer", "measure": "opportunity", "low": 0.7, "window": 28, "price": 2}],
    "solve": {"gap": 0.03, "time_limit": 60},
}


@dataclass(frozen=True, kw_only=True)
class SimulateHow:
    """What to simulate. leads_per_week : None takes 7 a rep. new : of the reps, how many started in the last 90 days.

    strength : of all that differs between reps in truth. past : leads of the year before, from which the first model
    learns. exploration : share of them given at random. truth, frozen : also the policy with the true values, and with
    the first model for ever. routers, batches, retrain, carry, gap, time_limit as in `ReplayHow`.
    """

    weeks: int = 8
    seed: int = 0
    reps: int = 20
    new: int = 4
    leads_per_week: int | None = None
    past: int = 3000
    strength: float = 1.0
    exploration: float = 0.0
    batches: str = TWICE_A_WEEK
    retrain: float = 28.0
    routers: Sequence[str] | None = None
    truth: bool = True
    frozen: bool = False
    carry: bool = True
    gap: float | None = None
    time_limit: float | None = None


def simulate(
    policy: Policy | None,
    how: SimulateHow,
    *,
    step: Callable[[str], None] = lambda _: None,
    on_step: Callable[[int, int], None] = lambda _done, _of: None,
    cancelled: Callable[[], bool] | None = None,
) -> Run:
    """Simulate weeks of arrivals under a policy (None: `WORLD_POLICY`), with routers on the same leads and luck.

    Raises UsageError for what cannot be asked, PolicyError where the policy asks for what the world lacks.
    KeyboardInterrupt passes through.
    """
    routers, slots = chosen_routers(how.routers), read_slots(how.batches)
    _check(how)
    check_effort(gap=how.gap, time_limit=how.time_limit)
    policy = load_policy(WORLD_POLICY) if policy is None else policy
    world = World(
        seed=how.seed,
        n_reps=how.reps,
        n_new=how.new,
        n_unseen=min(1, how.new),
        strength=how.strength,
        exploration=how.exploration,
    )
    step("Drawing the world")
    per_week = LEADS_PER_REP * how.reps if how.leads_per_week is None else how.leads_per_week
    ahead = coming(world, per_week * how.weeks, days=7.0 * how.weeks)
    before = ended(world, world.logged(how.past))
    zone = ZoneInfo(policy.availability.time_zone)
    at = moments(slots, zone, since=BATCH_AT, until=ahead.leads["created_at"].max())
    stage = Stage(
        policy=policy,
        reps=world.reps().sort_values("rep_id", ignore_index=True),
        arrivals=arrivals(ahead.leads, at),
        moments=at,
        earlier=_earlier(before, policy, world),
        carry=how.carry,
        seed=how.seed,
        gap=policy.solve.gap if how.gap is None else how.gap,
        time_limit=policy.solve.time_limit if how.time_limit is None else how.time_limit,
    )
    ground = WorldGround(world, ahead, before, stage, retrain=retrain_moments(at, how.retrain), step=step)
    plans = [PLAN, *([TRUTH] if how.truth else []), *([FROZEN] if how.frozen else [])]
    tracks: list[Track] = [plan_track(stage, name=name, cancelled=cancelled) for name in plans]
    tracks += [router_track(stage, router) for router in routers]
    step("Simulating")
    steps = play(stage, tracks, ground, on_step=on_step)
    facts = {name: getattr(how, name) for name in ("weeks", "seed", "reps", "new", "past", "strength", "exploration")}
    facts |= {"leads_per_week": per_week, "batches": how.batches, "retrain": how.retrain, "carry": how.carry}
    return finished("simulation", ground.worth_is, stage, tracks, steps, models=ground.models, facts=facts)


def _check(how: SimulateHow) -> None:
    wrong = {
        f"--weeks must be from 1 to 260. Got {how.weeks}.": 1 <= how.weeks <= 260,
        f"--retrain must be a number of days above 0. Got {how.retrain:g}.": how.retrain > 0,
        f"--new must be 0 or more and below --reps, which is {how.reps}. Got {how.new}.": 0 <= how.new < how.reps,
        f"--past must be 50 leads or more. Got {how.past}.": how.past >= 50,
        f"--leads-per-week must be 1 or more. Got {how.leads_per_week}.": how.leads_per_week is None
        or how.leads_per_week >= 1,
    }
    told = [message for message, holds in wrong.items() if not holds]
    if told:
        raise UsageError(" ".join(told))


def _earlier(before: pd.DataFrame, policy: Policy, world: World) -> pd.DataFrame:
    """What was handed out before the first batch; what was offered then is not known, and no window counts it."""
    rows = before.assign(
        closes_at=before["closed_at"],
        effort=lead_effort(policy, before, at=world.at),
        opportunity=np.nan,
        expected_revenue=np.nan,
        tier=pd.Series(None, index=before.index, dtype=object),
        account_id=pd.Series(None, index=before.index, dtype=object),
        deal_value=world.true_deal_value(before),
        won=np.nan,
    )
    return rows[list(COLUMNS)]


@dataclass(eq=False)
class WorldGround:
    """What a simulation is played on: the truth, and for each track models of what it made happen itself.

    Tracks that look at no value (round robin and the like) keep the first model: it changes nothing that they do.
    """

    world: World
    ahead: Coming
    before: pd.DataFrame
    stage: Stage
    retrain: Sequence[pd.Timestamp]
    step: Callable[[str], None]
    worth_is: str = "true expected revenue"
    _fitted: dict[tuple[str, pd.Timestamp], FitModel] = field(default_factory=dict)
    _last: dict[Any, Estimates] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._position = pd.Series(np.arange(len(self.ahead.leads)), index=self.ahead.leads["lead_id"].astype(str))

    @property
    def models(self) -> pd.DataFrame:
        """When which track's model was fitted, at which level, on how many leads."""
        rows = [fitted_row(track, at.isoformat(), model) for (track, at), model in self._fitted.items()]
        return pd.DataFrame(rows)

    def model(self, track: str, book: Book, at: pd.Timestamp) -> FitModel:
        """The track's model of the last retraining; the first is one for all."""
        learns = track in (PLAN, *RANKS_BY_VALUE)
        moment = latest(self.retrain, at) if learns else self.retrain[0]
        owner = "all" if moment == self.retrain[0] else track
        if (owner, moment) not in self._fitted:
            self.step(f"Learning what {owner} had seen on {moment.date()}")
            seen = known_history(self._history(book, moment), moment)
            model = FitModel(random_state=self.stage.seed, **people_rules((self.stage.policy,)))
            self._fitted[owner, moment] = model.fit(seen, self.stage.reps, until=moment)
        return self._fitted[owner, moment]

    def _history(self, book: Book, at: pd.Timestamp) -> pd.DataFrame:
        """The past and what this track has handed out since, with how it all ends: `known_history` hides what is to
        come."""
        given = book.entries(at)
        own = given[given["lead_id"].isin(self._position.index)]
        if not len(own):
            return self.before
        place = self._position[own["lead_id"]].to_numpy()
        rows = self.ahead.leads.iloc[place].drop(columns="deal_value").reset_index(drop=True)
        won = own["won"].to_numpy(dtype=bool)
        rows = rows.assign(
            rep_id=own["rep_id"].to_numpy(),
            assigned_at=own["assigned_at"].to_numpy(),
            outcome=np.where(won, "won", "lost"),
            closed_at=own["closes_at"].to_numpy(),
            deal_value=np.where(won, self.ahead.earned[place], np.nan),
        )
        return pd.concat([self.before, rows], ignore_index=True)

    def estimates(self, track: str, model: FitModel, tables: Tables, at: pd.Timestamp) -> Estimates:
        """What the track believes: its model's estimates, or the truth."""
        key = (at, TRUTH if track == TRUTH else id(model), tuple(tables.leads["lead_id"]))
        if key not in self._last:
            self._last = {other: held for other, held in self._last.items() if other[0] == at}
            self._last[key] = self._truth(tables, at) if track == TRUTH else estimate(model, tables, self.policy, at=at)
        return self._last[key]

    @property
    def policy(self) -> Policy:
        """The run's policy."""
        return self.stage.policy

    def _truth(self, tables: Tables, at: pd.Timestamp) -> Estimates:
        if not len(tables.leads):
            return Estimates(np.zeros((0, len(tables.reps)), dtype=np.float32), np.zeros(0))
        fit = self.world.true_fit(tables.leads, tables.reps, at=at).astype(np.float32)
        spread = np.zeros(fit.shape) if self.policy.value.estimate == "lower" else None
        return Estimates(fit, self.world.true_deal_value(tables.leads), spread)

    def ends(self, batch: Batch, lead: Ints, rep: Ints, at: pd.Timestamp) -> Ends:
        """How the leads end by their own luck, at their true chance with these reps."""
        if not len(lead):
            none = np.zeros(0)
            return Ends(days=none, worth=none, won=np.zeros(0, dtype=bool), earned=none)
        leads = batch.leads.iloc[batch.rows[lead]]
        place = self._position[leads["lead_id"].astype(str)].to_numpy()
        chance = self.world.true_fit(leads, batch.reps, at=at)[np.arange(len(lead)), rep]
        won = self.ahead.won(place, chance)
        return Ends(
            days=self.ahead.days(place, won),
            worth=chance * self.world.true_deal_value(leads),
            won=won,
            earned=np.where(won, self.ahead.earned[place], 0.0),
        )
