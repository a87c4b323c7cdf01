"""Today's plan: how good it is, where the leads went, what one more is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apportion.reasons.report import charts
from apportion.reasons.report.render import BASELINE_COLUMNS
from apportion.reasons.report.view import Cell, baseline_rows, headline, outcome_rows
from apportion.service.console.today import Today
from apportion.service.console.views.cells import Shown, to
from apportion_models.errors import Finding


@dataclass(frozen=True)
class PlanView:
    """tiles : label, figure, note. charts : name -> figure as JSON. notes : what a person should know of the batch."""

    tiles: list[tuple[str, str, str]]
    certificate: tuple[str, ...]
    fairness: tuple[str, ...]
    routers: Shown
    outcomes: Shown
    prices: Shown
    charts: Mapping[str, str]
    notes: tuple[str, ...]
    evidence: tuple[str, ...]
    run: Mapping[str, Any]


def plan_view(today: Today) -> PlanView:
    """What the first page shows."""
    report, currency = today.report, today.currency
    reasons = report.explanations
    sentences = [[Cell(sentence)] for sentence in reasons.prices["sentence"]]
    return PlanView(
        tiles=headline(reasons, report.baselines, report.own),
        certificate=reasons.certificate,
        fairness=report.fairness_words,
        routers=Shown(
            "router-table",
            "The plan and the routers, measured alike",
            BASELINE_COLUMNS,
            baseline_rows(report.baselines, report.own, currency),
            csv=to("tables/routers.csv"),
        ),
        outcomes=Shown(
            "outcome-table",
            "Every lead of the batch, counted once",
            ("Outcome", "Leads", "Why"),
            outcome_rows(report.batch, reasons),
            csv=to("tables/leads.csv"),
        ),
        prices=Shown(
            "price-table",
            "Prices of rules",
            ("What one more unit under a rule costs or brings",),
            sentences,
            csv=to("tables/prices.csv"),
            search=True,
            empty="No rule has a price: none of them keeps the plan from earning more.",
        ),
        charts=_charts(today),
        notes=tuple(str(finding) for finding in (*report.model.findings_, *report.batch.notes)),
        evidence=tuple(report.model.evidence_.sentences),
        run=report.run,
    )


def _charts(today: Today) -> dict[str, str]:
    """Name -> figure; a chart of nothing is left out."""
    report, currency = today.report, today.currency
    figures = rep_charts(today)
    if report.baselines:
        figures["routers"] = charts.baseline_chart(report.baselines, report.own.expected_revenue, currency)
    return figures


def rep_charts(today: Today) -> dict[str, str]:
    """Load against capacity, offers against the fair share, and prices of slots, rep by rep."""
    reps = today.report.explanations.reps
    figures = {"load": charts.load_chart(reps)} if len(reps) else {}
    if reps["opportunity_share"].notna().any():
        figures["share"] = charts.share_chart(reps)
    if (reps["slot_price"] > 0).any():
        figures["price"] = charts.price_chart(reps, today.currency)
    return figures


def findings_table(findings: tuple[Finding, ...] | list[Finding]) -> Shown:
    """What is wrong with an input: where, what must be, what it was, and what to do."""
    rows = []
    for one in findings:
        place = ", ".join(part for part in ("" if one.row is None else f"row {one.row}", one.column or "") if part)
        many = "" if one.count == 1 else f" ({one.count:,} rows)"
        value = "" if one.value is None else str(one.value)
        rows.append([Cell(one.table), Cell(place or "–"), Cell(one.message + many), Cell(value), Cell(one.remedy)])
    columns = ("Input", "Place", "What must be", "What it is", "What to do")
    return Shown("finding-table", "What is wrong with the input", columns, rows)
