"""`apportion assign`: what it writes, that it writes the same again, and that the order of rows is nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.solver.cli.conftest import PLAN_FILES, POLICY, Called, Company, call, contents, read_plan, read_rows

Write = Callable[..., Path]
PROMISED = ["rep_id", "fit", "expected_revenue", "runner_up_rep_id", "reason"]


def test_it_writes_the_files_it_promises(learnt: tuple[Path, Called]) -> None:
    """The folder is made, holds the plan's files and nothing else, and the summary tells where they are."""
    folder, called = learnt
    assert called.code == 0
    assert set(contents(folder)) == PLAN_FILES
    for name in PLAN_FILES:
        assert str(folder / name) in called.out


def test_every_lead_comes_back_once_with_its_cells(company: Company, learnt: tuple[Path, Called]) -> None:
    """The rows are the batch's in its order with every cell as it was; the promised columns stand right behind."""
    rows, leads = read_rows(learnt[0]), company.table("leads")
    assert list(rows["lead_id"]) == list(leads["lead_id"])
    assert list(rows.columns[len(leads.columns) :][: len(PROMISED)]) == PROMISED
    assert list(rows.columns[: len(leads.columns)]) == list(leads.columns)
    pd.testing.assert_frame_equal(rows[list(leads.columns)], leads)


def test_an_export_comes_back_as_it_was(company: Company, tmp_path: Path, write: Write) -> None:
    """What joins with the CRM again: its column names, its order, its cells, whether a mapping reads them or not.

    Joined columns come behind; then `lead_id`, and what was decided. Names that are ours are kept under another.
    """
    leads = company.table("leads").rename(columns={"lead_id": "Record ID", "deal_value": "Amount", "country": "Land"})
    leads["Amount"] = [f"{float(cell):.2f}".replace(".", ",") + " €" for cell in leads["Amount"]]
    leads["Land"] = leads["Land"].replace({"SE": "Sverige"})
    leads["reason"], leads["  Note  "], leads["lead_id"] = "asked at a fair", " two  spaces ", "of the old CRM"
    leads = leads[leads.columns[::-1]]
    source = leads.rename(columns={"  Note  ": "Note"})
    sheet = tmp_path / "leads.csv"
    leads.to_csv(sheet, index=False, sep=";")
    write("extra.csv", pd.DataFrame({"key": leads["Record ID"], "segment": "mid"}))
    mapping = write(
        "mapping.yaml",
        "leads:\n  columns: {lead_id: Record ID, deal_value: Amount, country: Land}\n"
        "  values: {country: {Sverige: SE}}\n  join: {file: extra.csv, on: {Record ID: key}}\n",
    )
    options = company.options(leads=sheet, mapping=mapping)
    called = call("assign", *options, "--out", tmp_path / "out")
    assert called.code == 0, called.err
    rows = read_rows(tmp_path / "out")
    kept = [{"reason": "lead_reason", "lead_id": "lead_lead_id"}.get(name, name) for name in source.columns]
    assert list(rows.columns[: len(kept) + 2]) == [*kept, "segment", "lead_id"]
    assert list(rows.columns[len(kept) + 2 :][: len(PROMISED)]) == PROMISED
    assert rows[kept].to_numpy().tolist() == source.to_numpy().tolist()
    assert list(rows["lead_id"]) == list(source["Record ID"])
    assert (rows["reason"].str.len() > 20).all()
    assert call("verify", tmp_path / "out", *options).code == 0


