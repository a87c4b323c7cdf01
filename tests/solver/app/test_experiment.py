"""An experiment from file to policy: plan, start, look, stop, promote; and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from apportion.app import Sources
from apportion.app.experiment import (
    PlanRequest,
    StartReport,
    experiment_json_schema,
    experiment_status,
    load_experiment,
    plan_experiment,
    promote_winner,
    start_experiment,
    stop_experiment,
)
from apportion.app.experiment.folder import open_experiment
from apportion.connectors import csv_bytes
from apportion.policy import load_policy
from apportion_models.errors import InputError, UsageError
from tests.models.experiment.worlds import START, Trial, design

ARMS = "arms:\n  - {name: today, policy: today.yaml}\n  - {name: joint, policy: joint.yaml}\n"
TEXT = f"version: 1\nname: trial\n{ARMS}design: {{window_days: 1}}\nmetric: {{within_days: 30}}\nhorizon_blocks: 40\n"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """The experiment file beside its two policies."""
    (tmp_path / "today.yaml").write_text("version: 1\nname: today\n")
    (tmp_path / "joint.yaml").write_text("version: 1\nname: joint\nsolve: {gap: 0.01}\n")

    def written(text: str = TEXT) -> Path:
        path = tmp_path / "experiment.yaml"
        path.write_text(text)
        return path

    return written


@pytest.fixture(scope="module")
def past() -> pd.DataFrame:
    """A year's leads that were all known before the start."""
    trial = Trial(design(), blocks=100, per_window=60, seed=50)
    days = pd.Timedelta(days=200)
    table = trial.history.assign(
        assigned_at=lambda t: t["assigned_at"] - days, closed_at=lambda t: t["closed_at"] - days
    )
    return table.assign(lead_id="H" + table["lead_id"], account_id=[f"A{i // 3}" for i in range(len(table))])


def begun(write: Write, past: pd.DataFrame, folder: Path, text: str = TEXT) -> StartReport:
    request = PlanRequest(write(text), Sources(history=past))
    return start_experiment(request, start=START, folder=folder)


def filled(report: StartReport, lift: float, *, blocks: int = 40, seed: int = 1) -> pd.DataFrame:
    """Fill the log of a running experiment with a world's leads; gives their history."""
    trial = Trial(report.running.design, lift=(0.0, lift), blocks=blocks, seed=seed)
    log = trial.log.assign(expected_conversion=None, expected_value=None)
    (report.running.folder / "log.csv").write_bytes(csv_bytes(log))
    return trial.history


def test_a_plan_says_how_long(write: Write, past: pd.DataFrame) -> None:
    """Without a horizon in the file, the plan finds one, in words and as strict JSON; deterministic."""
    text = TEXT.replace("horizon_blocks: 40\n", "effect: {worth: 0.3, no_difference: 0.05}\n")
    report = plan_experiment(PlanRequest(write(text), Sources(history=past)))
    assert report.forecast.blocks is not None and 20 < report.forecast.blocks < 200
    assert report.past["conversion"].leads_per_day == pytest.approx(60, rel=0.05)
    assert report.sentences()[0].startswith(f"Run it for {report.forecast.blocks} blocks")
    one = json.dumps(report.document(), allow_nan=False)
    shuffled = past.sample(frac=1, random_state=3).reset_index(drop=True)
    again = plan_experiment(PlanRequest(write(text), Sources(history=shuffled)))
    assert json.dumps(again.document(), allow_nan=False) == one


def test_the_time_of_a_lead_comes_from_the_past(write: Write, past: pd.DataFrame) -> None:
    """Without within_days: that in which 90 % of the wins came, here 23 days (ten on average)."""
    report = plan_experiment(PlanRequest(write(TEXT.replace("metric: {within_days: 30}\n", "")), Sources(history=past)))
    assert report.rules.within_days == pytest.approx(23, abs=2)
    assert report.past["conversion"].in_time == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("kind", ["switchback", "by_team"])
def test_other_designs_are_planned(kind: str, write: Write, past: pd.DataFrame) -> None:
    """A switchback and teams have windows of a week unless told otherwise; teams need the reps."""
    text = TEXT.replace("{window_days: 1}", f"{{kind: {kind}}}")
    reps = pd.DataFrame({"rep_id": [f"R{i}" for i in range(5)], "team_id": ["a", "a", "b", "b", "c"]})
    report = plan_experiment(PlanRequest(write(text), Sources(history=past, reps=reps)))
    assert report.window_days == 7 and report.forecast.blocks == 40
    if kind == "by_team":
        with pytest.raises(UsageError, match="reps"):
            plan_experiment(PlanRequest(write(text), Sources(history=past)))


