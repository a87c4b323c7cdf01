"""Putting the page of a run together."""

from __future__ import annotations

import math

from plotly.offline import get_plotlyjs

from apportion.app.replay import charts, rows
from apportion.app.replay.report import RunReport
from apportion.app.replay.words import CAN_AND_CANNOT, best_router, sentences
from apportion.app.whatif.rows import signed
from apportion.reasons.report.pages import page_template
from apportion.reasons.words import money, percent
from apportion.whatif.replay import PLAN, Run

TITLES = {"replay": "Replay", "simulation": "Simulation"}


def render_page(report: RunReport) -> str:
    """One HTML document that needs nothing else; the same report gives the same bytes."""
    run = report.run
    stage = run.stage
    told = sentences(run)
    page = {
        "title": f"{TITLES[run.kind]}: {stage.policy.name}",
        "kind": run.kind,
        "first": stage.moments[0].strftime("%Y-%m-%d"),
        "last": stage.moments[-1].strftime("%Y-%m-%d"),
        "batches": len(stage.moments),
        "leads": len(stage.arrivals.leads),
        "reps": len(stage.reps),
        "currency": stage.policy.currency,
        "worth_is": run.worth_is,
        "days": f"{run.days:g}",
        "tiles": tiles(run),
        "lead_sentence": told[0],
        "sentences": told[1:],
        "notes": CAN_AND_CANNOT[run.kind],
        "keys": charts.keys(run),
        "charts": charts.figures(run),
        "against_columns": rows.AGAINST_COLUMNS,
        "against_rows": rows.against_rows(run),
        "total_columns": rows.total_columns(run),
        "total_rows": rows.total_rows(run),
        "cohort_columns": rows.COHORT_COLUMNS,
        "cohort_rows": rows.cohort_rows(run),
        "rep_columns": rows.REP_COLUMNS,
        "rep_rows": rows.rep_rows(run),
        "model_columns": rows.MODEL_COLUMNS,
        "model_rows": rows.model_rows(run),
        "findings": [str(finding) for finding in report.findings],
        "facts": {name.replace("_", " "): str(value) for name, value in run.facts.items()},
        "plotly": get_plotlyjs(),
    }
    return page_template("run.html.j2", "apportion.app.replay").render(page)


def tiles(run: Run) -> list[tuple[str, str, str]]:
    """The figures at the top: (label, figure, note)."""
    totals = {str(row["track"]): row for row in run.measured.totals.to_dict(orient="records")}
    plan, currency = totals[PLAN], run.stage.policy.currency
    made = [("Worth of what was placed", money(plan["worth"], currency), run.worth_is)]
    best = best_router(run)
    if best is not None:
        other = float(totals[best]["worth"])
        gain = float(plan["worth"]) - other
        share = gain / other if other > 0 else math.nan
        title = run.titles[best].lower()
        made.append((f"Against {title}", signed(gain, currency), f"{_way(share)}; the best router here"))
    made.append(
        ("Leads placed", f"{plan['placed']:,.0f} of {plan['arrived']:,.0f}", f"{plan['nurture']:,.0f} to nurture")
    )
    if math.isfinite(plan["worst_off_share"]):
        made.append(("Worst-off rep", percent(plan["worst_off_share"]), "of their fair share, over the whole time"))
    made.append(("Speed to lead", f"{plan['hours_waited']:,.1f} h", "from arrival until a rep works it, on average"))
    return made


def _way(share: float) -> str:
    return "–" if not math.isfinite(share) else f"{'+' if share >= 0 else '−'}{percent(abs(share))}"
