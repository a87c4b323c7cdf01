"""`apportion verify`: a fresh plan holds; whatever is changed in it, or in what it was made from, is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.solver.cli.conftest import POLICY, Company, call, contents, read_plan, read_rows

Write = Callable[..., Path]


def save_rows(folder: Path, rows: pd.DataFrame) -> None:
    rows.to_csv(folder / "assignments.csv", index=False)


def save_plan(folder: Path, plan: Any) -> None:
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")


def give(folder: Path, lead: str, rep: str) -> None:
    """Give one lead to another rep, in both files."""
    rows, plan = read_rows(folder), read_plan(folder)
    rows.loc[rows["lead_id"] == lead, "rep_id"] = rep
    for row in plan["assignments"]:
        row["rep_id"] = rep if row["lead_id"] == lead else row["rep_id"]
    save_rows(folder, rows)
    save_plan(folder, plan)


def test_a_fresh_plan_holds(company: Company, plan: Path) -> None:
    """Exit 0, every rule told; --json says so in one document; no file is touched."""
    before = contents(plan)
    called = call("verify", plan, *company.options())
    assert called.code == 0, called.err
    assert "capacity" in called.out and "NO" not in called.out
    document = call("verify", plan, *company.options(), "--json").json
    assert document["ok"] is True and document["same_inputs"] is True
    assert all(rule["holds"] for rule in document["rules"]) and len(document["rules"]) >= 8
    assert contents(plan) == before


def test_what_history_made_is_verified_by_history(company: Company, learnt: tuple[Path, Any]) -> None:
    """The model is learnt again, and gives the same verdict."""
    assert call("verify", learnt[0], *company.options(learn=True)).code == 0


def test_a_rep_without_capacity_is_told(company: Company, plan: Path) -> None:
    """A lead given to the rep who has not started breaks a rule, and the rule and the exit code say so."""
    none = next(rep["rep_id"] for rep in read_plan(plan)["reps"] if rep["capacity"] == 0)
    give(plan, read_rows(plan)["lead_id"][0], none)
    called = call("verify", plan, *company.options())
    assert called.code == 3
    assert "does not hold" in called.err and ("capacity" in called.err or "eligibility" in called.err)
    assert "NO" in called.out


def test_a_worse_plan_cannot_claim_the_objective(company: Company, plan: Path) -> None:
    """A lead taken from its rep leaves the objective too high for what the plan earns."""
    give(plan, read_rows(plan)["lead_id"][0], "")
    called = call("verify", plan, *company.options(), "--json")
    assert called.code == 3 and "objective is what the plan earns" in called.err
    assert called.json["ok"] is False


def test_both_files_must_agree(company: Company, plan: Path) -> None:
    """A row edited in assignments.csv alone is named with row, column and value."""
    rows = read_rows(plan)
    old = rows.loc[4, "rep_id"]
    rows.loc[4, "rep_id"] = next(rep for rep in company.table("reps")["rep_id"] if rep != old)
    save_rows(plan, rows)
    called = call("verify", plan, *company.options())
    assert called.code == 3
    assert f"assignments.csv, row 5, column 'rep_id': plan.json gives {rows.loc[4, 'lead_id']} to {old}" in called.err


@pytest.mark.parametrize(
    ("factor", "rule"), [(0.5, "bound is not below the objective"), (0.9999999, "bound"), (0.0, "bound")]
)
def test_a_bound_that_is_not_proved(company: Company, plan: Path, factor: float, rule: str) -> None:
    """A bound edited downwards, to look better, is found out."""
    document = read_plan(plan)
    said = document["certificate"]
    said["bound"] = said["objective"] + (said["bound"] - said["objective"]) * 0.5 if factor > 0.9 else 0.0
    said["bound"] = said["objective"] * factor if factor == 0.5 else said["bound"]
    save_plan(plan, document)
    called = call("verify", plan, *company.options())
    assert called.code == 3 and rule in called.err


def test_an_objective_that_is_not_earned(company: Company, plan: Path) -> None:
    """An objective edited upwards is found out."""
    document = read_plan(plan)
    document["certificate"]["objective"] *= 1.001
    save_plan(plan, document)
    called = call("verify", plan, *company.options())
    assert called.code == 3 and "objective is what the plan earns" in called.err


@pytest.mark.parametrize("name", ["leads", "reps"])
def test_changed_tables_are_told(company: Company, plan: Path, write: Write, name: str) -> None:
    """Another score or another name: not what the plan was made from."""
    table = company.table(name)
    column = {"leads": "engagement", "reps": "name"}[name]
    table.loc[2, column] = {"leads": "1.5", "reps": "Somebody Else"}[name]
    called = call("verify", plan, *company.options(**{name: write(f"{name}.csv", table)}), "--json")
    assert called.code == 3 and "fingerprints differ" in called.err
    assert called.json["same_inputs"] is False


def test_a_changed_policy_is_told(company: Company, plan: Path, write: Write) -> None:
    """A policy with other rules is not the plan's."""
    policy = write("policy.yaml", POLICY + "nurture: {value: 3}\n")
    called = call("verify", plan, *company.options(policy=policy))
    assert called.code == 3 and "fingerprints differ" in called.err


