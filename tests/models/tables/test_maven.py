from __future__ import annotations

import os
from pathlib import Path

import pytest

from apportion_models.errors import Finding
from apportion_models.tables import check_references, read_accounts, read_history, read_leads, read_reps

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("APPORTION_SHARED", ROOT.parent / "shared")) / "data" / "maven_crm"
MAPPING = ROOT / "docs" / "examples" / "maven_crm.mapping.yaml"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the shared data is not here; APPORTION_SHARED names its folder"
)


def test_history() -> None:
    """Won, lost and engaging rows are history, with the accounts' and products' attributes, unedited."""
    findings: list[Finding] = []
    history = read_history(DATA / "sales_pipeline.csv", mapping=MAPPING, findings=findings)
    assert history["outcome"].value_counts().to_dict() == {"won": 4238, "lost": 2473, "open": 1589}
    assert history.loc[history["outcome"] != "open", "closed_at"].notna().all()
    assert history["assigned_at"].min().isoformat() == "2016-10-20T00:00:00+00:00"
    assert set(history["product"]) & {"GTXPro", "GTX Pro"} == {"GTX Pro"}
    assert history["list_price"].notna().all()
    assert "technology" in set(history["industry"]) and "technolgy" not in set(history["industry"])
    assert history.loc[history["account_id"].notna(), "company_size"].notna().all()
    assert history["rep_id"].nunique() == 30
    assert {finding.severity for finding in findings} == {"notice"}


def test_leads() -> None:
    """Engaging and prospecting rows are the leads; prospects without a date get the stated one."""
    leads = read_leads(DATA, mapping=MAPPING)
    assert leads["stage"].value_counts().to_dict() == {"Engaging": 1589, "Prospecting": 500}
    assert leads["created_at"].notna().all()
    assert (leads.loc[leads["stage"] == "Prospecting", "created_at"].dt.strftime("%Y-%m-%d") == "2017-12-31").all()
    assert (leads.loc[leads["product"] == "GTX Pro", "deal_value"] == 4821.0).all()
    assert leads["deal_value"].notna().all()


def test_reps_accounts_and_references() -> None:
    """Reps, accounts and parents agree with each other: only the managers are no reps."""
    reps, accounts = read_reps(DATA, mapping=MAPPING), read_accounts(DATA, mapping=MAPPING)
    assert (len(reps), reps["team_id"].nunique(), len(accounts)) == (35, 6, 85)
    assert accounts["parent_account_id"].notna().sum() == 15
    leads, history = read_leads(DATA, mapping=MAPPING), read_history(DATA, mapping=MAPPING)
    assert [finding.column for finding in check_references(leads, reps, history, accounts=accounts)] == ["manager_id"]
