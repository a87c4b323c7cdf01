"""Learning by a draw, audits and protected attributes, through the command line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.solver.cli import test_experiment
from tests.solver.cli.conftest import POLICY, Company, call, read_plan, read_rows

SWAPS = POLICY + "swaps: {share: 0.3}\naudits: [{by: team, at_least: 2}]\n"


def policy_of(folder: Path, text: str) -> Path:
    path = folder / "p.yaml"
    path.write_text(text)
    return path


def test_a_drawn_plan_is_written_verified_and_repeatable(company: Company, tmp_path: Path) -> None:
    """The draw is in the files and the words, `verify` approves of them, and the same seed gives the same bytes."""
    policy = policy_of(tmp_path, SWAPS)
    called = call("assign", *company.options(policy=policy), "--out", tmp_path / "one")
    assert called.code == 0, called.err
    assert "To learn, a draw moved" in called.out and "Audit: By “team_id”" in called.out
    rows = read_rows(tmp_path / "one")
    chance = pd.to_numeric(rows.loc[rows["rep_id"] != "", "propensity"])
    assert chance.notna().all() and (chance < 0.31).any() and ((chance >= 0.7) | (chance <= 0.3)).all()
    assert (rows.loc[rows["rep_id"] == "", "propensity"] == "").all()
    document = read_plan(tmp_path / "one")
    assert document["swaps"]["leads_moved"] == (chance < 0.5).sum() == rows["reason"].str.contains("a draw").sum()
    assert call("verify", tmp_path / "one", *company.options(policy=policy)).code == 0
    assert call("assign", *company.options(policy=policy), "--out", tmp_path / "two").code == 0
    names = ("assignments.csv", "plan.json", "report.html")
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)
    assert call("assign", *company.options(policy=policy), "--seed", 5, "--out", tmp_path / "three").code == 0
    assert read_plan(tmp_path / "three")["swaps"]["moved"] != document["swaps"]["moved"]
    page = (tmp_path / "one" / "report.html").read_text()
    assert "What groups of reps are offered" in page and "To learn, a draw moved" in page


def test_a_protected_attribute_is_audited_and_no_feature(company: Company, tmp_path: Path) -> None:
    """`--audit sex` tells it by group in report and JSON; the model refuses it, also where it is named otherwise."""
    reps = company.table("reps").assign(Gender=["f", "m"] * 5, group_b=["x", "y"] * 5)
    reps.to_csv(tmp_path / "reps.csv", index=False)
    policy = policy_of(tmp_path, POLICY + "protected: {columns: [group_b]}\naudits: [{by: group_b}]\n")
    options = company.options(learn=True, reps=tmp_path / "reps.csv", policy=policy)
    called = call("assign", *options, "--audit", "Gender", "--json", "--out", tmp_path / "out")
    assert called.code == 0, called.err
    found = {audit["by"]: audit for audit in called.json["audits"]}
    assert set(found) == {"group_b", "Gender"}
    assert (found["Gender"]["protected"], found["group_b"]["protected"]) == ("sex", "declared")
    assert {row["group"] for row in found["Gender"]["groups"]} == {"f", "m"}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "a protected attribute of a person is not used as a feature" in page and "By Gender" in page


def test_an_audit_of_nothing_is_refused_before_anything_is_solved(company: Company, tmp_path: Path) -> None:
    """A column that the reps lack: usage on the command line, a finding with its line in the policy, also by lint."""
    called = call("assign", *company.options(), "--audit", "planet", "--out", tmp_path / "out")
    assert called.code == 2 and "planet" in called.err and "rep_id" in called.err
    policy = policy_of(tmp_path, POLICY + "audits: [{by: planet}]\n")
    called = call("assign", *company.options(policy=policy), "--out", tmp_path / "out")
    assert called.code == 3 and "audits[0].by" in called.err
    assert not (tmp_path / "out" / "plan.json").exists()
    tables = ("--leads", company.path("leads"), "--reps", company.path("reps"))
    assert "audits[0].by" in str(call("policy", "check", policy, *tables))


def test_a_saved_model_keeps_to_the_policy(company: Company, tmp_path: Path) -> None:
    """A model that uses what the policy protects is refused; one fitted with the policy is not, nor one allowed."""
    policy = policy_of(tmp_path, POLICY + "protected: {columns: [industry]}\n")
    called = call("assign", *company.options(policy=policy), "--out", tmp_path / "out")
    assert called.code == 3 and "industry" in called.err and "apportion fit --policy" in called.err
    record = "{column: industry, who: works council, when: 2026-03-01, why: it is the leads'}"
    allowed = policy_of(tmp_path, POLICY + f"protected: {{columns: [industry], allow: [{record}]}}\n")
    assert call("assign", *company.options(policy=allowed), "--out", tmp_path / "out").code == 0
    tables = ("--history", company.path("history"), "--reps", company.path("reps"))
    assert call("fit", *tables, "--policy", allowed, "--out", tmp_path / "model").code == 0
    assert "industry (works council, 2026-03-01: it is the leads')" in (tmp_path / "model" / "card.md").read_text()


def test_an_arm_of_an_experiment_draws_too(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The top table and the log keep the arm's chance; that of the pair within its arm is in the arm's own table."""
    monkeypatch.setattr(test_experiment, "POLICY", test_experiment.POLICY + "swaps: {share: 0.4}\n")
    run = test_experiment.begun(company, tmp_path, "capacity_split")
    rows = test_experiment.batch(company, run, tmp_path / "batch")
    assert set(rows["propensity"].astype(float)) == {0.5}
    own = read_rows(tmp_path / "batch" / "joint")
    placed = own["rep_id"] != ""
    assert set(own["lead_id"]) == set(rows.loc[rows["arm"] == "joint", "lead_id"])
    assert (own.loc[placed, "propensity"].astype(float) < 1).any()
    moved = own["reason"].str.contains("a draw swapped it")
    assert moved.any() and (own.loc[moved, "propensity"].astype(float) <= 0.4 + 1e-9).all()
    assert rows.set_index("lead_id").loc[own["lead_id"], "rep_id"].tolist() == own["rep_id"].tolist()
