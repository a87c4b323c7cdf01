"""`apportion experiment` and `apportion monitor`, as a shell would call them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.solver.cli.conftest import Company, call, contents, read_rows

# Without floors, which half of a batch this small meets only after a long search: that is another test's business.
POLICY = "version: 1\nname: small\nequity: []\nsolve: {gap: 0.03, time_limit: 20}\n"
EXPERIMENT = """version: 1
name: small trial
arms:
  - {name: routed, policy: policy.yaml, router: round_robin}
  - {name: joint, policy: policy.yaml}
design: {kind: KIND, window_days: 7}
metric: {within_days: 60}
horizon_blocks: 20
guardrails: [{kind: load, limit: 1}]
"""


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("plan", ["--history", "--reps", "--mapping", "--at", "--json"]),
        ("start", ["--history", "--start", "--out", "--json"]),
        ("assign", ["--leads", "--reps", "--model", "--overrides", "--earlier", "--out", "--json", "--quiet"]),
        ("status", ["--history", "--at", "--json"]),
        ("stop", ["--history", "--reason", "--json"]),
        ("promote", ["--to", "--arm", "--anyway", "--reason", "--json"]),
    ],
)
def test_help_lists_the_options(command: str, options: list[str]) -> None:
    """`--help` ends 0 and names each option."""
    called = call("experiment", command, "--help")
    assert called.code == 0 and not [option for option in options if option not in called.out]


def begun(company: Company, folder: Path, kind: str) -> Path:
    """Start an experiment on the small company; gives its folder."""
    (folder / "policy.yaml").write_text(POLICY)
    path = folder / "experiment.yaml"
    path.write_text(EXPERIMENT.replace("KIND", kind))
    run = folder / "run"
    start = pd.read_csv(company.path("leads"))["created_at"].min()
    past = ("--history", company.path("history"), "--reps", company.path("reps"))
    called = call("experiment", "start", path, *past, "--start", start, "--out", run)
    assert called.code == 0, called.err
    return run


def batch(company: Company, run: Path, out: Path) -> pd.DataFrame:
    called = call("experiment", "assign", run, *company.options(policy=None), "--out", out, "--json")
    assert called.code == 0, called.err
    assert sum(arm["leads"] for arm in called.json["arms"]) == len(company.table("leads"))
    return read_rows(out)


@pytest.mark.parametrize("kind", ["capacity_split", "switchback", "by_team"])
def test_a_batch_under_an_experiment(kind: str, company: Company, tmp_path: Path) -> None:
    """Every lead once, in its arm; no rep above the capacity of the arm; the log has it; again is the same."""
    run = begun(company, tmp_path, kind)
    rows = batch(company, run, tmp_path / "batch")
    assert rows["lead_id"].tolist() == company.table("leads")["lead_id"].tolist()
    assert set(rows["arm"]) <= {"routed", "joint"} and rows["propensity"].astype(float).between(0, 1).all()
    log = pd.read_csv(run / "log.csv", dtype=str, keep_default_na=False)
    assert dict(zip(log["lead_id"], log["arm"], strict=True)) == dict(zip(rows["lead_id"], rows["arm"], strict=True))
    assert dict(zip(log["lead_id"], log["rep_id"], strict=True)) == dict(
        zip(rows["lead_id"], rows["rep_id"], strict=True)
    )
    load = log.loc[log["rep_id"] != ""].assign(effort=lambda t: t["effort"].astype(float))
    room = pd.read_csv(run / "capacity.csv").groupby(["arm", "rep_id"])["capacity"].sum()
    spent = load.groupby(["arm", "rep_id"])["effort"].sum()
    assert (spent <= room.reindex(spent.index) + 1e-6).all()
    assert len(spent) > 1
    if kind == "switchback":
        assert rows["arm"].nunique() == 1
    before = contents(run)
    batch(company, run, tmp_path / "again")
    assert contents(run) == before
    assert (tmp_path / "again" / "assignments.csv").read_bytes() == (
        tmp_path / "batch" / "assignments.csv"
    ).read_bytes()


def test_from_plan_to_promotion(company: Company, tmp_path: Path) -> None:
    """plan, start, assign, status, stop and promote, with their exit codes and strict JSON."""
    run = begun(company, tmp_path, "capacity_split")
    later = tmp_path / "later"
    later.mkdir()
    late = company.options(policy=None, at="2027-06-01")
    history = ("--history", company.path("history"))
    plan = call("experiment", "plan", tmp_path / "experiment.yaml", *history, "--json")
    assert plan.code == 0 and plan.json["forecast"]["blocks"] == 20
    assert "Run it for 20 blocks" in call("experiment", "plan", tmp_path / "experiment.yaml", *history).out.replace(
        "\n", " "
    )
    batch(company, run, tmp_path / "batch")
    status = call("experiment", "status", run, *history, "--json")
    assert status.code == 0 and status.json["winner"] is None and status.json["waiting"] >= 0
    assert call("experiment", "stop", run, *history).code == 2
    assert call("experiment", "stop", run, *history, "--reason", "a test").code == 0
    assert call("experiment", "promote", run).code == 2
    assert call("experiment", "promote", run, "--to", tmp_path / "live.yaml").code == 2
    assert not (tmp_path / "live.yaml").exists()
    given = ("--to", tmp_path / "live.yaml", "--arm", "joint", "--anyway", "--reason", "a test")
    promoted = call("experiment", "promote", run, *given, "--json")
    assert promoted.code == 0 and promoted.json["anyway"] is True
    assert (tmp_path / "live.yaml").read_text() == POLICY
    after = call("experiment", "assign", begun(company, later, "switchback"), *late, "--out", later / "batch")
    assert after.code == 3 and "planned blocks ended" in after.err
    over = call("experiment", "assign", run, *company.options(policy=None), "--out", tmp_path / "late")
    assert over.code == 3 and "stopped" in over.err
    assert call("experiment", "status", tmp_path / "nowhere", *history).code == 3


def test_the_schema_is_printed() -> None:
    """One JSON document."""
    called = call("experiment", "schema")
    assert called.code == 0 and "arms" in called.json["properties"]


def test_monitor_ends_well_with_alarms(company: Company, plan: Path, tmp_path: Path) -> None:
    """A plan of which nobody was won, long after: an alarm on stdout and in monitor.json, exit code 0."""
    rows = read_rows(plan)
    given = rows.loc[rows["rep_id"] != ""]
    later = pd.to_datetime(given["created_at"]) + pd.Timedelta(days=3)
    lost = pd.DataFrame(
        {
            "lead_id": given["lead_id"],
            "created_at": given["created_at"],
            "rep_id": given["rep_id"],
            "assigned_at": given["created_at"],
            "outcome": "lost",
            "closed_at": later.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )
    history = tmp_path / "history.csv"
    pd.concat([company.table("history"), lost]).to_csv(history, index=False)
    options = ("--assignments", plan, "--history", history, "--at", "2027-01-01", "--tolerance", "0.0")
    called = call("monitor", *options, "--out", tmp_path / "seen", "--json")
    assert called.code == 0, called.err
    written = json.loads((tmp_path / "seen" / "monitor.json").read_text(encoding="utf-8"))
    assert written == called.json and written["pairs"]["ripe"] == len(given)
    words = call("monitor", *options, "--model", company.model, "--reps", company.path("reps"))
    assert words.code == 0 and "Looked at" in words.out


def test_monitor_refuses_what_it_cannot_use(company: Company, plan: Path, tmp_path: Path) -> None:
    """No such file, a table that is no plan, a model without reps: 3, 3 and 2, with the reason."""
    history = ("--history", company.path("history"))
    assert call("monitor", "--assignments", tmp_path / "none.csv", *history).code == 3
    called = call("monitor", "--assignments", company.path("leads"), *history)
    assert called.code == 3 and "apportion assign" in called.err
    assert call("monitor", "--assignments", plan, *history, "--model", company.model).code == 2
    assert call("monitor", *history).code == 2
