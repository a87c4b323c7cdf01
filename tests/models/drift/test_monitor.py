"""Monitoring in worlds of known truth: quiet where all is well, an alarm that names the cause where it is not."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from apportion_models.drift import MonitorReport, monitor
from apportion_models.errors import InputError, TableError
from tests.models.drift.worlds import START, known, world


def seen(seed: int = 0, within: float | None = None, **given: object) -> MonitorReport:
    plan, history, end = world(seed, **given)  # type: ignore[arg-type]
    return monitor(plan, history, as_of=end, within_days=within)


def kinds(report: MonitorReport) -> set[str]:
    return {alarm.kind for alarm in report.alarms}


def test_a_sound_model_is_let_be() -> None:
    """16 worlds in which every chance is true: hardly an alarm of any kind, and the interval holds 1."""
    reports = [seen(seed, days=80, per_day=12) for seed in range(16)]
    loud = [report for report in reports if report.alarms]
    assert len(loud) <= 2, [str(alarm) for report in loud for alarm in report.alarms]
    assert sum("conversions" in kinds(report) for report in reports) <= 1
    held = [r.observed is not None and r.observed.low <= 1.02 and r.observed.high >= 0.98 for r in reports]
    assert np.mean(held) >= 0.9


@pytest.mark.parametrize(("factor", "word"), [(0.55, "Fewer"), (1.8, "More")])
def test_wrong_chances_are_found(factor: float, word: str) -> None:
    """Odds that are half as high, or nearly twice: an alarm that says which way, and what to do."""
    report = seen(1, factor=factor, value_factor=1.0)
    alarm = next(alarm for alarm in report.alarms if alarm.kind == "conversions")
    assert alarm.sentence.startswith(word) and "Fit the model again" in alarm.action
    assert report.observed is not None
    assert report.observed.high < 1 if factor < 1 else report.observed.low > 1


def test_a_late_change_is_dated() -> None:
    """All well for 90 days, then half as many convert: the alarm comes after the change, not before."""
    factor = np.where(np.arange(150 * 20) < 90 * 20, 1.0, 0.35)
    report = seen(2, days=150, factor=factor)
    assert report.observed is not None and report.observed.alarmed and report.observed.since is not None
    since = pd.Timestamp(report.observed.since * 86_400, unit="s", tz="UTC")
    assert START + pd.Timedelta(days=90) < since < START + pd.Timedelta(days=150)


def test_young_leads_are_no_failures() -> None:
    """Looked at while half of the leads are too young, and slow wins are still to come: no alarm."""
    plan, history, _ = world(3, days=120, win_days=30.0)
    at = START + pd.Timedelta(days=110)
    report = monitor(plan.loc[plan["assigned_at"] <= at], known(history, at), as_of=at)
    assert "conversions" not in kinds(report) and report.waiting > 0.4 * report.assigned
    assert report.within_days == pytest.approx(30 * np.log(10), rel=0.15)
    assert report.in_time == pytest.approx(0.9, abs=0.03)


def test_daily_looks_raise_no_alarm_by_repetition() -> None:
    """Four looks at each of 8 sound worlds: hardly an alarm on conversions or revenue (at length: the slow tests)."""
    alarms = 0
    for seed in range(8):
        plan, history, _ = world(100 + seed, days=60, per_day=15)
        raised = False
        for day in range(40, 120, 20):
            at = START + pd.Timedelta(days=day)
            report = monitor(plan.loc[plan["assigned_at"] <= at], known(history, at), as_of=at, within_days=25)
            raised = raised or "conversions" in kinds(report) or "revenue" in kinds(report)
        alarms += raised
    assert alarms <= 1


def test_deal_values_that_are_off_are_told_apart_from_chances() -> None:
    """Conversions as expected, deals worth half: an alarm on revenue alone."""
    report = seen(4, value_factor=0.5, days=200)
    assert "revenue" in kinds(report) and "conversions" not in kinds(report)
    assert report.money is not None and report.money.high < -0.1


def test_overconfident_chances_are_found() -> None:
    """Chances spread too far apart: the slope of some window is low, with the right average."""
    report = seen(5, slope=0.35, days=150, per_day=40)
    alarms = [alarm for alarm in report.alarms if alarm.kind == "calibration"]
    assert alarms and "over-confident" in alarms[0].sentence
    slopes = [window.slope for window in report.calibration if window.slope is not None]
    assert np.mean(slopes) == pytest.approx(0.35, abs=0.15)


def test_the_segment_at_fault_is_named() -> None:
    """One industry converts at a third of the odds: that segment is discovered, and hardly another."""
    report = seen(6, segment_factor={"health": 0.3}, days=200)
    found = [alarm.where for alarm in report.alarms if alarm.kind == "segment"]
    assert found[0] == "industry = health" and len(found) <= 2


def test_a_rep_is_named_without_a_judgement() -> None:
    """A rep whose leads convert far below what was expected is found; the alarm says what it is about."""
    report = seen(7, rep_factor={"R3": 0.2}, days=200)
    alarm = next(alarm for alarm in report.alarms if alarm.where == "rep_id = R3")
    assert "no judgement of a person" in alarm.action


def test_discoveries_among_segments_are_controlled() -> None:
    """15 sound worlds, a dozen segments each: hardly a false discovery (at length: the slow tests)."""
    wrong = sum("segment" in kinds(seen(200 + seed, days=60, per_day=15)) for seed in range(15))
    assert wrong <= 2


def test_other_leads_than_before_are_found() -> None:
    """Larger companies, another mix of industries: both columns are named, with then and now."""
    report = seen(8, size_shift=0.8, mix=(0.6, 0.2, 0.1, 0.1))
    found = {alarm.where: alarm for alarm in report.alarms if alarm.kind == "population"}
    assert set(found) == {"company_size", "industry"}
    assert "bank: 25% before" in found["industry"].sentence.replace("24%", "25%").replace("26%", "25%")


def test_a_column_that_is_no_longer_filled_in_is_found() -> None:
    """Missing values are a level of their own."""
    plan, history, end = world(9)
    plan.loc[plan.index[::2], "company_size"] = np.nan
    report = monitor(plan, history, as_of=end)
    alarm = next(alarm for alarm in report.alarms if alarm.where == "company_size")
    assert "missing 0% before, 50% now" in alarm.sentence


def test_scores_are_compared_where_they_are_given() -> None:
    """Scores that have shifted are an alarm of their own."""
    plan, history, end = world(10)
    rng = np.random.default_rng(0)
    scores = rng.beta(2, 8, 1000), rng.beta(3, 6, 1000)
    report = monitor(plan, history, as_of=end, scores=scores)
    assert "scores" in kinds(report)
    assert "scores" not in kinds(monitor(plan, history, as_of=end, scores=(scores[0], scores[0][::2])))


def test_plans_that_are_not_followed_are_told() -> None:
    """Another first owner than the plan's: left out of the comparison, and an alarm where it is common."""
    plan, history, end = world(11)
    history.loc[history.index[-1000:], "rep_id"] = "R9"
    report = monitor(plan, history, as_of=end)
    assert "records" in kinds(report) and report.ripe == len(plan) - 1000


