"""Public CRM data whose agents do not differ beyond noise: an evaluation must say so. Skipped where it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from apportion.app.evaluate import EvaluateReport, EvaluateRequest, evaluate
from apportion.app.sources import Sources

SHARED = Path(os.environ.get("APPORTION_SHARED", Path(__file__).resolve().parents[4] / "shared"))
MAVEN = SHARED / "data" / "maven_crm"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (MAVEN / "sales_pipeline.csv").exists(),
        reason="the public data set maven_crm is not there: set APPORTION_SHARED to the folder with data/maven_crm",
    ),
]

OUTCOMES = {"Won": "won", "Lost": "lost", "Engaging": "open", "Prospecting": "open"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> EvaluateReport:
    pipeline = pd.read_csv(MAVEN / "sales_pipeline.csv").dropna(subset=["engage_date"])
    teams = pd.read_csv(MAVEN / "sales_teams.csv")
    history = pd.DataFrame(
        {
            "lead_id": pipeline["opportunity_id"],
            "created_at": pipeline["engage_date"],
            "rep_id": pipeline["sales_agent"],
            "account_id": pipeline["account"],
            "product": pipeline["product"].replace({"GTXPro": "GTX Pro"}),
            "assigned_at": pipeline["engage_date"],
            "closed_at": pipeline["close_date"],
            "outcome": pipeline["deal_stage"].map(OUTCOMES),
            "deal_value": pipeline["close_value"],
        }
    )
    reps = teams.rename(columns={"sales_agent": "rep_id", "manager": "team_id"})[["rep_id", "team_id"]]
    policy = tmp_path_factory.mktemp("policy") / "policy.yaml"
    policy.write_text("version: 1\nname: plain\nequity: []\ncapacity: {default: 100}\n")
    return evaluate(EvaluateRequest(Sources(reps=reps, history=history), policy))


def test_no_evidence_that_reassigning_helps(report: EvaluateReport) -> None:
    """The verdict comes first and is plain: the uplift over the best router is not told from 0."""
    assert report.value is not None, report.not_applicable
    assert report.value.best.gain.has_zero
    assert report.sentences()[0].startswith("No evidence that reassigning helps")


def test_who_gets_which_lead_makes_no_difference(report: EvaluateReport) -> None:
    """Against round robin nothing is claimed for matching, and the reps are said to be like noise."""
    assert report.value is not None
    assert report.value.against("round_robin").matching.has_zero
    assert any("not distinguishable from noise" in sentence for sentence in report.sentences())
