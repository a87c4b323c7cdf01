"""Playing a run: batch after batch, every track on the same arrivals, each with the state that it has made itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build import Batch, build_batch
from apportion.policy import fair_weights, rep_availability
from apportion.policy.window import window_start
from apportion.whatif.baselines import score
from apportion.whatif.replay.book import COLUMNS, after
from apportion.whatif.replay.stage import Choice, Ends, Ground, Situation, Stage, Track

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FACTORS = ("base", "ramp", "availability", "adjustment", "throttle")


@dataclass(frozen=True, eq=False, kw_only=True)
class Step:
    """One track's batch, decided. R reps; decisions are one row a lead that was before the track, in order of id.

    fair : (R,) weight of each rep's fair share, the same on every track. full : (R,) capacity before backlog and what
    is carried. open_leads, window_effort : (R,) after the batch. objective : as of a plan, as the track believes, in
    currency. broken : hard rules that do not hold (routers know no equity). cut_short : a time limit ended the solve.
    """

    track: str
    number: int
    at: pd.Timestamp
    arrived: int
    status: str
    gap: float
    objective: float
    broken: tuple[str, ...]
    cut_short: bool
    decisions: pd.DataFrame
    fair: Floats
    full: Floats
    open_leads: Floats
    window_effort: Floats


def play(
    stage: Stage,
    tracks: Sequence[Track],
    ground: Ground,
    *,
    on_step: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[Step]:
    """Play all batches on all tracks. on_step : told after each batch how many of how many are done."""
    leads, batch_of = stage.arrivals.leads, stage.arrivals.batch
    steps: list[Step] = []
    for number, at in enumerate(stage.moments):
        arriving = np.flatnonzero(batch_of == number)
        moment = _Moment.of(stage, number, at)
        for track in tracks:
            steps.append(_step(stage, track, ground, moment, arriving, leads))
        on_step(number + 1, len(stage.moments))
    return steps


@dataclass(frozen=True, eq=False)
class _Moment:
    """What holds on every track at a moment. free : (R,) hours until each rep works next, NaN: not in the window.
    window : since when what was given counts against the capacity."""

    number: int
    at: pd.Timestamp
    window: pd.Timestamp
    free: Floats
    weights: Floats

    @classmethod
    def of(cls, stage: Stage, number: int, at: pd.Timestamp) -> _Moment:
        available = rep_availability(stage.policy, stage.reps, at=at, calendar=stage.calendar)
        weights = fair_weights(stage.policy, stage.reps.assign(open_leads=0.0, open_pipeline=0.0), at=at)
        return cls(number, at, window_start(stage.policy, at), available["first_free"].to_numpy(dtype=float), weights)


def _step(stage: Stage, track: Track, ground: Ground, moment: _Moment, arriving: Ints, leads: pd.DataFrame) -> Step:
    """Pose the track's batch from its own book, decide it, and enter what was handed out."""
    at, book = moment.at, track.book
    ids = leads["lead_id"].astype(str)
    rows = np.array(sorted([*track.waiting, *arriving.tolist()], key=lambda row: ids.iloc[row]), dtype=np.int64)
    tables = stage.tables(leads.iloc[rows].reset_index(drop=True), book, at)
    model = ground.model(track.name, book, at)
    batch = build_batch(
        stage.policy,
        tables,
        ground.estimates(track.name, model, tables, at),
        at=at,
        whole_capacity=not stage.carry,
    )
    choice = _chosen(track, batch, Situation(model, book.open_effort(at), moment.number, stage.seed))
    lead = np.flatnonzero(choice.rep >= 0)
    ends = ground.ends(batch, lead, choice.rep[lead], at)
    measured = score(batch.problem, choice.rep) if batch.problem.n_leads and choice.has_plan else None
    decisions = _decisions(batch, choice, lead, ends, moment)
    track.waiting[:] = rows[(decisions["outcome"] == "waiting").to_numpy()].tolist()
    book.enter(_handed_out(batch, decisions, lead, at))
    capacity = batch.capacity
    return Step(
        track=track.name,
        number=moment.number,
        at=at,
        arrived=len(arriving),
        status=choice.status,
        gap=choice.gap,
        objective=0.0 if measured is None else measured.objective,
        broken=() if measured is None else measured.broken_rules,
        cut_short=choice.cut_short,
        decisions=decisions,
        fair=capacity[["base", "ramp", "availability"]].to_numpy(dtype=float).prod(axis=1) * moment.weights,
        full=capacity[list(FACTORS)].to_numpy(dtype=float).prod(axis=1),
        open_leads=book.open_leads(at),
        window_effort=book.effort_since(moment.window, at),
    )