def test_the_order_of_rows_changes_nothing() -> None:
    """Both tables in any order: the same report."""
    plan, history, end = world(12, factor=0.5)
    one = monitor(plan, history, as_of=end).document()
    two = monitor(plan.sample(frac=1, random_state=1), history.sample(frac=1, random_state=2), as_of=end).document()
    assert json.dumps(one, allow_nan=False) == json.dumps(two, allow_nan=False)


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_all_or_nothing_is_alarmed(outcome: str) -> None:
    """Every lead won, or none: an alarm, and strict JSON."""
    plan, history, end = world(13)
    recent = history["lead_id"].str.startswith("L")
    history.loc[recent, "outcome"] = outcome
    history.loc[recent, "deal_value"] = 1000.0 if outcome == "won" else np.nan
    report = monitor(plan, history, as_of=end)
    assert "conversions" in kinds(report)
    json.dumps(report.document(), allow_nan=False)


def test_small_and_strange_tables_have_an_answer() -> None:
    """One lead, one rep, no ripe lead, dates in the future, a past without wins: no error, no alarm, a sentence."""
    plan, history, end = world(14)
    for leads, when in (
        (plan.iloc[:1], end),
        (plan.iloc[:0], end),
        (plan, START),
        (plan, START - pd.Timedelta(days=9)),
    ):
        report = monitor(leads, history, as_of=when, within_days=30)
        assert not kinds(report) & {"conversions", "revenue", "segment", "calibration"}
        assert report.sentences() and json.dumps(report.document(), allow_nan=False)
    one = plan.assign(rep_id="R1")
    assert monitor(one, history.assign(rep_id="R1"), as_of=end).ripe == len(plan)
    never = history.assign(outcome="lost", deal_value=np.nan)
    with pytest.raises(TableError, match="no date of a win"):
        monitor(plan, never, as_of=end)
    assert "conversions" in kinds(monitor(plan, never, as_of=end, within_days=30))


def test_tables_that_cannot_be_used_are_refused_with_every_fault() -> None:
    """Missing columns, chances that are none: each is named."""
    plan, history, end = world(15, days=5)
    with pytest.raises(TableError, match="fit"):
        monitor(plan.drop(columns="fit"), history, as_of=end)
    with pytest.raises(TableError) as caught:
        monitor(plan.assign(fit=1.5, expected_revenue=-1.0), history, as_of=end)
    assert {finding.column for finding in caught.value.findings} == {"fit", "expected_revenue"}
    with pytest.raises(InputError) as wrong:
        monitor(plan, history, as_of=end, tolerance=2.0, alpha=0.0, within_days=-1.0)
    assert len(wrong.value.findings) == 3


def test_leads_in_nurture_and_leads_given_twice() -> None:
    """A lead without a rep is no pair; a lead assigned twice counts the first time."""
    plan, history, end = world(16, days=30)
    plan.loc[plan.index[:100], "rep_id"] = ""
    again = pd.concat([plan, plan.iloc[200:250].assign(assigned_at=lambda t: t["assigned_at"] + pd.Timedelta(days=1))])
    report = monitor(again, history, as_of=end)
    assert report.assigned == len(plan) - 100 and any("more than once" in str(finding) for finding in report.findings)


@pytest.mark.slow
def test_false_alarms_at_length() -> None:
    """300 sound worlds: alarms on conversions in at most 5 %, on revenue in at most 5 %, on segments in 10 %."""
    found = [kinds(seen(1000 + seed, days=150, per_day=15)) for seed in range(300)]
    for kind in ("conversions", "revenue"):
        assert sum(kind in one for one in found) <= 15
    assert sum("segment" in one for one in found) <= 30
