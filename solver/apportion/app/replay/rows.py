"""The tables of the page."""

from __future__ import annotations

import math
from typing import Any

from apportion.app.replay.words import meaning
from apportion.app.whatif.rows import signed
from apportion.reasons.report.view import Cell, cell
from apportion.reasons.words import money, percent
from apportion.whatif.replay import Run

Rows = list[list[Cell]]
AGAINST_COLUMNS = ("The plan against", "Measure", "Difference", "90 %, by the spread of weeks", "What that means")
MEASURES = {"worth": "worth", "earned": "earned, with the luck of the draw"}
TOTAL_COLUMNS = (
    "Way of assigning",
    "Worth",
    "By the policy's own measure",
    "Placed",
    "To nurture",
    "Worst-off rep, of fair share",
    "Gini of opportunity",
    "Capacity in use",
    "Open leads, on average",
    "Hours until worked",
    "Batches that broke hard rules",
)
EARNED_COLUMN = "Earned in the end"
REP_COLUMNS = ("Way of assigning", "Rep", "Cohort", "Leads", "Effort", "Worth", "Opportunity", "Of fair share", "Open")
COHORT_COLUMNS = ("Way of assigning", "Cohort", "Leads", "Effort", "Worth", "Opportunity", "Of fair share, at the end")
MODEL_COLUMNS = ("For", "Fitted", "Level", "Leads known", "Won")


def against_rows(run: Run) -> Rows:
    """The plan's difference to each other track, with the interval by the spread of weeks."""
    currency = run.stage.policy.currency
    rows: Rows = []
    for row in run.against.to_dict(orient="records"):
        known = math.isfinite(row["low"])
        band = f"{signed(row['low'], currency)} to {signed(row['high'], currency)}" if known else "–"
        rows.append(
            [
                Cell(run.titles[row["track"]]),
                Cell(MEASURES[row["measure"]]),
                cell(row["difference"], signed(row["difference"], currency)),
                cell(row["low"], band),
                Cell(meaning(row).capitalize()),
            ]
        )
    return rows


def total_rows(run: Run) -> Rows:
    """The plan, then the other tracks."""
    return [_total(row, run, run.stage.policy.currency) for row in run.measured.totals.to_dict(orient="records")]


def _total(row: dict[Any, Any], run: Run, currency: str) -> list[Cell]:
    made = [
        Cell(run.titles[row["track"]]),
        cell(row["worth"], money(row["worth"], currency)),
        cell(row["objective"], money(row["objective"], currency)),
        cell(row["placed"], f"{row['placed']:,}"),
        cell(row["nurture"], f"{row['nurture']:,}"),
        cell(row["worst_off_share"], percent(row["worst_off_share"])),
        cell(row["gini_opportunity"], f"{row['gini_opportunity']:.2f}"),
        cell(row["used"], percent(row["used"])),
        cell(row["open_leads"], f"{row['open_leads']:,.0f}"),
        cell(row["hours_waited"], f"{row['hours_waited']:,.1f}"),
        cell(row["broke_hard_rules"], f"{row['broke_hard_rules']:,}"),
    ]
    return made if "earned" not in row else [*made, cell(row["earned"], money(row["earned"], currency))]


def total_columns(run: Run) -> tuple[str, ...]:
    """With what was earned, where the ground knows."""
    return (*TOTAL_COLUMNS, EARNED_COLUMN) if "earned" in run.measured.totals.columns else TOTAL_COLUMNS


def cohort_rows(run: Run) -> Rows:
    """New and tenured reps, track by track, over the whole run."""
    currency, table = run.stage.policy.currency, run.measured.cohorts
    rows: Rows = []
    for (track, cohort), own in table.groupby(["track", "cohort"], sort=False):
        share = own["of_fair_share"].iloc[-1]
        rows.append(
            [
                Cell(run.titles[str(track)]),
                Cell(str(cohort)),
                cell(own["leads"].sum(), f"{own['leads'].sum():,}"),
                cell(own["effort"].sum(), f"{own['effort'].sum():,.1f}"),
                cell(own["worth"].sum(), money(own["worth"].sum(), currency)),
                cell(own["opportunity"].sum(), money(own["opportunity"].sum(), currency)),
                cell(share, percent(share)),
            ]
        )
    return rows


def rep_rows(run: Run) -> Rows:
    """Every rep on every track."""
    currency = run.stage.policy.currency
    return [
        [
            Cell(run.titles[row["track"]]),
            Cell(str(row["rep_id"])),
            Cell(str(row["cohort"])),
            cell(row["leads"], f"{row['leads']:,}"),
            cell(row["effort"], f"{row['effort']:,.1f}"),
            cell(row["worth"], money(row["worth"], currency)),
            cell(row["opportunity"], money(row["opportunity"], currency)),
            cell(row["of_fair_share"], percent(row["of_fair_share"])),
            cell(row["open_leads"], f"{row['open_leads']:,.0f}"),
        ]
        for row in run.measured.reps.to_dict(orient="records")
    ]


def model_rows(run: Run) -> Rows:
    """When which model was fitted."""
    names = {"all": "all", "judge": "the judge of worth"} | run.titles
    return [
        [
            Cell(names.get(str(row["track"]), str(row["track"]))),
            Cell(str(row["at"]).replace("T", " ").removesuffix("+00:00")),
            Cell(str(row["level"])),
            cell(row["leads"], f"{row['leads']:,}"),
            cell(row["won"], f"{row['won']:,}"),
        ]
        for row in run.models.to_dict(orient="records")
    ]