def _chosen(track: Track, batch: Batch, situation: Situation) -> Choice:
    if not batch.problem.n_leads:
        return Choice(np.zeros(0, dtype=np.int64), "NO LEADS")
    choice = track.choose(batch, situation)
    return choice if choice.has_plan else replace(choice, rep=np.full(batch.problem.n_leads, -1))


def _decisions(batch: Batch, choice: Choice, lead: Ints, ends: Ends, moment: _Moment) -> pd.DataFrame:
    """One row a lead of the batch: where it went, what was believed of it, what becomes of it."""
    problem, own = batch.problem, choice.rep[lead]
    count = len(batch.leads)
    rep = np.full(count, -1)
    rep[batch.rows[lead]] = own
    outcome = batch.screened["outcome"].to_numpy(dtype=object).copy()
    outcome[batch.rows] = "nurture" if choice.has_plan else "waiting"
    outcome[batch.rows[lead]] = "assigned"
    created = pd.to_datetime(batch.leads["created_at"], utc=True)
    waited = (batch.at - created).dt.total_seconds().to_numpy(dtype=float) / 3600.0
    names = np.array([*problem.rep_ids, None], dtype=object)

    def spread(values: Floats, rows: Ints) -> Floats:
        made = np.full(count, np.nan)
        made[rows] = values
        return made

    placed = batch.rows[lead]
    fit = batch.fit[lead, own].astype(np.float64)
    free = np.append(moment.free, np.nan)[rep]
    closes = after(batch.at, spread(ends.days, placed)).where(outcome == "assigned")
    frame = pd.DataFrame(
        {
            "lead_id": batch.leads["lead_id"].astype(str).to_numpy(),
            "outcome": outcome,
            "rep_id": names[rep],
            "fit": spread(fit, placed),
            "deal_value": spread(batch.deal_value[lead], placed),
            "expected_revenue": spread(fit * batch.deal_value[lead], placed),
            "worth": spread(ends.worth, placed),
            "opportunity": spread(problem.opportunity, batch.rows),
            "effort": spread(problem.effort[problem.pairs.position(lead, own)], placed),
            "tier": _tier(batch, count),
            "hours_waited": np.where(rep >= 0, waited + np.nan_to_num(free), np.nan),
            "closes_at": closes,
        }
    )
    frame["won"] = spread(np.full(len(lead), np.nan) if ends.won is None else ends.won.astype(float), placed)
    if ends.earned is not None:
        frame["earned"] = spread(ends.earned, placed)
    return frame


def _tier(batch: Batch, count: int) -> NDArray[np.object_]:
    names = np.full(count, None, dtype=object)
    names[batch.rows] = np.array(batch.tier_names, dtype=object)[batch.tier]
    return names


def _handed_out(batch: Batch, decisions: pd.DataFrame, lead: Ints, at: pd.Timestamp) -> pd.DataFrame:
    rows = batch.rows[lead]
    given = decisions.iloc[rows].assign(assigned_at=at)
    told = "account_id" in batch.leads.columns
    accounts = batch.leads["account_id"].iloc[rows].tolist() if told else [None] * len(rows)
    return given.assign(account_id=pd.Series(accounts, index=given.index, dtype=object))[list(COLUMNS)]