def test_a_winner_becomes_the_policy(write: Write, past: pd.DataFrame, tmp_path: Path) -> None:
    """Start, look, stop, promote: the policy file has the arm's bytes, and the record has the evidence."""
    report = begun(write, past, tmp_path / "run")
    history = filled(report, 0.8)
    seen = experiment_status(tmp_path / "run", Sources(history=history), at=START + pd.Timedelta(days=90))
    assert seen.look.winner == "joint" and "joint is better than today" in seen.sentences()[0]
    json.dumps(seen.document(), allow_nan=False)
    policy = tmp_path / "live" / "policy.yaml"
    policy.parent.mkdir()
    policy.write_text("version: 1\nname: old\n")
    with pytest.raises(UsageError, match="still runs"):
        promote_winner(tmp_path / "run", policy)
    stop_experiment(tmp_path / "run", Sources(history=history), at=START + pd.Timedelta(days=90))
    done = promote_winner(tmp_path / "run", policy)
    assert done.arm == "joint" and policy.read_bytes() == (tmp_path / "joint.yaml").read_bytes()
    record = json.loads((tmp_path / "run" / "promoted.json").read_text())
    assert record["evidence"]["winner"] == "joint" and record["anyway"] is False
    assert (tmp_path / "run" / "replaced-policy.yaml").read_text() == "version: 1\nname: old\n"
    assert promote_winner(tmp_path / "run", policy).record["sha256"] == record["sha256"]
    with pytest.raises(UsageError, match="stopped already"):
        stop_experiment(tmp_path / "run", Sources(history=history))


def test_without_a_winner_only_on_record(write: Write, past: pd.DataFrame, tmp_path: Path) -> None:
    """No winner: promote refuses; with --anyway and a reason it writes, and the record says so."""
    report = begun(write, past, tmp_path / "run")
    history = filled(report, 0.0)
    early = START + pd.Timedelta(days=45)
    with pytest.raises(UsageError, match="No stop rule has fired"):
        stop_experiment(tmp_path / "run", Sources(history=history), at=early)
    stop_experiment(tmp_path / "run", Sources(history=history), at=early, reason="budget is gone")
    policy = tmp_path / "policy.yaml"
    for given in (
        {},
        {"arm": "joint"},
        {"arm": "joint", "anyway": True},
        {"arm": "joint", "anyway": True, "reason": " "},
    ):
        with pytest.raises(UsageError, match="--anyway and a --reason"):
            promote_winner(tmp_path / "run", policy, **given)  # type: ignore[arg-type]
    assert not policy.exists()
    done = promote_winner(tmp_path / "run", policy, arm="joint", anyway=True, reason="the board wants it")
    assert done.record["anyway"] is True and done.record["reason"] == "the board wants it"
    assert load_policy(policy).name == "joint"
    with pytest.raises(UsageError, match="must be one of"):
        promote_winner(tmp_path / "run", policy, arm="nobody", anyway=True, reason="x")


def test_a_router_cannot_be_promoted(write: Write, past: pd.DataFrame, tmp_path: Path) -> None:
    """An arm that is a router is no policy."""
    text = TEXT.replace("{name: today, policy: today.yaml}", "{name: today, router: round_robin}")
    report = begun(write, past, tmp_path / "run", text)
    stop_experiment(tmp_path / "run", Sources(history=filled(report, 0.0)), at=START, reason="only to see")
    with pytest.raises(UsageError, match="router, not a policy"):
        promote_winner(tmp_path / "run", tmp_path / "p.yaml", arm="today", anyway=True, reason="x")


def test_what_was_fixed_stays_fixed(write: Write, past: pd.DataFrame, tmp_path: Path) -> None:
    """A second start into the same folder is refused, policies are copies, and a setup changed by hand is noticed."""
    begun(write, past, tmp_path / "run")
    with pytest.raises(InputError, match="holds an experiment already"):
        begun(write, past, tmp_path / "run")
    (tmp_path / "joint.yaml").write_text("version: 1\nname: changed\n")
    running = open_experiment(tmp_path / "run")
    assert load_policy(running.policy(1)).name == "joint"
    path = tmp_path / "run" / "experiment.json"
    sealed = path.read_text()
    path.write_text(sealed.replace('"worth": 0.1', '"worth": 0.01'))
    with pytest.raises(InputError, match="changed after the start"):
        open_experiment(tmp_path / "run")
    path.write_text(sealed)
    (tmp_path / "run" / "policies" / "1-joint.yaml").write_text("version: 1\n")
    with pytest.raises(InputError, match="changed after the start"):
        open_experiment(tmp_path / "run")
    for text in ("", "{}", "[]", '{"schema": "apportion.experiment/1"}'):
        path.write_text(text)
        with pytest.raises(InputError):
            open_experiment(tmp_path / "run")