def test_the_order_of_rows_and_columns_is_no_change(company: Company, plan: Path, write: Write) -> None:
    """The same cells in another order, in the inputs or in the plan's table, are the same."""
    reps = company.table("reps").sample(frac=1, random_state=3)
    save_rows(plan, read_rows(plan).iloc[::-1, ::-1])
    called = call("verify", plan, *company.options(reps=write("reps.csv", reps[reps.columns[::-1]])))
    assert called.code == 0, called.err


def test_every_input_is_covered(company: Company, tmp_path: Path, write: Write) -> None:
    """History, accounts, territories, teams, calendar, overrides, earlier batches, mapping: each is named when another
    one is given, or none, and all of them at once."""
    lead, rep = company.table("leads")["lead_id"][0], company.table("reps")["rep_id"][0]
    tables = {
        "accounts": "account_id,industry\nA-1,{}\n",
        "territories": f"territory,rep_id,note\nnorth,{rep},{{}}\n",
        "teams": "team_id,name\n"
        + "".join(f"{team},{{0}}\n" for team in sorted(set(company.table("reps")["team_id"]))),
        "calendar": f"rep_id,start,end,note\n{rep},2020-01-01,2020-01-05,{{}}\n",
        "overrides": f"lead_id,rep_id,kind,note\n{lead},nobody,ban,{{}}\n",
        "earlier": f"lead_id,rep_id,assigned_at,note\nL-old,{rep},2020-01-01,{{}}\n",
        "mapping": "leads: {{defaults: {{product: {}}}}}\n",
    }
    first = {name: write(f"{name}-1.csv", text.format("one")) for name, text in tables.items()}
    other = {name: write(f"{name}-2.csv", text.format("two")) for name, text in tables.items()}
    folder = tmp_path / "out"
    made = call("assign", *company.options(learn=True, **first), "--out", folder)
    assert made.code == 0, made.err
    assert call("verify", folder, *company.options(learn=True, **first)).code == 0
    called = call("verify", folder, *company.options(learn=True, **{**other, "accounts": None}), "--json")
    assert called.code == 3
    assert sorted(called.json["other_inputs"]) == sorted(tables)
    assert "fingerprints differ: mapping, accounts, teams, territories, calendar, overrides, earlier" in called.err
    history = write("history.csv", company.table("history").iloc[:-1])
    called = call("verify", folder, *company.options(learn=True, **first, history=history), "--json")
    assert called.json["other_inputs"] == ["history"]


def test_another_model_is_told(company: Company, plan: Path, tmp_path: Path) -> None:
    """A model that was learnt from fewer leads is not the plan's."""
    history = tmp_path / "history.csv"
    company.table("history").iloc[:-40].to_csv(history, index=False)
    fitted = call("fit", "--history", history, "--reps", company.path("reps"), "--out", tmp_path / "model")
    assert fitted.code == 0, fitted.err
    called = call("verify", plan, *company.options(model=tmp_path / "model"), "--json")
    assert called.code == 3 and called.json["other_inputs"] == ["model"]


