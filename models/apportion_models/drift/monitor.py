"""One look at a model in use: observed against expected, calibration, population, segments, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from apportion_models.drift.alarms import Alarm
from apportion_models.drift.calibration import Window, calibration_alarms, windows
from apportion_models.drift.observed import Against, Revenue, conversions, observed_alarms, revenue
from apportion_models.drift.pairs import Pairs, pair_up
from apportion_models.drift.population import Floats, Shift, population_alarms, shifts
from apportion_models.drift.segments import Segment, segment_alarms, segments
from apportion_models.errors import Finding, InputError

RECENT_DAYS = 28.0
MANY = 0.1  # share of ripe leads that went elsewhere, or are missing, above which it is told as an alarm


@dataclass(frozen=True, eq=False, kw_only=True)
class MonitorReport:
    """What one look found. observed, money : None where no pair is ripe, or nothing was expected."""

    as_of: pd.Timestamp
    tolerance: float
    assigned: int
    ripe: int
    waiting: int
    within_days: float
    in_time: float
    observed: Against | None
    money: Revenue | None
    calibration: tuple[Window, ...]
    population: tuple[Shift, ...]
    segments: tuple[Segment, ...]
    alarms: tuple[Alarm, ...]
    findings: tuple[Finding, ...]

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "schema": "apportion.monitor/1",
            "as_of": self.as_of.isoformat(),
            "tolerance": self.tolerance,
            "pairs": {"assigned": self.assigned, "ripe": self.ripe, "waiting": self.waiting},
            "within_days": self.within_days,
            "share_of_wins_in_time": self.in_time,
            "conversions": None if self.observed is None else _plain(asdict(self.observed)),
            "revenue": None if self.money is None else _plain(asdict(self.money)),
            "calibration": [_plain(asdict(window)) for window in self.calibration],
            "population": [_plain(asdict(shift)) for shift in self.population],
            "segments": [_plain(asdict(segment)) for segment in self.segments],
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "sentences": list(self.sentences()),
            "findings": [str(finding) for finding in self.findings],
        }

    def sentences(self) -> tuple[str, ...]:
        """Alarms first, then what was looked at."""
        return tuple(_told(self))


def monitor(
    assignments: pd.DataFrame,
    history: pd.DataFrame,
    *,
    as_of: pd.Timestamp,
    within_days: float | None = None,
    tolerance: float = 0.1,
    alpha: float = 0.05,
    scores: tuple[Floats, Floats] | None = None,
) -> MonitorReport:
    """Look at assigned pairs at `as_of`. Looking every day is allowed.

    tolerance : by how much conversions (on the odds) and revenue may be off before that is an alarm. alpha : chance of
    a false alarm on conversions, over all looks together; and on revenue. scores : the model's chance of (past, recent)
    leads, over all reps. Raises InputError for a parameter out of its range, TableError for tables that cannot be used.
    """
    _check(within_days, tolerance, alpha)
    pairs = pair_up(assignments, history, as_of=as_of, within_days=within_days)
    found = conversions(pairs, tolerance=tolerance, alpha=alpha)
    money = revenue(pairs, tolerance=tolerance, alpha=alpha)
    past = reference(history, pairs.all_leads)
    moved = shifts(past, recent(pairs.all_leads), extra={} if scores is None else {"expected chance": scores})
    calibrated = windows(pairs, as_of_days=as_of.timestamp() / 86_400.0)
    parts = segments(pairs, tolerance=tolerance, alpha=alpha)
    alarms = (
        *observed_alarms(found, money, tolerance=tolerance),
        *calibration_alarms(calibrated),
        *segment_alarms(parts),
        *population_alarms(moved),
        *_records(pairs),
    )
    return MonitorReport(
        as_of=as_of,
        tolerance=tolerance,
        assigned=len(pairs.all_leads),
        ripe=len(pairs),
        waiting=pairs.waiting,
        within_days=pairs.within_days,
        in_time=pairs.in_time,
        observed=found,
        money=money,
        calibration=tuple(calibrated),
        population=tuple(moved),
        segments=tuple(parts),
        alarms=alarms,
        findings=pairs.findings,
    )


def reference(history: pd.DataFrame, assigned: pd.DataFrame) -> pd.DataFrame:
    """The history's leads that are not among the assigned ones, each once: what the model could learn from."""
    ids = history["lead_id"].astype(str)
    return history.loc[~ids.isin(set(assigned["lead_id"])) & ~ids.duplicated()]


