"""What the views show: true numbers, every lead, every answer, with no page and no browser."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from apportion.reasons import why_not
from apportion.service.console.figures import change_chart, share_chart
from apportion.service.console.today import Today, open_today
from apportion.service.console.views.answers import answer_view, study_view
from apportion.service.console.views.cells import Linked, to
from apportion.service.console.views.leads import PAGE, Query, find, lead_view, leads_view, why_view
from apportion.service.console.views.plan import findings_table, plan_view
from apportion.service.console.views.reps import rep_view, reps_view
from apportion.whatif import load_scenario
from apportion_models.errors import Finding, UsageError
from tests.solver.service.console.company import LEAD, SCRIPT, Company, leads_of


def test_what_if_starts_from_the_plan_that_is_shown(today: Today) -> None:
    """The base of every scenario is today's plan itself, lead by lead, and was not solved a second time."""
    assert today.base.solved.reused
    assert today.base.plan.rep.tolist() == today.report.plan.rep.tolist()
    assert today.base.plan.objective == today.report.plan.objective


def test_the_plan_tells_its_certificate_and_every_lead(today: Today) -> None:
    """The certificate's sentences, and outcomes that add up to the batch."""
    view = plan_view(today)
    assert view.certificate == today.report.explanations.certificate
    assert sum(float(row[1].key) for row in view.outcomes.rows) == len(today.leads)
    assert len(view.routers.rows) == 1 + len(today.report.baselines)
    assert {"load", "routers"} <= set(view.charts)
    assert json.loads(view.charts["load"])["data"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), lambda table: table["lead_id"].notna()),
        (Query(text="script"), lambda table: table["note"].str.contains("script")),
        (Query(text=LEAD.upper()), lambda table: table["lead_id"] == LEAD),
        (Query(text="nothing is like this"), lambda table: table["lead_id"].isna()),
        (Query(rep="R02"), lambda table: table["rep_id"] == "R02"),
        (Query(outcome="nurture"), lambda table: table["outcome"] == "nurture"),
        (Query(tier="hot", outcome="assigned"), lambda table: (table["tier"] == "hot") & (table["rep_id"] != "")),
    ],
)
def test_leads_are_found_by_id_rep_outcome_and_tier(today: Today, query: Query, expected: object) -> None:
    """What is found is what was asked for, and nothing of it is left out."""
    wanted = today.leads[expected(today.leads)]  # type: ignore[operator]
    assert find(today, query)["lead_id"].tolist() == wanted["lead_id"].tolist()
    assert leads_view(today, query).found == len(wanted)


def test_pages_show_every_lead_once(today: Today, monkeypatch: pytest.MonkeyPatch) -> None:
    """One page after the other gives the whole batch; a page beyond the last is the last."""
    monkeypatch.setattr("apportion.service.console.views.leads.PAGE", 7)
    pages = leads_view(today, Query()).pages
    assert pages == math.ceil(len(today.leads) / 7) and PAGE == 50
    shown = [row[0].text for page in range(1, pages + 1) for row in leads_view(today, Query(page=page)).table.rows]
    assert shown == today.leads["lead_id"].tolist()
    assert leads_view(today, Query(page=10**6)).query.page == pages


def test_a_lead_shows_its_reason_and_parts_that_add_up(today: Today) -> None:
    """Every lead has a page; the parts of its worth add up to what is left after every price."""
    reasons = today.report.explanations.leads.set_index("lead_id")
    for lead in today.leads["lead_id"]:
        view = lead_view(today, lead)
        assert view.reason
        if view.parts is not None:
            *parts, left = [float(row[1].key) for row in view.parts.rows]
            assert left == pytest.approx(reasons.loc[lead, "priced_value"], abs=1e-4)
            assert math.fsum(parts) == pytest.approx(left, abs=1e-4)
        assert dict(view.own)["lead_id"] == lead
    with pytest.raises(UsageError, match="no lead"):
        lead_view(today, "nobody")


