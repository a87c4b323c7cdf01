"""What a run comes to over time: one row a track and batch, one a cohort, one a rep; and the totals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy import Policy
from apportion.whatif.baselines.measures import gini, worst_off_share
from apportion.whatif.replay.book import seconds
from apportion.whatif.replay.play import Step

Floats = NDArray[np.float64]
EQUITY_DAYS = 28.0  # over which equity is measured where no rule of the policy has a window of its own
NEW_DAYS = 90.0  # who started so many days before the run, or later, is of the cohort "new"
COHORTS = ("new", "tenured")
BANDS = (0.0, 0.1, 0.5, 0.9, 1.0)


@dataclass(frozen=True, eq=False)
class Shares:
    """How evenly opportunity was offered in some batches. due : (R,) each rep's fair part; got : (R,); in currency.

    A rep's due in a batch is their part of fair shares (capacity by ramp and availability, times weights) of what the
    track handed out in it, so that who comes and goes is owed for the days when they were there.
    """

    due: Floats
    got: Floats
    least: float  # a mean lead's opportunity: who is owed less cannot be judged

    @classmethod
    def of(cls, parts: Sequence[_Part]) -> Shares:
        """Sum up some batches of one track."""
        due, got, count = np.zeros(0), np.zeros(0), 0.0
        for part in parts:
            total, fair = float(part.opportunity.sum()), float(part.fair.sum())
            own = part.fair / fair * total if fair > 0 else np.zeros_like(part.fair)
            due = own if not len(due) else due + own
            got = part.opportunity if not len(got) else got + part.opportunity
            count += float(part.leads.sum())
        return cls(due, got, float(got.sum()) / count if count else math.inf)

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(R,) who is owed at least a mean lead."""
        return np.asarray((self.due >= self.least) & (self.due > 0), dtype=bool)

    @property
    def of_fair(self) -> Floats:
        """(R,) what each got over what they were due; NaN for who cannot be judged."""
        return np.where(self.judged, self.got / np.where(self.due > 0, self.due, 1.0), np.nan)

    def measured(self) -> dict[str, float]:
        """The worst off, Gini, and the bands: the least, a tenth, the middle, nine tenths, the most."""
        held = self.judged
        fair, got = self.due[held], self.got[held]
        names = ("share_least", "share_p10", "share_median", "share_p90", "share_most")
        known = self.of_fair[held]
        bands = np.quantile(known, BANDS) if len(known) else np.full(len(BANDS), np.nan)
        none = not len(fair) or not got.sum() > 0
        return {
            "worst_off_share": math.nan if none else worst_off_share(got, fair / fair.sum()),
            "gini_opportunity": math.nan if none else gini(got, fair),
            **dict(zip(names, bands.tolist(), strict=True)),
        }


@dataclass(frozen=True, eq=False)
class _Part:
    """One batch of one track, by rep: (R,) each."""

    at: pd.Timestamp
    fair: Floats
    leads: Floats
    effort: Floats
    opportunity: Floats
    expected: Floats
    worth: Floats
    earned: Floats

    @classmethod
    def of(cls, step: Step, rep_ids: Sequence[str]) -> _Part:
        given = step.decisions[step.decisions["outcome"] == "assigned"]
        place = {rep: index for index, rep in enumerate(rep_ids)}
        rep = np.array([place[str(one)] for one in given["rep_id"]], dtype=np.int64)

        def by_rep(column: str | None) -> Floats:
            if column is not None and column not in given.columns:
                return np.zeros(len(rep_ids))
            weights = None if column is None else given[column].to_numpy(dtype=float)
            return np.bincount(rep, weights=weights, minlength=len(rep_ids)).astype(np.float64)

        columns = (None, "effort", "opportunity", "expected_revenue", "worth", "earned")
        return cls(step.at, step.fair, *(by_rep(column) for column in columns))


