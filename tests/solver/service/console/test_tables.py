"""What is handed out as CSV."""

from __future__ import annotations

import io

import pandas as pd

from apportion.connectors import csv_bytes
from apportion.service.console.tables import COMPARED, TODAY, leads_table
from apportion.service.console.today import Today
from apportion.service.console.views.leads import Query
from apportion.whatif import load_scenario
from tests.solver.service.console.company import FORMULA, LEAD


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)


def test_every_lead_is_there_once_with_what_was_decided(today: Today) -> None:
    """The leads' table has each lead of the batch, or those that were looked for."""
    table = read(csv_bytes(leads_table(today, Query())))
    assert len(table) == len(today.leads) and LEAD in set(table["lead_id"])
    assert f"'{FORMULA}" in set(table["note"])
    assigned = read(csv_bytes(leads_table(today, Query(outcome="assigned"))))
    assert set(assigned["outcome"]) == {"assigned"} and len(assigned) == today.report.plan.n_placed


def test_todays_tables_hold_what_the_page_shows(today: Today) -> None:
    """Reps, prices and routers, with the numbers of the plan."""
    reps = read(csv_bytes(TODAY["reps"](today)))
    assert reps["rep_id"].tolist() == list(today.report.batch.problem.rep_ids)
    assert reps["leads"].astype(int).sum() == today.report.plan.n_placed
    routers = read(csv_bytes(TODAY["routers"](today)))
    assert len(routers) == 1 + len(today.report.baselines)
    assert "rule" in read(csv_bytes(TODAY["prices"](today))).columns


def test_a_comparisons_tables_are_the_comparisons_own(today: Today) -> None:
    """Scenarios, moves and groups, as `apportion whatif` writes them."""
    comparison = today.compare([load_scenario({"name": "gone", "reps": {"leave": ["R02"]}})])
    assert len(COMPARED["scenarios"](comparison)) == 2
    assert len(COMPARED["moves"](comparison)) == len(comparison.moves) > 0
    assert set(COMPARED["groups"](comparison)["by"]) >= {"rep", "team", "tier", "territory"}