def test_rows_that_are_read_once_come_back_once(company: Company, tmp_path: Path, write: Write) -> None:
    """An identical row, and spaces around an id: one row a lead, its id clean, its other cells as they are."""
    leads = company.table("leads")
    leads.loc[3, "lead_id"] = f"  {leads.loc[3, 'lead_id']} "
    leads.loc[3, "industry"] = " Software "
    twice = pd.concat([leads.iloc[:6], leads.iloc[[2]], leads.iloc[6:]])
    folder = tmp_path / "out"
    assert call("assign", *company.options(leads=write("leads.csv", twice)), "--out", folder).code == 0
    rows = read_rows(folder)
    assert list(rows["lead_id"]) == [lead.strip() for lead in leads["lead_id"]]
    assert rows.loc[3, "industry"] == " Software "
    assert list(rows.columns[: len(leads.columns)]) == list(leads.columns)


def test_whole_numbers_stay_whole(company: Company, tmp_path: Path) -> None:
    """A company of 369 people comes back from Parquet as 369, not as 369.0."""
    leads = company.table("leads")
    whole = ["company_size", "company_revenue", "score", "deal_value", "visits", "years_in_business"]
    numbers = {name: pd.to_numeric(leads[name]).astype(float) for name in whole}
    leads.assign(**numbers).to_parquet(tmp_path / "leads.parquet")
    folder = tmp_path / "out"
    assert call("assign", *company.options(leads=tmp_path / "leads.parquet"), "--out", folder).code == 0
    pd.testing.assert_frame_equal(read_rows(folder)[whole], leads[whole])


def test_each_lead_has_a_rep_or_a_reason(company: Company, learnt: tuple[Path, Called]) -> None:
    """A placed lead names a rep of the table, a chance and its worth; each lead has a sentence that says why."""
    rows = read_rows(learnt[0])
    placed = rows[rows["rep_id"] != ""]
    assert len(placed) > 50 and set(placed["rep_id"]) <= set(company.table("reps")["rep_id"])
    assert (rows["reason"].str.len() > 20).all()
    assert placed["fit"].astype(float).between(0, 1).all()
    worth = placed["fit"].astype(float) * placed["deal_value"].astype(float)
    assert (placed["expected_revenue"].astype(float) - worth).abs().max() < 1e-6 * worth.max()
    assert (placed["runner_up_rep_id"] != placed["rep_id"]).all()


def test_the_document_agrees_with_the_table(learnt: tuple[Path, Called]) -> None:
    """plan.json is strict JSON; its counts, its pairs and its verdict are those of assignments.csv."""
    folder, _ = learnt
    plan, rows = read_plan(folder), read_rows(folder)
    assert plan["certificate"]["verified"] is True and all(rule["holds"] for rule in plan["rules"])
    assert plan["certificate"]["bound"] >= plan["certificate"]["objective"] > 0
    assert plan["summary"]["leads"] == len(rows)
    assert plan["summary"]["assigned"] == (rows["rep_id"] != "").sum()
    by_lead = dict(zip(rows["lead_id"], rows["rep_id"], strict=True))
    assert {row["lead_id"]: row["rep_id"] or "" for row in plan["assignments"]} == by_lead
    assert [one["name"] for one in plan["baselines"]][:2] == ["plan", "round_robin"]
    assert plan["evidence"]


def test_the_price_of_fairness_is_told_everywhere(
    company: Company, learnt: tuple[Path, Called], tmp_path: Path, write: Write
) -> None:
    """Terminal, plan.json and report.html say in the same words what equity costs; without such rules, none does."""
    folder, called = learnt
    fairness = read_plan(folder)["fairness"]
    assert fairness["rules"] == ["fair offer"]
    assert 0 <= fairness["least"] <= fairness["lost"] <= fairness["most"]
    page = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    for sentence in fairness["words"]:
        assert sentence in called.out and sentence in page
    bare = company.options(policy=write("policy.yaml", POLICY + "equity: []\n"))
    silent = call("assign", *bare, "--out", tmp_path / "out")
    assert silent.code == 0 and "equity" not in silent.out
    assert "fairness" not in read_plan(tmp_path / "out")
    assert "price of fairness" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_the_report_needs_nothing_else(learnt: tuple[Path, Called]) -> None:
    """report.html and policy.html load nothing: no script, style, picture or font by address, no import."""
    for name in ("report.html", "policy.html"):
        page = (learnt[0] / name).read_text(encoding="utf-8")
        tags = re.findall(r"<(?:script|link|img|iframe|source|object|embed)\b[^>]*>", page)
        assert not [tag for tag in tags if re.search(r"(?:src|href|data)\s*=", tag)], name
        styles = "".join(re.findall(r"<style[^>]*>(.*?)</style>", page, re.S))
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", styles), name
        assert "<html" in page and page.rstrip().endswith("</html>")


