"""Putting the page together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from plotly.offline import get_plotlyjs

from apportion.build.batch import Batch
from apportion.problem import Plan
from apportion.reasons.audit import GroupAudit, audit_words
from apportion.reasons.explain import Explanations, explain
from apportion.reasons.report import charts, view
from apportion.reasons.report.pages import page_template
from apportion.reasons.report.view import Measured
from apportion_models.errors import Finding

REP_COLUMNS = (
    "Rep",
    "Team",
    "Leads",
    "Load",
    "Expected revenue",
    "Opportunity",
    "Of fair share",
    "One more slot",
    "How the capacity came about",
)
LEAD_COLUMNS = (
    "Lead",
    "Outcome",
    "Rep",
    "Fit",
    "Expected revenue",
    "Tier",
    "Runner-up",
    "Cost of runner-up",
    "Reason",
)
AUDIT_COLUMNS = ("Group", "Reps", "Measure", "Of fair share", "90 % interval", "Amount")
BASELINE_COLUMNS = (
    "Router",
    "Expected revenue",
    "This plan against it",
    "Placed",
    "Worst-off rep, of fair share",
    "Gini of opportunity",
    "Hard rules broken",
)


@dataclass(frozen=True)
class _Own:
    """The plan itself, measured by what its reasons hold."""

    title: str
    expected_revenue: float
    n_placed: int
    gini_opportunity: float
    worst_off_share: float
    broken_rules: tuple[str, ...] = ()


def render_report(
    batch: Batch,
    plan: Plan,
    baselines: Sequence[Measured] = (),
    *,
    own: Measured | None = None,
    explanations: Explanations | None = None,
    evidence: Mapping[str, str | Sequence[str]] | None = None,
    findings: Sequence[Finding] = (),
    policy_html: str | None = None,
    fairness: Sequence[str] = (),
    audits: Sequence[GroupAudit] = (),
    run: Mapping[str, object] | None = None,
    title: str = "Lead assignment",
) -> str:
    """Render the report as one HTML document that needs nothing else; the same input gives the same bytes.

    baselines, own : what `apportion.whatif` measured of routers and plan; without `own` the Gini is left out.
    evidence : heading -> sentence or sentences on the fit model. findings : on the input; the batch's notes are
        added.
    policy_html : a summary of the policy, as trusted HTML, escaped by its maker. fairness : what the equity rules cost.
    audits : by group of reps.
    run : facts: versions, hashes.

    Raises UsageError without a plan.
    """
    reasons = explanations or explain(batch, plan)
    own = own or _measured(reasons)
    currency = reasons.facts.currency
    page = {
        "title": title,
        "batch": batch,
        "at": batch.at.strftime("%Y-%m-%d %H:%M %Z").strip(),
        "currency": currency,
        "tiles": view.headline(reasons, baselines, own),
        "certificate": reasons.certificate,
        "outcomes": view.outcome_rows(batch, reasons),
        "baselines": view.baseline_rows(baselines, own, currency) if baselines else [],
        "baseline_columns": BASELINE_COLUMNS,
        "reps": view.rep_rows(reasons.reps, currency),
        "rep_columns": REP_COLUMNS,
        "leads": view.lead_rows(batch, reasons),
        "lead_columns": LEAD_COLUMNS,
        "fairness": list(fairness),
        "audits": [(audit.column, audit_words(audit), view.audit_rows(audit)) for audit in audits],
        "audit_columns": AUDIT_COLUMNS,
        "rule_prices": reasons.prices["sentence"].tolist(),
        "evidence": {head: [text] if isinstance(text, str) else list(text) for head, text in (evidence or {}).items()},
        "findings": [str(finding) for finding in (*findings, *batch.notes)],
        "policy_html": policy_html,
        "run": run or {},
        "charts": _charts(reasons, baselines, own),
        "plotly": get_plotlyjs(),
    }
    return page_template("report.html.j2").render(page)


def _charts(reasons: Explanations, baselines: Sequence[Measured], own: Measured) -> dict[str, str]:
    """Name -> figure as JSON; a chart of nothing is left out."""
    reps, currency = reasons.reps, reasons.facts.currency
    figures: dict[str, Any] = {}
    if baselines:
        figures["baselines"] = charts.baseline_chart(baselines, own.expected_revenue, currency)
    figures["load"] = charts.load_chart(reps)
    if reps["opportunity_share"].notna().any():
        figures["share"] = charts.share_chart(reps)
    if (reps["slot_price"] > 0).any():
        figures["price"] = charts.price_chart(reps, currency)
    return figures


def _measured(reasons: Explanations) -> _Own:
    share = reasons.reps["opportunity_share"].to_numpy()
    return _Own(
        title="This plan",
        expected_revenue=math.fsum(reasons.leads["expected_revenue"].dropna()),
        n_placed=int((reasons.leads["outcome"] == "assigned").sum()),
        gini_opportunity=math.nan,
        worst_off_share=float(np.nanmin(share)) if np.isfinite(share).any() else math.nan,
    )
