"""The schedule in the policy: read, checked, linted, told."""

from __future__ import annotations

import builtins
from typing import Any

import pandas as pd
import pytest

from apportion.policy import check_policy, document_policy, load_policy
from apportion.policy.cron import can_count, check_cron, cron_words
from apportion_models.errors import PolicyError

WHOLE = """
schedule:
  time_zone: Europe/Stockholm
  times:
    - name: mornings
      cron: 0 8,13 * * mon-fri
    - {name: new york, cron: "0 9 * * *", time_zone: America/New_York}
  waiting: {leads: 50, minutes: 10}
  retrain: {cron: 0 3 * * sun}
  missed: all
  alerts: {no_leads_hours: 24, gap_at_most: 0.02}
"""


def test_a_schedule_is_read_with_its_defaults() -> None:
    """Zone by rule, else the schedule's; no schedule means started by hand."""
    schedule = load_policy(WHOLE).schedule
    assert [schedule.zone(rule) for rule in schedule.times] == ["Europe/Stockholm", "America/New_York"]
    assert [rule.name for rule in schedule.rules()] == ["mornings", "new york", "waiting leads", "retrain"]
    assert list(load_policy(None).schedule.rules()) == []


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("times: [{name: a, cron: 0 8 * *}]", "schedule.times[0].cron", "minute, hour, day, month and weekday"),
        ("times: [{name: a, cron: 0 0 8 * * *}]", "schedule.times[0].cron", "minute, hour"),
        ("times: [{name: a, cron: '@daily'}]", "schedule.times[0].cron", "minute, hour"),
        ("times: [{name: a, cron: 61 8 * * *}]", "schedule.times[0].cron", "Bad minute"),
        ("times: [{name: a, cron: 0 8 31 2 *}]", "schedule.times[0].cron", "Bad day-of-month|never"),
        ("times: [{name: a, cron: 0 8 * * mond}]", "schedule.times[0].cron", "day-of-week"),
        ("times: [{name: a, cron: 0 8 * * *, time_zone: Sweden}]", "schedule.times[0].time_zone", "IANA"),
        ("time_zone: CET+1", "schedule.time_zone", "IANA"),
        ("waiting: {}", "schedule.waiting", "leads, or minutes"),
        ("waiting: {leads: 0}", "schedule.waiting.leads", "1"),
        ("waiting: {minutes: 0}", "schedule.waiting.minutes", "0"),
        ("missed: later", "schedule.missed", "latest"),
        ("catch_up_hours: 9999", "schedule.catch_up_hours", "744"),
        ("times: [{name: a, cron: 0 8 * * *}, {name: a, cron: 0 9 * * *}]", "schedule.times", "distinct names"),
        ("times: [{name: retrain, cron: 0 8 * * *}]\n  retrain: {}", "schedule", "Got twice: retrain"),
        ("alerts: {gap_at_mots: 1}", "schedule.alerts.gap_at_mots", "Did you mean gap_at_most"),
    ],
)
def test_faults_are_told_with_their_place(text: str, column: str, what: str) -> None:
    """Key path, line, and what would be right."""
    with pytest.raises(PolicyError, match=what) as caught:
        load_policy(f"schedule:\n  {text}\n")
    (finding,) = caught.value.findings
    assert finding.column == column
    assert finding.row is not None


def test_spaces_make_no_difference() -> None:
    """The expression is kept with single spaces, so that equal rules have equal fingerprints."""
    assert check_cron("  0  8 *   * * ") == "0 8 * * *"


def test_without_cronsim_a_policy_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An analyst without the service's libraries reads the company's policy; only its shape is checked."""
    real = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name == "cronsim":
            raise ImportError(name)
        return real(name, *args, **options)

    whole = load_policy(WHOLE).fingerprint
    monkeypatch.setattr(builtins, "__import__", without)
    assert not can_count()
    policy = load_policy(WHOLE)
    assert policy.fingerprint == whole
    assert "0 8,13 * * mon-fri" in document_policy(policy)
    assert cron_words("0 8 * * *") == "0 8 * * *"
    with pytest.raises(PolicyError):
        load_policy("schedule: {times: [{name: a, cron: every day}]}")


def test_the_document_tells_when_it_runs() -> None:
    """In words, with the zone, what is made up for, and when it is learnt anew."""
    page = document_policy(load_policy(WHOLE))
    for words in ("When it runs", "Europe/Stockholm", "50 leads wait", "a lead has waited 10 minutes", "learnt anew"):
        assert words in page
    assert "all made up for" in page
    assert "Batches are started by hand." in document_policy(load_policy(None))


LEADS = pd.DataFrame({"lead_id": ["L1"], "created_at": pd.to_datetime(["2026-03-02T08:00Z"])})
REPS = pd.DataFrame({"rep_id": ["R1", "R2"], "time_zone": ["Europe/Stockholm", "America/New_York"]})


def _notices(schedule: dict[str, Any]) -> list[str]:
    policy = load_policy({"schedule": {"time_zone": "Europe/Stockholm", **schedule}})
    found = check_policy(policy, LEADS, REPS, at="2026-03-02T08:00Z")
    return [str(finding) for finding in found if str(finding.column).startswith("schedule")]


def test_a_time_when_nobody_works_is_noticed() -> None:
    """By every rep's own zone: on Friday evening in Stockholm New York still works, on Saturday nobody does."""
    assert _notices({"times": [{"name": "a", "cron": "0 8,17 * * mon-fri"}]}) == []
    (notice,) = _notices({"times": [{"name": "a", "cron": "0 8 * * *"}]})
    assert "comes on Sat 08:00, and no rep works" in notice


def test_a_time_that_comes_too_often_is_noticed() -> None:
    """Sooner again than one batch may solve."""
    policy = {"solve": {"time_limit": 600.0}, "schedule": {"times": [{"name": "a", "cron": "*/5 * * * *"}]}}
    found = check_policy(load_policy(policy), LEADS, REPS, at="2026-03-02T08:00Z")
    assert any("comes again after 300 seconds, and a batch may solve for 600" in str(finding) for finding in found)