def test_two_runs_are_the_same_bytes(company: Company, learnt: tuple[Path, Called], tmp_path: Path) -> None:
    """All files, to the last byte, in whatever folder."""
    again = tmp_path / "again"
    assert call("assign", *company.options(learn=True), "--out", again).code == 0
    assert contents(again) == contents(learnt[0])


def test_writing_again_replaces_and_keeps_the_rest(company: Company, plan: Path) -> None:
    """A second run into the same folder gives the same; a file that is not ours stays."""
    (plan / "mine.txt").write_text("mine")
    first = contents(plan)
    assert call("assign", *company.options(), "--out", plan).code == 0
    assert contents(plan) == first


def test_order_of_rows_changes_nothing(
    company: Company, learnt: tuple[Path, Called], tmp_path: Path, write: Write
) -> None:
    """Shuffled leads, reps and history: the same plan.json to the byte, the same row for each lead."""
    shuffled = {
        name: write(f"{name}.csv", company.table(name).sample(frac=1, random_state=5))
        for name in ("leads", "reps", "history")
    }
    folder = tmp_path / "out"
    assert call("assign", *company.options(learn=True, **shuffled), "--out", folder).code == 0
    assert (folder / "plan.json").read_bytes() == (learnt[0] / "plan.json").read_bytes()
    assert (folder / "report.html").read_bytes() == (learnt[0] / "report.html").read_bytes()
    mixed, straight = read_rows(folder), read_rows(learnt[0])
    assert list(mixed["lead_id"]) != list(straight["lead_id"])
    order = mixed.set_index("lead_id").loc[straight["lead_id"]].reset_index()
    pd.testing.assert_frame_equal(order[straight.columns], straight)


def test_a_saved_model_assigns_as_its_history(company: Company, learnt: tuple[Path, Called], plan: Path) -> None:
    """`fit` and then `--model` give what `--history` gives, where no rule counts past assignments."""
    assert (plan / "assignments.csv").read_bytes() == (learnt[0] / "assignments.csv").read_bytes()
    saved, learnt_plan = read_plan(plan), read_plan(learnt[0])
    assert saved["run"].pop("model_source") == "saved" and learnt_plan["run"].pop("model_source") == "history"
    assert len(learnt_plan["run"].pop("history")) == 64 and "history" not in saved["run"]
    assert saved == learnt_plan


def test_parquet_gives_what_csv_gives(company: Company, plan: Path, tmp_path: Path) -> None:
    """The kind of file changes nothing."""
    leads = pd.read_csv(company.path("leads"))
    leads.to_parquet(tmp_path / "leads.parquet")
    folder = tmp_path / "out"
    assert call("assign", *company.options(leads=tmp_path / "leads.parquet"), "--out", folder).code == 0
    assert (folder / "assignments.csv").read_bytes() == (plan / "assignments.csv").read_bytes()


def test_json_is_the_document_and_nothing_else(company: Company, plan: Path, tmp_path: Path) -> None:
    """`--json` prints plan.json's content on stdout; nothing on stderr where that is no terminal."""
    called = call("assign", *company.options(), "--out", tmp_path / "out", "--json")
    assert called.code == 0 and called.err == ""
    assert called.json == read_plan(plan)