def test_why_not_is_answered_for_every_pair(today: Today) -> None:
    """Each rep may ask for each lead: the answer is that of `why_not`, in words."""
    report = today.report
    for lead in [*today.leads["lead_id"][:4], LEAD]:
        for rep in today.people:
            view = why_view(today, lead, rep)
            answer = why_not(report.batch, report.plan, lead, rep)
            assert view.answer.sentence == answer.sentence and view.meaning
            assert (view.parts is None) == (not answer.components or answer.kind == "assigned")
    with pytest.raises(UsageError):
        why_view(today, LEAD, "nobody")


def test_a_rep_shows_how_the_capacity_came_about(today: Today) -> None:
    """The steps lead from the base to the effective capacity; the leads are the rep's own."""
    reps = today.report.explanations.reps.set_index("rep_id")
    for rep in today.people:
        view = rep_view(today, rep)
        assert float(view.steps[-1][2].replace(",", "")) == pytest.approx(reps.loc[rep, "capacity"], abs=2e-3)
        assert len(view.leads.rows) == reps.loc[rep, "leads"]
        assert view.why is None and not view.fault
    with pytest.raises(UsageError, match="no rep"):
        rep_view(today, "nobody")
    assert "no lead" in rep_view(today, "R02", "nobody").fault
    asked = rep_view(today, "R02", f" {LEAD} ").why
    assert asked is not None and asked.lead == LEAD


def test_the_table_of_reps_leads_to_each(today: Today) -> None:
    """One row a rep, each with an address in which the id is quoted."""
    rows = reps_view(today).rows
    assert len(rows) == len(today.people)
    assert all(isinstance(row[0], Linked) for row in rows)
    assert to("lead", id="a&b=c/../?") == "/lead?id=a%26b%3Dc%2F..%2F%3F"


def test_a_scenario_like_the_base_shows_no_difference(today: Today) -> None:
    """No change: the page says so, and nothing moves."""
    comparison = today.compare([load_scenario({"name": "same"})])
    view = answer_view(today, comparison, "7", 0.5)
    assert view.sentences == ("same: no difference.",)
    assert not view.moves.rows and view.n_moves == 0
    assert set(view.charts) == {"difference"}


def test_an_answer_tells_what_changes_and_for_whom(today: Today) -> None:
    """Tiles, charts and tables agree with the comparison; what a scenario changes is told in words."""
    comparison = today.compare([load_scenario({"name": "gone", "reps": {"leave": ["R02"]}})])
    view = answer_view(today, comparison, "7", 1.26)
    between = comparison.differences["gone"]
    tiles = {label: figure for label, figure, _ in view.tiles}
    assert tiles["Leads that move"] == f"{between.moves:,}" and tiles["Answered in"] == "1.3 s"
    assert view.changes == {"gone": ("R02 leaves",)}
    assert len(view.moves.rows) == view.n_moves == len(comparison.moves)
    assert view.moves.csv == "/tables/moves.csv?job=7"
    bars = json.loads(view.charts["rep"])["data"][0]
    assert bars["y"][bars["x"].index(min(bars["x"]))]
    groups = comparison.scenarios[0].groups
    total = groups.loc[groups["by"] == "rep", "revenue"].sum() - comparison.base.totals["revenue"]
    assert sum(bars["x"]) == pytest.approx(total, abs=len(bars["x"]))
    assert view.groups.columns[:2] == ("By", "Group") and view.moves.columns[0] == "Lead"  # one scenario needs no name
    named = [row[1] for row in view.groups.rows if row[0].text == "rep"]
    assert named and all(cell.text in today.people.values() and isinstance(cell, Linked) for cell in named)
    leavers = [row[1].text for row in view.moves.rows]
    assert set(leavers) <= {*today.people.values(), "nurture"} and today.people["R02"] in leavers


def test_several_scenarios_are_told_apart_in_every_table(today: Today) -> None:
    """Then each row names its own; the base has none among the groups."""
    some = [load_scenario({"name": name, "reps": {"leave": [rep]}}) for name, rep in (("one", "R02"), ("two", "R04"))]
    view = answer_view(today, today.compare(some), "7", 1.0)
    for table in (view.groups, view.moves):
        assert table.columns[0] == "Scenario" and {row[0].text for row in table.rows} == {"one", "two"}


