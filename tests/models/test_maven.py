"""Public CRM data whose reps do not differ: the model must not claim that they do. Skipped where it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from apportion_models.fit import FitModel

SHARED = Path(os.environ.get("APPORTION_SHARED", Path(__file__).resolve().parents[3] / "shared"))
MAVEN = SHARED / "data" / "maven_crm"

pytestmark = pytest.mark.skipif(
    not (MAVEN / "sales_pipeline.csv").exists(),
    reason="the public data set maven_crm is not there: set APPORTION_SHARED to the folder that holds data/maven_crm",
)

OUTCOMES = {"Won": "won", "Lost": "lost", "Engaging": "open", "Prospecting": "open"}


@pytest.fixture(scope="module")
def fitted() -> FitModel:
    pipeline = pd.read_csv(MAVEN / "sales_pipeline.csv")
    accounts = pd.read_csv(MAVEN / "accounts.csv").set_index("account")
    teams = pd.read_csv(MAVEN / "sales_teams.csv")
    history = pd.DataFrame(
        {
            "lead_id": pipeline["opportunity_id"],
            "rep_id": pipeline["sales_agent"],
            "product": pipeline["product"].replace({"GTXPro": "GTX Pro"}),
            "industry": pipeline["account"].map(accounts["sector"]),
            "company_revenue": pipeline["account"].map(accounts["revenue"]),
            "country": pipeline["account"].map(accounts["office_location"]),
            "assigned_at": pd.to_datetime(pipeline["engage_date"], utc=True),
            "closed_at": pd.to_datetime(pipeline["close_date"], utc=True),
            "outcome": pipeline["deal_stage"].map(OUTCOMES),
            "deal_value": pipeline["close_value"],
        }
    )
    reps = teams.rename(columns={"sales_agent": "rep_id", "manager": "team_id"})[["rep_id", "team_id"]]
    return FitModel(random_state=0).fit(history, reps)


def test_reps_are_not_told_from_noise(fitted: FitModel) -> None:
    """The test of equal rates gives p of about .26, and the sentence says what that means."""
    evidence = fitted.evidence_
    assert evidence.homogeneity.p_value == pytest.approx(0.26, abs=0.03)
    assert any("not distinguishable from noise" in sentence for sentence in evidence.sentences)
    assert evidence.rates["raw_rate"].max() - evidence.rates["raw_rate"].min() > 0.1
    assert evidence.rates["shrunk_rate"].max() - evidence.rates["shrunk_rate"].min() < 0.06


def test_there_is_no_evidence_of_a_rep_effect(fitted: FitModel) -> None:
    """No effect of the rep, alone or by segment, is evident, and what came true of it may be nothing."""
    assert not fitted.evidence_.reps_differ
    realised = fitted.evidence_.realised
    assert realised is None or realised.low <= 0.0
    assert not fitted.evidence_["rep"].held and not fitted.evidence_["rep x segment"].held


def test_what_was_left_out_is_told(fitted: FitModel) -> None:
    """500 deals without a date, and attributes that are only known once a deal is closed, are reported."""
    told = "\n".join(str(finding) for finding in fitted.findings_)
    assert "(500 rows.)" in told
    assert "missing on open leads" in told or fitted.level_ == "base rate"