def equity_days(policy: Policy) -> float:
    """Days over which equity is measured: the longest rolling window of the policy's rules, else four weeks."""
    windows = [float(rule.window) for rule in policy.equity if rule.window != "batch"]
    return max(windows, default=EQUITY_DAYS)


def cohorts(reps: pd.DataFrame, since: pd.Timestamp) -> NDArray[np.object_]:
    """(R,) "new" for who started in the 90 days before the run or in it, else "tenured"; without a date tenured."""
    start = pd.to_datetime(reps["start_date"], utc=True) if "start_date" in reps.columns else None
    new = np.zeros(len(reps), dtype=bool)
    if start is not None:
        new = (start > since - pd.Timedelta(days=NEW_DAYS)).to_numpy()
    return np.where(new, COHORTS[0], COHORTS[1]).astype(object)


@dataclass(frozen=True, eq=False)
class Measured:
    """The tables of a run: batches (track × batch), cohorts (track × batch × cohort), reps (track × rep), totals."""

    batches: pd.DataFrame
    cohorts: pd.DataFrame
    reps: pd.DataFrame
    totals: pd.DataFrame


def measure(steps: Iterable[Step], reps: pd.DataFrame, *, days: float) -> Measured:
    """Measure a run. days : of the window over which equity is told for each batch."""
    rep_ids = tuple(reps["rep_id"].astype(str))
    tracks: dict[str, list[Step]] = {}
    for step in steps:
        tracks.setdefault(step.track, []).append(step)
    since = next(iter(tracks.values()))[0].at
    cohort = cohorts(reps, since)
    rows: dict[str, list[dict[str, Any]]] = {"batches": [], "cohorts": [], "reps": [], "totals": []}
    for track, own in tracks.items():
        parts = [_Part.of(step, rep_ids) for step in own]
        batches = list(_batch_rows(own, parts, days))
        rows["batches"] += batches
        rows["cohorts"] += list(_cohort_rows(track, own, parts, cohort, days))
        whole = Shares.of(parts)
        rows["reps"] += list(_rep_rows(track, own, parts, whole, rep_ids, cohort))
        rows["totals"].append(_total(track, own, batches, whole))
    return Measured(**{name: pd.DataFrame(made) for name, made in rows.items()})


def _batch_rows(steps: Sequence[Step], parts: Sequence[_Part], days: float) -> Iterator[dict[str, Any]]:
    booked = _booked(steps)
    for index, (step, part) in enumerate(zip(steps, parts, strict=True)):
        outcome = step.decisions["outcome"].value_counts()
        full = step.full.sum()
        waited = step.decisions["hours_waited"].dropna()
        yield {
            "track": step.track,
            "batch": step.number,
            "at": step.at,
            "arrived": step.arrived,
            "placed": int(outcome.get("assigned", 0)),
            "nurture": int(outcome.get("nurture", 0)),
            "rejected": int(outcome.get("reject", 0)),
            "waiting": int(outcome.get("waiting", 0)),
            "expected_revenue": math.fsum(part.expected),
            "worth": math.fsum(part.worth),
            **({} if booked is None else {"earned": math.fsum(part.earned), "booked": booked[index]}),
            **Shares.of(_within(parts, index, days)).measured(),
            "effort": math.fsum(part.effort),
            "open_leads": float(step.open_leads.sum()),
            "open_leads_most": float(step.open_leads.max(initial=0.0)),
            "used": float(step.window_effort.sum() / full) if full > 0 else math.nan,
            "hours_waited": float(waited.mean()) if len(waited) else math.nan,
            "hours_waited_p90": float(waited.quantile(0.9)) if len(waited) else math.nan,
            "objective": step.objective,
            "broken": len(step.broken),
            "status": step.status,
            "gap": step.gap,
        }