def test_charts_tell_signs_and_sides_without_colour(today: Today) -> None:
    """A second channel beside colour: signs as text, stripes for less, a symbol of its own for each side; and names
    that are markup are text."""
    comparison = today.compare([load_scenario({"name": "gone", "reps": {"leave": ["R02"]}})])
    base, one = comparison.base, comparison.scenarios[0]
    chart = change_chart(base, one, "rep", today.people, "EUR")
    assert chart is not None and "<" not in chart
    bars, words = json.loads(chart)["data"]
    for amount, text, stripe in zip(bars["x"], words["text"], bars["marker"]["pattern"]["shape"], strict=True):
        assert text.strip()[0] == ("+" if amount > 0 else "−")
        assert stripe == ("" if amount > 0 else "/")
    assert SCRIPT not in bars["y"]
    shares = share_chart(base, one, today.people)
    assert shares is not None
    symbols = [trace["marker"]["symbol"] for trace in json.loads(shares)["data"] if "marker" in trace]
    assert len(set(symbols)) == 2
    assert change_chart(base, base, "rep", {}, "EUR") is None and share_chart(base, base, {}) is None


def test_several_scenarios_stand_side_by_side(today: Today) -> None:
    """A row each, the infeasible one too: no plan is an answer."""
    two = [
        load_scenario({"name": "gone", "reps": {"leave": ["R02"]}}),
        load_scenario({"name": "hard", "policy": {"add": {"limits": [{"name": "all", "by": "all", "low": 900}]}}}),
    ]
    view = answer_view(today, today.compare(two, sources=True), "7", 1.0)
    assert [row[0].text for row in view.scenarios.rows] == ["base", "gone", "hard"]
    assert view.tiles == () and view.sources is not None
    assert "no plan" in view.sentences[1]
    assert "sources" in view.charts and "rep" not in view.charts


@pytest.mark.parametrize("kind", ["capacity", "marginal", "sensitivity"])
def test_studies_are_drawn_and_listed(today: Today, kind: str) -> None:
    """A curve has its chart; each has a row a point, and its CSV."""
    view = study_view(kind, today.study(kind), today.currency, "3")
    assert ("study" in view.charts) == (kind == "capacity") and len(view.table.rows) >= 6
    assert view.table.csv == "/tables/study.csv?job=3"


def test_an_unknown_study_is_refused(today: Today) -> None:
    """With the names of those that there are."""
    with pytest.raises(UsageError, match="sensitivity"):
        today.study("nonsense")


def test_a_batch_without_leads_has_its_views(company: Company, tmp_path: Path) -> None:
    """A quiet day: nothing to assign, and every view says so."""
    leads_of(company).head(0).to_csv(tmp_path / "leads.csv", index=False)
    quiet = open_today(company.request(leads=tmp_path / "leads.csv"), tmp_path / "plans")
    assert plan_view(quiet).certificate
    found = leads_view(quiet, Query(text="x"))
    assert (found.found, found.total, found.pages) == (0, 0, 1)
    for rep in quiet.people:
        assert rep_view(quiet, rep).leads.rows == []
    comparison = quiet.compare([load_scenario({"name": "gone", "reps": {"leave": ["R02"]}})])
    assert answer_view(quiet, comparison, "1", 0.1).n_moves == 0


def test_findings_are_a_table() -> None:
    """Where, what must be, what it was, what to do; a count where a finding holds for many rows."""
    found = Finding(severity="error", table="leads", message="must be one.", row=3, column="x", value=0, remedy="Do.",
                    count=2)  # fmt: skip
    shown = findings_table([found])
    assert [cell.text for cell in shown.rows[0]] == ["leads", "row 3, x", "must be one. (2 rows)", "0", "Do."]
    assert pd.DataFrame(shown.rows).shape == (1, len(shown.columns))
