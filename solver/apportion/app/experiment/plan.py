"""Plan: what the past says of the metric, how long the experiment must run, and the rules it will run by."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from apportion.app.experiment.loading import Loaded, load_experiment
from apportion.app.experiment.spec import Experiment
from apportion.app.sources import Sources, read_sources
from apportion_models.errors import Finding, InputError, UsageError
from apportion_models.experiment import Forecast, Guardrail, Metric, MetricRules, Past, Rules, forecast, past_of
from apportion_models.experiment.outcomes import outcomes_of
from apportion_models.experiment.planning import block_size, mature_rows, shock_of, window_days_for
from apportion_models.fit.history import FAR_AHEAD_DAYS

MOST_WINS = 0.9  # share of the wins that the time of a lead should cover where nobody says
LEAST_LEADS = 30.0  # an arm and block
SHORTEST = {"capacity_split": 1.0, "switchback": 7.0, "by_team": 7.0}  # days: work carries over from window to window


@dataclass(frozen=True)
class PlanRequest:
    """The experiment file, and the past (history; reps are needed by team)."""

    experiment: Path
    sources: Sources
    at: pd.Timestamp | None = None


@dataclass(frozen=True, eq=False)
class PlanReport:
    """What to expect. rules : None where the plan cannot tell a horizon (then the forecast says so)."""

    loaded: Loaded
    rules: Rules
    forecast: Forecast
    past: dict[Metric, Past]
    window_days: float
    findings: tuple[Finding, ...]

    @property
    def experiment(self) -> Experiment:
        """The experiment that is planned."""
        return self.loaded.experiment

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "schema": "apportion.experiment-plan/1",
            "experiment": self.experiment.name,
            "fingerprint": self.experiment.fingerprint,
            "design": self.experiment.design.kind,
            "window_days": self.window_days,
            "forecast": asdict(self.forecast),
            "past": {name: asdict(past) for name, past in self.past.items()},
            "rules": asdict(self.rules),
            "sentences": list(self.sentences()),
            "findings": [str(finding) for finding in self.findings],
        }

    def sentences(self) -> tuple[str, ...]:
        """The plan in plain words, the duration first."""
        from apportion.app.experiment.words import plan_sentences

        return plan_sentences(self)


def plan_experiment(request: PlanRequest) -> PlanReport:
    """Plan an experiment from its file and the past. Raises InputError where either cannot be used."""
    if request.sources.history is None:
        raise UsageError("A plan needs the past: name it with --history.")
    loaded = load_experiment(request.experiment)
    read = read_sources(request.sources)
    assert read.history is not None
    experiment = loaded.experiment
    leads, as_of = _past_leads(read.history, request.at)
    within = experiment.metric.within_days or usual_days(leads, read.history)
    past = _past(experiment, leads, read.history, within, as_of)
    window = _window(experiment, past[experiment.metric.name])
    past = _past(experiment, leads, read.history, within, as_of, window)
    teams = _teams(experiment, read.tables.reps)
    rules, expected = _rules(experiment, past, within, window, teams)
    return PlanReport(loaded, rules, expected, past, window, tuple(read.tables.findings))


def last_moment(history: pd.DataFrame) -> pd.Timestamp | None:
    """The last date in the history: what it knew, it knew then. None where it has none.

    Raises InputError where that date lies far after all others: by a slip of the pen every open lead would be old.
    """
    dates = [pd.to_datetime(history[name], utc=True).dropna() for name in DATES if name in history]
    known = pd.concat(dates).sort_values() if dates else pd.Series(dtype="datetime64[ns, UTC]")
    if not len(known):
        return None
    last, bulk = pd.Timestamp(known.iloc[-1]), known.iloc[int(0.99 * (len(known) - 1))]
    if last - bulk > max(pd.Timedelta(days=FAR_AHEAD_DAYS), (bulk - known.iloc[0]) / 2):
        message = "the last date lies far after all others, and leads are judged by their age on that day."
        remedy = "Mend the date, or say with --at up to when the history is known."
        raise InputError(
            Finding(severity="error", table="history", message=message, value=last.isoformat(), remedy=remedy)
        )
    return last


DATES = ("created_at", "assigned_at", "closed_at")


def _past_leads(history: pd.DataFrame, at: pd.Timestamp | None) -> tuple[pd.DataFrame, pd.Timestamp]:
    """One row a lead: lead_id, at (first assigned), unit; and the moment up to which the past is known."""
    when = pd.Series(pd.NaT, index=history.index, dtype="datetime64[ns, UTC]")
    for name in ("assigned_at", "created_at"):
        if name in history:
            when = when.fillna(pd.to_datetime(history[name], utc=True))
    as_of = at or last_moment(history)
    if as_of is None or when.isna().all():
        message = "must have dates (assigned_at or created_at): without them no lead's age is known."
        raise InputError(Finding(severity="error", table="history", column="assigned_at", message=message))
    ids = history["lead_id"].astype(str)
    unit = ids if "account_id" not in history else history["account_id"].astype(object).fillna("lead " + ids)
    table = pd.DataFrame({"lead_id": ids, "at": when, "unit": unit.astype(str)})
    table = table.loc[table["at"].notna() & (table["at"] <= as_of)]
    table = table.sort_values(["at", "lead_id"], kind="stable").drop_duplicates("lead_id")
    return table.reset_index(drop=True), pd.Timestamp(as_of)


def usual_days(leads: pd.DataFrame, history: pd.DataFrame) -> float:
    """Whole days in which MOST_WINS of the wins came, seen on the older half of the leads, which had time to win."""
    won = history.loc[history["outcome"].astype(str) == "won"]
    closed = (
        pd.to_datetime(won["closed_at"], utc=True) if "closed_at" in won else pd.Series(dtype="datetime64[ns, UTC]")
    )
    first = pd.Series(closed.to_numpy(), index=won["lead_id"].astype(str).to_numpy()) if len(closed) else closed
    old = leads.iloc[: max(1, len(leads) // 2)]
    delay = (old["lead_id"].map(first.groupby(level=0).min()) - old["at"]) if len(first) else pd.Series(dtype=float)
    days = pd.to_timedelta(delay).dt.total_seconds().to_numpy() / 86_400.0 if len(delay) else np.zeros(0)
    days = days[np.isfinite(days) & (days >= 0)]
    if not days.size:
        message = "must tell when leads were won (closed_at), or the experiment must say metric.within_days."
        raise InputError(Finding(severity="error", table="history", column="closed_at", message=message))
    return float(max(1, math.ceil(np.quantile(days, MOST_WINS))))


def _past(
    experiment: Experiment,
    leads: pd.DataFrame,
    history: pd.DataFrame,
    within: float,
    as_of: pd.Timestamp,
    window: float | None = None,
) -> dict[Metric, Past]:
    """Both metrics over the mature past; revenue is left out where no value is known."""
    mature = leads.loc[mature_rows(leads["at"], within_days=within, as_of=as_of)]
    found = outcomes_of(mature["lead_id"], mature["at"], history, within_days=within, as_of=as_of)
    ever = outcomes_of(mature["lead_id"], mature["at"], history, within_days=math.inf, as_of=as_of)
    assigned = _days(mature["at"])
    unit = mature["unit"] if experiment.design.unit == "account" else mature["lead_id"]
    codes = pd.factorize(unit)[0].astype(np.int64)
    in_time = float(found.converted.sum() / max(ever.converted.sum(), 1.0))
    shared = {"window_days": window or experiment.design.window_days or 1.0, "in_time": in_time}
    past: dict[Metric, Past] = {"conversion": past_of(found.converted, assigned, codes, **shared)}
    paid = found.revenue[found.revenue > 0]
    if paid.size >= 2:
        cap = float(np.quantile(paid, experiment.metric.winsorise))
        past["revenue"] = past_of(np.minimum(found.revenue, cap), assigned, codes, cap=cap, **shared)
    elif experiment.metric.name == "revenue":
        message = "must tell what won leads brought (deal_value), if revenue is to decide."
        raise InputError(Finding(severity="error", table="history", column="deal_value", message=message))
    return past


def _days(when: pd.Series) -> np.ndarray:
    origin = pd.Timestamp(0, tz="UTC")
    return ((when - origin).dt.total_seconds() / 86_400.0).to_numpy(dtype=np.float64)


def _window(experiment: Experiment, past: Past) -> float:
    """The window that was asked for, or the shortest that brings enough leads to each arm."""
    if experiment.design.window_days is not None:
        return experiment.design.window_days
    together = experiment.design.kind == "switchback"
    smallest = 1.0 if together else min(experiment.shares) * experiment.design.windows_per_block
    return max(SHORTEST[experiment.design.kind], window_days_for(past, least_leads=LEAST_LEADS / smallest))


def _teams(experiment: Experiment, reps: pd.DataFrame) -> int:
    if experiment.design.kind != "by_team":
        return len(experiment.arms)
    if not len(reps):
        raise UsageError("A plan by team needs the reps: name them with --reps.")
    team = reps["team_id"] if "team_id" in reps else pd.Series(np.nan, index=reps.index)
    count = int(team.fillna(reps["rep_id"]).nunique())
    if count < len(experiment.arms):
        message = f"there must be at least as many teams as arms ({len(experiment.arms)})."
        raise InputError(Finding(severity="error", table="reps", column="team_id", message=message, value=count))
    return count


def _rules(
    experiment: Experiment, past: dict[Metric, Past], within: float, window: float, teams: int
) -> tuple[Rules, Forecast]:
    main, kind, arms = past[experiment.metric.name], experiment.design.kind, len(experiment.arms)
    windows = experiment.design.windows_per_block if kind == "capacity_split" else arms
    size = min(
        block_size(kind, main.leads_per_day * window, windows, share, experiment.shares[0])
        for share in experiment.shares[1:]
    )
    shock = shock_of(kind, main, teams, arms)
    expected = forecast(
        main,
        effect=experiment.effect.worth * main.mean,
        size=size,
        shock=shock,
        block_days=windows * window,
        within_days=within,
        alpha=experiment.alpha / (arms - 1),
        power=experiment.power,
        blocks=experiment.horizon_blocks,
    )
    rails = tuple(_guardrail(rail.kind, rail.limit, experiment.metric.name) for rail in experiment.guardrails)
    metrics: dict[Metric, MetricRules] = {
        name: MetricRules(
            baseline=one.mean,
            block_sd=float(one.sd * np.sqrt(one.unit_inflation / size + shock_of(kind, one, teams, arms))),
            cap=one.cap,
        )
        for name, one in past.items()
    }
    rules = Rules(
        metric=experiment.metric.name,
        metrics=metrics,
        within_days=within,
        worth=experiment.effect.worth * main.mean,
        margin=experiment.effect.no_difference * main.mean,
        horizon=expected.blocks or 0,
        planned_size=size,
        shock=shock / main.unit_inflation,
        alpha=experiment.alpha,
        adjust=experiment.adjust,
        guardrails=rails,
    )
    return rules, expected


def _guardrail(kind: Any, limit: float, metric: Metric) -> Guardrail:
    rail = Guardrail(kind=kind, limit=limit)
    other: Metric = "revenue" if metric == "conversion" else "conversion"
    return replace(rail, metric=other) if kind == "metric" else rail