@pytest.mark.parametrize("learn", [True, False])
def test_a_day_without_leads_is_no_fault(company: Company, tmp_path: Path, write: Write, learn: bool) -> None:
    """An unattended run with an empty batch ends 0, with a header and no row, and a plan that verifies."""
    empty = write("leads.csv", company.table("leads").head(0))
    folder = tmp_path / "out"
    options = company.options(learn=learn, leads=empty)
    called = call("assign", *options, "--out", folder)
    assert called.code == 0, called.err
    rows = read_rows(folder)
    assert len(rows) == 0 and {"lead_id", *PROMISED} <= set(rows.columns)
    assert read_plan(folder)["summary"]["leads"] == 0
    assert "nan" not in called.out
    assert call("verify", folder, *options).code == 0


def test_a_batch_that_is_screened_out_has_its_reasons(company: Company, tmp_path: Path, write: Write) -> None:
    """Leads that screening rejects or sends to nurture stand in the output with the policy's reason, and no rep."""
    policy = write(
        "policy.yaml",
        POLICY + "screening:\n"
        "  - {name: small, when: company_size < 50, outcome: reject, reason: Too small for us.}\n"
        "  - {name: rest, when: company_size >= 50, outcome: nurture, reason: Wait for spring.}\n",
    )
    folder = tmp_path / "out"
    called = call("assign", *company.options(policy=policy), "--out", folder)
    assert called.code == 0, called.err
    rows = read_rows(folder)
    small = rows["company_size"].astype(float) < 50
    assert 0 < small.sum() < len(rows) and (rows["rep_id"] == "").all()
    assert list(rows["outcome"]) == ["reject" if one else "nurture" for one in small]
    assert rows.loc[small, "reason"].str.contains("Too small for us").all()
    assert rows.loc[~small, "reason"].str.contains("Wait for spring").all()


def test_screening_is_told_beside_assignment(company: Company, tmp_path: Path, write: Write) -> None:
    """Where only some are screened, the rest is assigned and all are there once, in their order."""
    policy = write(
        "policy.yaml",
        POLICY + "screening:\n  - {name: events, when: source == 'event', outcome: reject, reason: No events.}\n",
    )
    folder = tmp_path / "out"
    assert call("assign", *company.options(policy=policy), "--out", folder).code == 0
    rows = read_rows(folder)
    event = rows["source"] == "event"
    assert 0 < event.sum() < len(rows)
    assert list(rows["lead_id"]) == list(company.table("leads")["lead_id"])
    assert (rows.loc[event, "outcome"] == "reject").all() and (rows.loc[event, "rep_id"] == "").all()
    assert (rows.loc[~event, "rep_id"] != "").any()


def test_odd_cells_go_through_and_verify(company: Company, tmp_path: Path, write: Write) -> None:
    """Ids such as 007, quotes, line breaks and columns that bear the plan's names: kept, told apart, and verified."""
    leads = company.table("leads")
    leads.loc[0, "lead_id"], leads.loc[1, "lead_id"] = "007", " é;x"
    leads = leads.assign(rep_id="before", reason='because\nof "this", and ;that')
    options, folder = company.options(leads=write("leads.csv", leads)), tmp_path / "out"
    assert call("assign", *options, "--out", folder).code == 0
    rows = read_rows(folder)
    assert list(rows["lead_id"])[:2] == ["007", "é;x"]
    assert (rows["lead_rep_id"] == "before").all() and (rows["lead_reason"] == leads["reason"]).all()
    assert set(rows["rep_id"]) <= {*company.table("reps")["rep_id"], ""}
    assert call("verify", folder, *options).code == 0


def test_a_result_can_be_assigned_again(company: Company, plan: Path, tmp_path: Path) -> None:
    """assignments.csv is a leads table itself: the same leads get the same reps."""
    folder = tmp_path / "again"
    assert call("assign", *company.options(leads=plan / "assignments.csv"), "--out", folder).code == 0
    assert list(read_rows(folder)["rep_id"]) == list(read_rows(plan)["rep_id"])