def test_a_gain_that_no_time_can_show_is_refused(write: Write, past: pd.DataFrame, tmp_path: Path) -> None:
    """A plan without a horizon says so, and start refuses; a stated horizon is taken, with the power that it has."""
    text = TEXT.replace("horizon_blocks: 40\n", "effect: {worth: 0.01, no_difference: 0.005}\n")
    report = plan_experiment(PlanRequest(write(text), Sources(history=past)))
    assert report.forecast.blocks is None and "cannot see" in report.sentences()[0]
    with pytest.raises(InputError, match="cannot see"):
        begun(write, past, tmp_path / "run", text)
    stated = plan_experiment(PlanRequest(write(text + "horizon_blocks: 50\n"), Sources(history=past)))
    assert stated.forecast.blocks == 50 and stated.forecast.power < 0.1


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("version: 1\n", "version: 2\n", "version"),
        (ARMS, "arms: [{name: alone}]\n", "arms"),
        ("today.yaml", "missing.yaml", "cannot be read"),
        ("name: joint,", "name: Today,", "distinct names"),
        ("name: joint,", "name: ../joint,", "letters, digits"),
        ("{window_days: 1}", "{kind: by_lead}", "capacity_split"),
        ("{window_days: 1}", "{window_days: -1}", "greater than 0"),
        ("horizon_blocks: 40", "effect: {worth: 0.1, no_difference: 0.2}", "at most worth"),
        ("horizon_blocks: 40", "horizont: 40", "not a key"),
        ("{name: today, policy: today.yaml}", "{name: today, router: roulette}", "round_robin"),
        ("{name: today, policy: today.yaml}", "{name: today, share: 0.3}", "for all arms"),
        (TEXT, "- a\n- list\n", "mapping"),
        (TEXT, "", "arms"),
    ],
)
def test_files_that_cannot_be_used(old: str, new: str, part: str, write: Write) -> None:
    """Each fault is named with its key."""
    with pytest.raises(InputError, match=part):
        load_experiment(write(TEXT.replace(old, new)))


def test_every_fault_is_told_at_once(write: Write) -> None:
    """Three faults, three findings, each with its line."""
    with pytest.raises(InputError) as caught:
        load_experiment(write("version: 1\nname: 7\narms: []\nalpha: 2\n"))
    assert [finding.row for finding in caught.value.findings] == [2, 3, 4]


@pytest.mark.parametrize("spoilt", ["no dates", "never won", "always won", "shorter than the cycle", "empty"])
def test_pasts_that_say_nothing(spoilt: str, write: Write, past: pd.DataFrame) -> None:
    """No dates, no win, nothing but wins, no lead old enough, no row: bad input, and what would be right."""
    late = past["assigned_at"] > past["assigned_at"].max() - pd.Timedelta(days=9)
    table = {
        "no dates": past.drop(columns=["assigned_at", "closed_at"]),
        "never won": past.assign(outcome="lost", deal_value=float("nan")),
        "always won": past.assign(outcome="won", closed_at=past["assigned_at"], deal_value=1.0),
        "shorter than the cycle": past.loc[late].assign(outcome="open", closed_at=pd.NaT, deal_value=float("nan")),
        "empty": past.iloc[:0],
    }[spoilt]
    with pytest.raises(InputError):
        plan_experiment(PlanRequest(write(), Sources(history=table)))


def test_logs_that_were_spoilt_are_refused(write: Write, past: pd.DataFrame, tmp_path: Path) -> None:
    """A log that lacks columns or has no times is bad input, not a bug."""
    report = begun(write, past, tmp_path / "run")
    history = filled(report, 0.0, blocks=2)
    log = tmp_path / "run" / "log.csv"
    good = log.read_text()
    for text in ("", "lead_id,arm\nL1,today\n", good.replace("2025-", "soon-", 1)):
        log.write_text(text)
        with pytest.raises(InputError):
            experiment_status(tmp_path / "run", Sources(history=history))


def test_the_schema_knows_the_file() -> None:
    """The JSON Schema describes every key, for editors; the file in docs/ is the same."""
    schema = experiment_json_schema()
    assert set(schema["properties"]) >= {"arms", "design", "metric", "effect", "guardrails", "horizon_blocks"}
    shipped = Path(__file__).parents[3] / "docs" / "experiment.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json.loads(json.dumps(schema))


def test_guardrails_reach_the_rules(write: Write, past: pd.DataFrame) -> None:
    """A guardrail on "the other metric" is on revenue where conversions decide, and the other way round."""
    rails = "guardrails: [{kind: metric, limit: 0.2}, {kind: load, limit: 1}]\n"
    report = plan_experiment(PlanRequest(write(TEXT + rails), Sources(history=past)))
    assert [rail.metric for rail in report.rules.guardrails] == ["revenue", None]
    text = TEXT.replace("{within_days: 30}", "{within_days: 30, name: revenue}")
    other = plan_experiment(PlanRequest(write(text + rails), Sources(history=past)))
    assert other.rules.guardrails[0].metric == "conversion" and other.rules.metrics["revenue"].cap is not None
    assert replace(other.rules, metric="conversion").metric == "conversion"


def test_a_date_far_ahead_is_not_taken_for_today(write: Write, past: pd.DataFrame) -> None:
    """One closing date a century off would make every open lead old: refused, unless the moment is stated."""
    table = past.copy()
    last = table["closed_at"].max()
    table.loc[table.index[7], "closed_at"] = last + pd.Timedelta(days=36_500)
    with pytest.raises(InputError, match="far after all others"):
        plan_experiment(PlanRequest(write(), Sources(history=table)))
    assert plan_experiment(PlanRequest(write(), Sources(history=table), at=last)).forecast.blocks == 40