@pytest.mark.parametrize(
    ("column", "value"),
    [("fit", "0.99"), ("expected_revenue", "1e9"), ("reason", "Because."), ("runner_up_rep_id", "R01"),
     ("runner_up_cost", ""), ("opportunity", "words"), ("outcome", "reject")],
)  # fmt: skip
def test_an_edited_cell_is_named(company: Company, plan: Path, column: str, value: str) -> None:
    """What was decided and why is the plan's: a cell that says otherwise is named with row, column and value."""
    rows = read_rows(plan)
    row = next(at for at in range(len(rows)) if rows.loc[at, "rep_id"] and rows.loc[at, column] not in ("", value))
    rows.loc[row, column] = value
    save_rows(plan, rows)
    called = call("verify", plan, *company.options(), "--json")
    assert called.code == 3 and called.json["ok"] is False
    assert f"assignments.csv, row {row + 1}, column '{column}': plan.json says" in called.err
    assert called.err.count("assignments.csv") == 1


def test_an_edited_cell_of_the_lead_is_told(company: Company, plan: Path) -> None:
    """The lead's own cells, a column too many or too few: the table is not as it was written."""
    whole = read_rows(plan)
    other = whole.replace({"industry": {whole.loc[5, "industry"]: "Magic"}})
    for spoilt in (other, whole.assign(more="x"), whole.drop(columns="reason")):
        save_rows(plan, spoilt)
        called = call("verify", plan, *company.options())
        assert called.code == 3 and "assignments.csv: was changed after the plan was written" in called.err
    save_rows(plan, whole)
    assert call("verify", plan, *company.options()).code == 0


def test_rows_that_are_missing_double_or_strange(company: Company, plan: Path) -> None:
    """A lead left out, one twice and one that is none: all told at once, each with its id."""
    rows = read_rows(plan)
    spoilt = pd.concat([rows.iloc[1:], rows.iloc[[3]], rows.iloc[[5]].assign(lead_id="L-none")])
    save_rows(plan, spoilt)
    called = call("verify", plan, *company.options())
    assert called.code == 3 and "3 faults" in called.err
    assert rows.loc[0, "lead_id"] in called.err and rows.loc[3, "lead_id"] in called.err and "L-none" in called.err


def test_a_screened_lead_with_a_rep_is_told(company: Company, tmp_path: Path, write: Write) -> None:
    """What screening keeps back must not come in by a later edit."""
    policy = write("policy.yaml", POLICY + "screening: [{name: events, when: source == 'event', outcome: reject}]\n")
    options, folder = company.options(policy=policy), tmp_path / "out"
    assert call("assign", *options, "--out", folder).code == 0
    rows = read_rows(folder)
    lead = rows.loc[rows["outcome"] == "reject", "lead_id"].iloc[0]
    rows.loc[rows["lead_id"] == lead, "rep_id"] = "R01"
    save_rows(folder, rows)
    called = call("verify", folder, *options)
    assert called.code == 3 and f"screening keeps {lead} back" in called.err


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema": "apportion.plan/1"}', '{"schema": "apportion.plan/1", "at": "never", "run": {}, '
     '"assignments": [], "certificate": {}, "prices": {}}'],
)  # fmt: skip
def test_a_damaged_document_is_no_bug(company: Company, plan: Path, text: str) -> None:
    """A plan.json that is no plan is bad input, and the file is named."""
    (plan / "plan.json").write_text(text)
    called = call("verify", plan, *company.options())
    assert called.code == 3 and "plan.json" in called.err, called.err


@pytest.mark.parametrize("part", ["certificate", "prices"])
def test_a_document_with_a_hole_is_no_bug(company: Company, plan: Path, part: str) -> None:
    """A plan.json whose certificate or prices are empty is told as damaged."""
    document = read_plan(plan)
    document[part] = {}
    save_plan(plan, document)
    called = call("verify", plan, *company.options())
    assert called.code == 3 and "damaged" in called.err


def test_files_that_are_not_there(company: Company, plan: Path, tmp_path: Path) -> None:
    """No folder, or no assignments: bad input, named."""
    assert "plan.json" in call("verify", tmp_path / "none", *company.options()).err
    (plan / "assignments.csv").unlink()
    called = call("verify", plan, *company.options())
    assert called.code == 3 and "assignments.csv" in called.err