def recent(assigned: pd.DataFrame) -> pd.DataFrame:
    """The assigned leads of the last RECENT_DAYS before the latest."""
    if not len(assigned):
        return assigned
    late = assigned["at"] > assigned["at"].max() - pd.Timedelta(days=RECENT_DAYS)
    return assigned.iloc[np.flatnonzero(late)]


def _check(within_days: float | None, tolerance: float, alpha: float) -> None:
    rules = {
        "within_days": (within_days, within_days is None or 0 < within_days < np.inf, "above 0"),
        "tolerance": (tolerance, 0 <= tolerance <= 1, "from 0 to 1"),
        "alpha": (alpha, 0 < alpha < 1, "between 0 and 1"),
    }
    faults = [
        Finding(severity="error", table="monitor", column=name, message=f"must be {what}.", value=value)
        for name, (value, holds, what) in rules.items()
        if not holds
    ]
    if faults:
        raise InputError(faults)


def _records(pairs: Pairs) -> Iterator[Alarm]:
    """Plans that are not followed, and outcomes that are not booked."""
    seen = len(pairs) + pairs.moved
    if seen and pairs.moved > MANY * seen:
        yield Alarm(
            kind="records",
            where="all leads",
            sentence=f"{pairs.moved:,} of {seen:,} ripe leads were worked first by another rep than the plan's.",
            action="Ask why the plan is not followed, and write the reasons as rules or overrides of the policy.",
        )
    if seen and pairs.missing > MANY * seen:
        yield Alarm(
            kind="records",
            where="all leads",
            sentence=f"{pairs.missing:,} of {seen:,} ripe leads are not in the history; they count as not won.",
            action="Give a history that lists every assigned lead, won, lost or open.",
        )


def _told(report: MonitorReport) -> Iterator[str]:
    count = len(report.alarms)
    if not report.ripe and not count:
        yield "Nothing can be said of conversions yet: no lead has had its time."
    elif not count:
        yield "No alarm."
    else:
        yield f"{count} alarm{'' if count == 1 else 's'}:"
    yield from (str(alarm) for alarm in report.alarms)
    found, money = report.observed, report.money
    if found is not None:
        yield (
            f"Conversions: {found.observed:,} of {found.pairs:,} ripe leads, expected {found.expected:,.1f}; the "
            f"odds are {found.factor:.2f} times those expected ({found.low:.2f} to {found.high:.2f}, at every look)."
        )
    if money is not None:
        interval = "too few weeks for an interval"
        if np.isfinite(money.low):
            interval = f"{money.low:+.0%} to {money.high:+.0%}"
        yield (
            f"Revenue: {money.observed:,.0f} of {money.expected:,.0f} expected over {money.weeks} weeks, "
            f"{money.ratio:+.0%} ({interval})."
        )
    fitted = [window for window in report.calibration if window.slope is not None]
    if fitted:
        last = fitted[-1]
        judged = f"{len(fitted)} windows judged"
        yield f"Calibration: slope {last.slope:.2f} in the window from {last.start} (1 is right), {judged}."
    yield (
        f"Looked at {len(report.segments)} segments and {len(report.population)} columns. {report.waiting:,} leads are "
        f"too young to count: each has {report.within_days:g} days, in which {report.in_time:.0%} of the wins come."
    )
    yield from (f"Note: {finding}" for finding in report.findings)


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Without infinities, which JSON cannot say."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in record.items()
    }
