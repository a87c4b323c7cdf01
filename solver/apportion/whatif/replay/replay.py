"""replay: past batches, in time order, under another policy; the routers beside it on the same arrivals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from apportion.policy import Policy, lead_effort
from apportion.whatif.replay.arrivals import Arrivals, arrivals, joined, past_leads
from apportion.whatif.replay.book import COLUMNS
from apportion.whatif.replay.grounds import PastGround, retrain_moments
from apportion.whatif.replay.known import check_dated, first_known
from apportion.whatif.replay.play import play
from apportion.whatif.replay.run import Run, finished
from apportion.whatif.replay.slots import moments, read_slots
from apportion.whatif.replay.stage import Stage
from apportion.whatif.replay.tracks import chosen_routers, plan_track, router_track
from apportion.whatif.setting import check_effort
from apportion_models.errors import Finding, InputError, UsageError

DEFAULT_DAYS = 84.0
Say = Callable[[str], None]
Count = Callable[[int, int], None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Past:
    """What a replay is made from, as the tables were read. reps in order of rep_id.

    leads : arrivals that the history lacks, or knows less of. earlier : what earlier batches gave, with what was
    offered then (`opportunity`, `expected_revenue`, `tier`), for rolling windows at the start.
    """

    history: pd.DataFrame
    reps: pd.DataFrame
    policy: Policy
    leads: pd.DataFrame | None = None
    accounts: pd.DataFrame | None = None
    territories: pd.DataFrame | None = None
    calendar: pd.DataFrame | None = None
    earlier: pd.DataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class ReplayHow:
    """How to replay. since, until : of the arrivals; by default the last twelve weeks. batches : see `read_slots`.

    retrain : days after which the model is fitted anew. routers : names, "all" or "none"; None: a few. carry : effort
    given in a window that still runs is taken out of the capacity. gap, time_limit, seed : None takes the policy's.
    """

    since: pd.Timestamp | None = None
    until: pd.Timestamp | None = None
    batches: str = "daily"
    retrain: float = 28.0
    routers: Sequence[str] | None = None
    carry: bool = True
    gap: float | None = None
    time_limit: float | None = None
    seed: int | None = None


def replay(
    past: Past,
    how: ReplayHow,
    *,
    step: Say = lambda _: None,
    on_step: Count = lambda _done, _of: None,
    cancelled: Callable[[], bool] | None = None,
) -> Run:
    """Replay the past under a policy.

    Each batch knows what was known then: leads as they arrived, the model fitted on what the history knew at the last
    retraining, and the state that the track's own earlier batches made. Raises UsageError for what cannot be asked,
    InputError (TableError, PolicyError) for tables and policy that do not fit. KeyboardInterrupt passes through.
    """
    check_effort(gap=how.gap, time_limit=how.time_limit)
    routers = chosen_routers(how.routers)
    slots = read_slots(how.batches)
    if not how.retrain > 0:
        raise UsageError(f"--retrain must be a number of days above 0. Got {how.retrain:g}.")
    check_dated(past.history)
    solving = past.policy.solve
    seed = solving.seed if how.seed is None else how.seed
    found, since, told = _arriving(past, how)
    zone = ZoneInfo(past.policy.availability.time_zone)
    at = moments(slots, zone, since=since, until=found["created_at"].max())
    came = arrivals(_with_asked(past.policy, found), at)
    step("Reading the past")
    ground = PastGround(
        past.history, past.reps, past.policy, retrain=retrain_moments(at, how.retrain), seed=seed, step=step
    )
    stage = Stage(
        policy=past.policy,
        reps=_as_of_then(past.reps),
        arrivals=came,
        moments=at,
        accounts=None if past.accounts is None else past.accounts.drop(columns="owner_rep_id", errors="ignore"),
        territories=past.territories,
        calendar=past.calendar,
        earlier=_earlier(past, since, ground, at[0]),
        carry=how.carry,
        seed=seed,
        gap=solving.gap if how.gap is None else how.gap,
        time_limit=solving.time_limit if how.time_limit is None else how.time_limit,
    )
    tracks = [plan_track(stage, cancelled=cancelled), *(router_track(stage, router) for router in routers)]
    step("Replaying")
    steps = play(stage, tracks, ground, on_step=on_step)
    notes = (*told, *_notes(past, since, came))
    facts = {
        "since": since.isoformat(),
        "until": came.leads["created_at"].max().isoformat(),
        "batches": how.batches,
        "retrain": how.retrain,
        "carry": how.carry,
    }
    return finished("replay", ground.worth_is, stage, tracks, steps, models=ground.models, facts=facts, findings=notes)


def _arriving(past: Past, how: ReplayHow) -> tuple[pd.DataFrame, pd.Timestamp, tuple[Finding, ...]]:
    """The leads that are placed, since when, and what is to be told of them.

    A lead is placed in the replay if it arrived before `until` and nobody had been given it at `since`: also one that
    was waiting then.
    """
    leads, told = past_leads(past.history)
    own = pd.DataFrame(columns=["lead_id", "created_at"]) if past.leads is None else past.leads
    leads = joined(leads, own)
    created = pd.to_datetime(leads["created_at"], utc=True)
    last = created.max()
    until = last + pd.Timedelta(seconds=1) if how.until is None else how.until
    since = until - pd.Timedelta(days=DEFAULT_DAYS) if how.since is None else how.since
    if not since < until:
        raise UsageError(f"--from must be before --until. Got {since.isoformat()} and {until.isoformat()}.")
    when = first_known(past.history).groupby(past.history["lead_id"].astype(str)).min()
    given = leads["lead_id"].astype(str).map(when)
    placed = (created < until) & ((given > since) | given.isna())
    if not placed.any():
        message = f"no lead arrives from {since.date()} to {until.date()}."
        remedy = f"The history has leads up to {last.date()}: choose --from and --until before that."
        raise InputError(
            Finding(severity="error", table="history", column="created_at", message=message, remedy=remedy)
        )
    return leads.loc[placed.to_numpy()].reset_index(drop=True), since, told


def _with_asked(policy: Policy, leads: pd.DataFrame) -> pd.DataFrame:
    """The leads with every column that rules ask for: one that is not there is missing throughout."""
    lacking = _lacking(policy, leads)
    return leads.assign(**{name: pd.Series(pd.NA, index=leads.index, dtype=object).fillna(np.nan) for name in lacking})


def _lacking(policy: Policy, leads: pd.DataFrame) -> list[str]:
    derived = {"territory", "tier"}
    asked = {name for _, rule in policy.predicates() for side, name in rule.columns if side == "lead"}
    return sorted(asked - set(leads.columns) - derived)


def _as_of_then(reps: pd.DataFrame) -> pd.DataFrame:
    """The reps without what holds today only: who is paused now was not paused then, for all that is known."""
    return reps.assign(paused=False) if "paused" in reps.columns else reps


def _earlier(past: Past, since: pd.Timestamp, ground: PastGround, first: pd.Timestamp) -> pd.DataFrame:
    """What had really been handed out at `since`: the state that every track begins with. `book.COLUMNS`.

    These leads close when they closed in truth, for no track can change that any more.
    """
    when = first_known(past.history)
    rows = past.history.assign(assigned_at=when)[((when <= since) & past.history["rep_id"].notna()).to_numpy()]
    rows = rows.sort_values(["assigned_at", "lead_id"], kind="stable").drop_duplicates("lead_id")
    closed = (
        pd.to_datetime(rows["closed_at"], utc=True) if "closed_at" in rows.columns else pd.Series(pd.NaT, rows.index)
    )
    rows = rows.assign(closes_at=closed.where(closed.notna() | (rows["outcome"] == "open"), rows["assigned_at"]))
    still = (rows["closes_at"].isna() | (rows["closes_at"] > since)).to_numpy()
    rows["effort"] = lead_effort(past.policy, _with_asked(past.policy, rows), at=since)
    model, _ = ground.known(first)
    value = np.zeros(len(rows))
    if still.any():
        value[still] = model.predict_deal_value(rows[still].drop(columns="deal_value", errors="ignore"))
    rows["deal_value"] = value
    rows = _with_offers(rows, past.earlier, since)
    rows["won"] = np.nan
    if "account_id" not in rows.columns:
        rows["account_id"] = pd.Series(None, index=rows.index, dtype=object)
    return rows[list(COLUMNS)].reset_index(drop=True)


def _with_offers(rows: pd.DataFrame, earlier: pd.DataFrame | None, since: pd.Timestamp) -> pd.DataFrame:
    """The rows with what was offered then, where earlier batches say so; else unknown, and no window counts it."""
    offers = ("opportunity", "expected_revenue", "tier")
    known = pd.DataFrame(columns=["lead_id", *offers])
    if earlier is not None:
        before = pd.to_datetime(earlier["assigned_at"], utc=True) <= since
        known = earlier.loc[before.to_numpy()].drop_duplicates("lead_id", keep="last")
    index = known["lead_id"].astype(str)
    ids = rows["lead_id"].astype(str)
    for name in offers:
        kind = object if name == "tier" else float
        own = known[name].astype(kind) if name in known.columns else pd.Series(np.nan, known.index, dtype=kind)
        rows[name] = ids.map(dict(zip(index, own, strict=True))).astype(kind)
    return rows


def _notes(past: Past, since: pd.Timestamp, came: Arrivals) -> Iterator[Finding]:
    """What a person must know to read the replay rightly."""
    here = set(past.reps["rep_id"].astype(str))
    when = first_known(past.history)
    worked = past.history.loc[(when > since).to_numpy(), "rep_id"].dropna().astype(str)
    gone = sorted(set(worked) - here)
    if gone:
        message = "worked leads in the replayed time and are not in the reps: their capacity is missing from it."
        yield Finding(severity="notice", table="reps", column="rep_id", value=gone[0], count=len(gone), message=message)
    if "paused" in past.reps.columns and past.reps["paused"].fillna(False).astype(bool).any():
        yield _note("reps", "paused", "who is paused today is not paused in the replay: it is not known since when.")
    source, _ = past_leads(past.history)
    for name in _lacking(past.policy, source if past.leads is None else joined(source, past.leads)):
        yield _note("leads", name, "rules ask for this column, and past leads lack it: to them it is missing.")
    rolling = [rule.name for rule in past.policy.equity if rule.window != "batch" and rule.measure != "leads"]
    if rolling and past.earlier is None:
        yield _note(
            "assignments", "opportunity", f"the rolling window of {rolling[0]} begins empty: give --earlier to fill it."
        )


def _note(table: str, column: str, message: str) -> Finding:
    return Finding(severity="notice", table=table, column=column, message=message)
