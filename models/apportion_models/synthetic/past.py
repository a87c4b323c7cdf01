"""How a world's past came about: who was given which lead, and how it ended.

Managers see a quality of each lead that no column tells, and give the good and the large leads to senior and strong
reps of the home pod. So a naive comparison of reps by their history is confounded, as it is in life. A share of leads
(`exploration`) is given to a rep present at random; at 1 the confounding is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from apportion_models.synthetic.draws import Floats, Ints, Stream
from apportion_models.synthetic.market import Codes, encode
from apportion_models.synthetic.truth import BASE, MAIN_SPREAD, LeadTruth, RepTruth

Bools = npt.NDArray[np.bool_]
Members = Callable[[pd.DataFrame], Bools]  # of some leads, which reps belong to the pod: (L, R)
Pod = tuple[float, Members]  # with the share of leads that are given inside it
DAY = 86_400
GROWTH = 0.4  # the flow of leads grows by this share over the past
WIN_SHAPE, LOSS_SHAPE = 2.0, 1.2  # of the days to a win and to a loss, Gamma
_CHUNK = 20_000


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the past depends on beside the leads. Times are seconds since 1970 in UTC; arrays are (R,)."""

    lead_truth: LeadTruth
    rep_truth: RepTruth
    rep_ids: Sequence[str]
    level: Ints
    start: Floats
    left: Floats  # infinite for reps who are still here
    share: Floats  # how much of the work each rep takes, relative
    pods: Sequence[Pod]
    quality_spread: float
    exploration: float
    lognormal: bool
    cutoff: float  # what is not closed by then is open


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A history with what its table hides. All arrays are (L,), in the table's row order.

    `probability` is the conversion probability given the unseen quality, `propensity` the probability with which the
    rep was chosen, `quality` the unseen quality on the logit, `rep` the rep's position in the world's roster, and
    `won` whether the lead converts in the end (also for leads that are open at the cut-off).
    """

    frame: pd.DataFrame
    probability: Floats
    propensity: Floats
    quality: Floats
    rep: Ints
    won: Bools


def arrival_times(stream: Stream, n: int, *, since: float, until: float, growth: float = GROWTH) -> Floats:
    """n sorted arrival times in [since, until), whole minutes; the flow grows linearly by `growth`."""
    drawn = np.sort(stream.uniform(n))
    moved = drawn if growth == 0 else (np.sqrt(1 + drawn * ((1 + growth) ** 2 - 1)) - 1) / growth
    return np.asarray(np.floor((since + moved * (until - since)) / 60) * 60)


def to_times(seconds: Floats) -> pd.DatetimeIndex:
    """Seconds since 1970 as UTC times in microseconds; NaN becomes NaT."""
    known = np.isfinite(seconds)
    whole = np.where(known, seconds, 0).astype(np.int64) * 1_000_000
    stamps = np.where(known, whole.astype("datetime64[us]"), np.datetime64("NaT", "us"))
    return pd.DatetimeIndex(stamps).tz_localize("UTC")


def to_seconds(times: pd.Series | pd.DatetimeIndex) -> Floats:
    """UTC times as seconds since 1970; NaT becomes NaN."""
    stamps = pd.DatetimeIndex(times).tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 1e6)


def work(setting: Setting, leads: pd.DataFrame, stream: Stream) -> Logged:
    """Give each lead to a rep and play it out.

    `leads` has the market's columns, lead_id and created_at, without a deal value. The answer's frame adds rep_id,
    assigned_at, outcome, closed_at and deal_value (what was earned when won).
    """
    n = len(leads)
    codes = encode(leads)
    quality = setting.quality_spread * stream.normal(n)
    until = np.floor(setting.cutoff / DAY) * DAY
    waited = to_seconds(leads["created_at"]) + stream.exponential(n) * 0.3 * DAY
    assigned = np.floor(np.minimum(waited, until - 60) / 60) * 60
    rep, propensity = _assign(setting, leads, quality, assigned, stream.uniform(n))
    tenure = (assigned - setting.start[rep]) / DAY
    logit = setting.lead_truth.index(codes) + quality + setting.rep_truth.chosen(codes, rep)
    probability = np.asarray(expit(logit - setting.rep_truth.ramp_loss(tenure)), dtype=np.float64)
    won = stream.uniform(n) < probability
    closed = assigned + _days_to_close(stream, codes, won) * DAY
    closed = np.where(closed < setting.cutoff, np.floor(closed / 60) * 60, np.nan)
    noise = value_noise(stream, n, lognormal=setting.lognormal)
    earned = np.maximum(np.round(setting.lead_truth.deal_value(codes) * noise), 1.0)
    is_open = np.isnan(closed)
    frame = leads.copy()
    frame["rep_id"] = np.asarray(setting.rep_ids, dtype=object)[rep]
    frame["rep_id"] = frame["rep_id"].astype("str")
    frame["assigned_at"] = to_times(assigned)
    frame["outcome"] = np.where(is_open, "open", np.where(won, "won", "lost"))
    frame["closed_at"] = to_times(closed)
    frame["deal_value"] = np.where(won & ~is_open, earned, np.nan)
    return Logged(frame=frame, probability=probability, propensity=propensity, quality=quality, rep=rep, won=won)


def _days_to_close(stream: Stream, codes: Codes, won: Bools) -> Floats:
    """Days from assignment to the end; larger companies take longer, and losing is quicker than winning."""
    n = len(codes)
    win_days = stream.gamma(WIN_SHAPE, n) * mean_days(codes, won=True)
    loss_days = stream.gamma(LOSS_SHAPE, n) * mean_days(codes, won=False)
    return np.where(won, win_days, loss_days)


def mean_days(codes: Codes, *, won: bool) -> Ints:
    """(L,) days from assignment to the end, on average; the days are Gamma with this mean."""
    return 35 + 12 * codes.size if won else 25 + 8 * codes.size


def value_noise(stream: Stream, n: int, *, lognormal: bool) -> Floats:
    """Mean-one noise of the deal value: Gamma, or lognormal in a misspecified world."""
    return np.exp(0.8 * stream.normal(n) - 0.32) if lognormal else stream.gamma(2.5, n)


def _assign(
    setting: Setting, leads: pd.DataFrame, quality: Floats, assigned: Floats, drawn: Floats
) -> tuple[Ints, Floats]:
    """The rep of each lead and the propensity of that choice, in chunks of leads to bound the memory."""
    rep, propensity = np.empty(len(leads), dtype=np.int64), np.empty(len(leads))
    for first in range(0, len(leads), _CHUNK):
        rows = slice(first, first + _CHUNK)
        chance = _propensities(setting, leads.iloc[rows], quality[rows], assigned[rows])
        cumulated = chance.cumsum(axis=1)
        passed = (cumulated <= (drawn[rows] * cumulated[:, -1])[:, None]).sum(axis=1)
        rep[rows] = passed
        propensity[rows] = chance[np.arange(len(chance)), rep[rows]]
    return rep, propensity


def _propensities(setting: Setting, leads: pd.DataFrame, quality: Floats, assigned: Floats) -> Floats:
    """The probability with which managers choose each rep, (L, R). What no pod takes goes to anyone present."""
    codes = encode(leads)
    seen = setting.lead_truth.index(codes) + quality - BASE
    lift = 0.6 * np.outer(seen, setting.level) + 0.4 * np.outer(codes.size - 1.0, setting.level)
    lift += 0.5 * np.outer(seen, setting.rep_truth.main / MAIN_SPREAD)
    here = (assigned[:, None] >= setting.start) & (assigned[:, None] < setting.left)
    weight = np.exp(np.clip(lift, -20, 20)) * setting.share * here
    rest = 1.0 - sum(share for share, _ in setting.pods)
    chance, unplaced = np.zeros_like(weight), np.full(len(weight), rest)
    for share, members in setting.pods:
        inside = weight * members(leads)
        total = inside.sum(axis=1)
        found = total > 0
        chance += share * inside / np.where(found, total, 1.0)[:, None]
        unplaced += share * ~found
    chance += (unplaced / weight.sum(axis=1))[:, None] * weight
    if setting.exploration > 0:
        anyone = here / here.sum(axis=1)[:, None]
        chance = (1 - setting.exploration) * chance + setting.exploration * anyone
    return np.asarray(chance, dtype=np.float64)
