"""Replay on a small company: the past never sees the future, nothing is lost, equal input gives equal bytes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from apportion.app.replay import RunReport
from apportion.policy import load_policy
from apportion.whatif.replay import replay
from apportion_models.errors import InputError, TableError, UsageError
from tests.solver.whatif.replay.small import HOW, POLICY, once, past

DECIDED = ["track", "batch", "at", "lead_id", "outcome", "rep_id", "fit", "expected_revenue", "opportunity"]


def test_later_rows_change_no_earlier_decision() -> None:
    """After a moment all leads are others, all ends are turned round, all owners are shifted: before it nothing moves.

    The judge of worth looks back from the end, so that worth may differ; what was decided and believed may not.
    """
    then = once().stage.moments[2]
    history = past().history.copy()
    late = (history["created_at"] > then) | (history["assigned_at"] > then)
    closed_late = history["closed_at"] > then
    reps = past().reps["rep_id"].tolist()
    shifted = dict(zip(reps, reps[1:] + reps[:1], strict=True))
    history.loc[late, "rep_id"] = history.loc[late, "rep_id"].map(shifted)
    history.loc[late, "company_size"] = 9000.0
    turned = history.loc[closed_late, "outcome"].map({"won": "lost", "lost": "won"})
    history.loc[closed_late, "outcome"] = turned
    history.loc[closed_late, "deal_value"] = np.where(turned == "won", 77_000.0, np.nan)
    history.loc[closed_late, "closed_at"] += pd.Timedelta(hours=5)
    assert late.sum() > 10 and closed_late.sum() > 10
    other = replay(replace(past(), history=history), HOW)
    before = [run.decisions.query("batch <= 2")[DECIDED].reset_index(drop=True) for run in (once(), other)]
    pd.testing.assert_frame_equal(before[0], before[1], check_exact=True)
    after = [run.decisions.query("batch > 2")[DECIDED].reset_index(drop=True) for run in (once(), other)]
    assert not after[0].equals(after[1])


def test_the_order_of_rows_changes_no_byte() -> None:
    """History shuffled, same seed: the same document, page and tables, byte for byte."""
    shuffled = replace(past(), history=past().history.sample(frac=1, random_state=1).reset_index(drop=True))
    other = RunReport(run=replay(shuffled, HOW))
    one = RunReport(run=once())
    assert other.document() == one.document()
    assert other.html() == one.html()
    pd.testing.assert_frame_equal(other.run.decisions, one.run.decisions, check_exact=True)


def test_every_lead_of_the_time_is_decided_once_on_each_track() -> None:
    """Those that nobody had been given when the replay began, and no others; none twice, none lost."""
    history = past().history
    due = history.loc[history["assigned_at"] > HOW.since, "lead_id"]
    for _, own in once().decisions.groupby("track"):
        assert sorted(own["lead_id"]) == sorted(due)
    assert set(once().titles) == {"plan", "round_robin", "cherry_pick"}


def test_it_begins_with_what_was_really_open() -> None:
    """Leads given before, closed after or never: all tracks start with them; so the first batch has a backlog."""
    history, at = past().history, once().stage.moments[0]
    before = history[history["assigned_at"] <= HOW.since]
    still = before[before["closed_at"].isna() | (before["closed_at"] > at)]
    for step in once().steps[:3]:
        given = (step.decisions["outcome"] == "assigned").sum()
        assert step.open_leads.sum() == len(still) + given


def test_models_know_what_was_known_then() -> None:
    """Fitted at the first batch and again each two weeks, on the leads assigned by then; the judge on all."""
    models, history = once().models, past().history
    assert models["track"].tolist() == ["all", "all", "all", "judge"]
    for row in models[:3].to_dict(orient="records"):
        assert row["leads"] == (history["assigned_at"] <= pd.Timestamp(row["at"])).sum()
    assert models["leads"].iloc[3] == len(history)
    assert pd.Timestamp(models["at"][1]) - pd.Timestamp(models["at"][0]) == pd.Timedelta(days=14)


def test_the_same_lead_has_the_same_luck_on_every_track() -> None:
    """Where two tracks give a lead to the same rep in the same batch, it closes at the same time."""
    table = once().decisions.query("outcome == 'assigned'")
    pairs = table.groupby(["lead_id", "rep_id", "batch"])["closes_at"].nunique(dropna=False)
    shared = table.groupby(["lead_id", "rep_id", "batch"])["track"].nunique()
    assert (shared > 1).any() and (pairs == 1).all()


def test_capacity_of_a_window_is_never_exceeded() -> None:
    """On every track, no rep has more effort in windows that still run than their capacity.

    In the first batch what had really been given before may exceed it: only the track's own leads must not add to that.
    """
    assert any((step.window_effort > 0.5 * step.full).any() for step in once().steps)
    for step in once().steps[3:]:
        assert (step.window_effort <= step.full + 1e-6).all()


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"since": pd.Timestamp("2027-01-01", tz="UTC")}, UsageError, "--from must be before --until"),
        ({"since": None, "until": pd.Timestamp("2020-01-01", tz="UTC")}, InputError, "no lead arrives"),
        ({"retrain": 0.0}, UsageError, "--retrain must be"),
        ({"routers": ("best",)}, UsageError, "A router must be one of"),
        ({"gap": 3.0}, UsageError, "--gap must lie between 0 and 1. Got 3"),
        ({"time_limit": float("nan")}, UsageError, "--time-limit must be"),
        ({"batches": "now"}, UsageError, "--batches must be"),
        ({"since": pd.Timestamp("2025-08-15", tz="UTC")}, TableError, "no lead is won or lost by"),
    ],
)
def test_what_cannot_be_replayed_is_refused(change: dict[str, object], kind: type[Exception], words: str) -> None:
    """Each with what would be right."""
    with pytest.raises(kind, match=words):
        replay(past(), replace(HOW, **change))  # type: ignore[arg-type]


def test_what_a_reader_must_know_is_told() -> None:
    """A rep who has left, one who is paused today, a column that past leads lack, a window that begins empty."""
    reps = past().reps.iloc[1:].assign(paused=True).reset_index(drop=True)
    junk = {"name": "junk", "when": "email_domain == 'x.example'", "outcome": "reject", "reason": "Junk."}
    policy = load_policy({**POLICY, "screening": [junk]})
    run = replay(replace(past(), reps=reps, policy=policy), replace(HOW, routers=("none",)))
    told = " ".join(map(str, run.findings))
    assert "their capacity is missing" in told and "paused today" in told and "begins empty" in told
    assert past().reps["rep_id"].iloc[0] in told and "'email_domain'" in told
    assert (run.measured.totals["rejected"] == 0).all()