def _booked(steps: Sequence[Step]) -> list[float] | None:
    """What was earned by leads that closed between the batch before and each batch; None where no ground knows."""
    if "earned" not in steps[0].decisions.columns:
        return None
    ends = np.concatenate([seconds(step.decisions["closes_at"]) for step in steps])
    earned = np.concatenate([np.nan_to_num(step.decisions["earned"].to_numpy(dtype=float)) for step in steps])
    place = np.searchsorted([step.at.timestamp() for step in steps], ends)
    booked: list[float] = np.bincount(place, weights=earned, minlength=len(steps) + 1)[: len(steps)].tolist()
    return booked


def _within(parts: Sequence[_Part], index: int, days: float) -> list[_Part]:
    start = parts[index].at - pd.Timedelta(days=days)
    return [part for part in parts[: index + 1] if part.at > start]


def _cohort_rows(
    track: str, steps: Sequence[Step], parts: Sequence[_Part], cohort: NDArray[np.object_], days: float
) -> Iterator[dict[str, Any]]:
    for index, (step, part) in enumerate(zip(steps, parts, strict=True)):
        shares = Shares.of(_within(parts, index, days))
        for name in COHORTS:
            own = cohort == name
            if not own.any():
                continue
            due = shares.due[own].sum()
            yield {
                "track": track,
                "batch": step.number,
                "at": step.at,
                "cohort": name,
                "reps": int((own & (part.fair > 0)).sum()),
                "leads": int(part.leads[own].sum()),
                "effort": math.fsum(part.effort[own]),
                "opportunity": math.fsum(part.opportunity[own]),
                "expected_revenue": math.fsum(part.expected[own]),
                "worth": math.fsum(part.worth[own]),
                "of_fair_share": float(shares.got[own].sum() / due) if due > 0 else math.nan,
                "open_leads": float(step.open_leads[own].sum()),
            }


def _rep_rows(
    track: str,
    steps: Sequence[Step],
    parts: Sequence[_Part],
    whole: Shares,
    rep_ids: Sequence[str],
    cohort: NDArray[np.object_],
) -> Iterator[dict[str, Any]]:
    sums = {
        name: np.sum([getattr(part, name) for part in parts], axis=0)
        for name in ("leads", "effort", "opportunity", "expected", "worth")
    }
    of_fair = whole.of_fair
    for index, rep in enumerate(rep_ids):
        yield {
            "track": track,
            "rep_id": rep,
            "cohort": cohort[index],
            "leads": int(sums["leads"][index]),
            "effort": float(sums["effort"][index]),
            "opportunity": float(sums["opportunity"][index]),
            "expected_revenue": float(sums["expected"][index]),
            "worth": float(sums["worth"][index]),
            "of_fair_share": float(of_fair[index]),
            "open_leads": float(steps[-1].open_leads[index]),
        }


def _total(track: str, steps: Sequence[Step], batches: Sequence[dict[str, Any]], whole: Shares) -> dict[str, Any]:
    table = pd.DataFrame(batches)
    waited = pd.concat([step.decisions["hours_waited"] for step in steps]).dropna()
    summed = ("arrived", "placed", "nurture", "rejected")
    amounts = [name for name in ("expected_revenue", "objective", "worth", "earned", "booked") if name in table.columns]
    placed = table.loc[table["arrived"] > 0]
    return {
        "track": track,
        **{name: int(table[name].sum()) for name in summed},
        "waiting": int(table["waiting"].iloc[-1]),
        **{name: math.fsum(table[name]) for name in amounts},
        **whole.measured(),
        "open_leads": float(table["open_leads"].mean()),
        "open_leads_most": float(table["open_leads_most"].max()),
        "used": float(placed["used"].mean()) if len(placed) else math.nan,
        "hours_waited": float(waited.mean()) if len(waited) else math.nan,
        "hours_waited_p90": float(waited.quantile(0.9)) if len(waited) else math.nan,
        "without_plan": int(table["status"].isin(["INFEASIBLE", "TIME_LIMIT"]).sum()),
        "broke_hard_rules": int((table["broken"] > 0).sum()),
        "widest_gap": float(table["gap"].max()),
    }
