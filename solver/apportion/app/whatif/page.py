"""Putting the page together."""

from __future__ import annotations

from typing import Any

from plotly.offline import get_plotlyjs

from apportion.app.whatif import rows
from apportion.app.whatif.charts import embedded
from apportion.app.whatif.report import WhatIfReport
from apportion.reasons.report.pages import page_template
from apportion.reasons.words import count, money
from apportion.whatif import Comparison
from apportion.whatif.compare import VERDICTS
from apportion.whatif.frontier import Curve, Sensitivity

TITLES = {
    "equity": "Revenue against equity",
    "capacity": "Revenue against capacity",
    "marginal": "One more slot, one more rep",
    "sensitivity": "If the fit is wrong",
}
NOTES = {
    "equity": "Each point is solved anew with the floor held hard. The price is what the floor costs against no floor; "
    "the last two columns are what it is at least and at most, by the gaps of both solves.",
    "capacity": "Every rep's effective capacity times the factor; caps on numbers of leads stay.",
    "marginal": "One more slot is for the rep whose slot has the highest price; one more rep is like the one in the "
    "middle. By prices is what it adds to first order. By two plans is the difference of two plans, each within its "
    "gap: it can be chance. What is proved is the last word: where zero lies between, one more is not distinguishable "
    "from nothing, and a lower --gap may tell.",
    "sensitivity": "If the truth were the other belief: what this plan would be worth, what the best plan for it would "
    "be, and the regret of not having known; last, what that other plan is worth if the base is right.",
}


def render_page(report: WhatIfReport) -> str:
    """One HTML document that needs nothing else; the same report gives the same bytes."""
    comparison = report.comparison
    currency = comparison.currency
    figures = {"difference": comparison.difference_figure(), "sources": comparison.source_figure()}
    for kind, study in report.studies.items():
        if isinstance(study, Curve):
            figures[kind] = study.figure(currency)
    page = {
        "title": f"What if: {comparison.base.setting.policy.name}",
        "at": comparison.base.setting.at.strftime("%Y-%m-%d %H:%M %Z").strip(),
        "currency": currency,
        "level": f"{comparison.level:.0%}",
        "draws": comparison.draws,
        "base": comparison.base,
        "sentences": sentences(comparison),
        "tiles": _tiles(comparison),
        "scenarios": [one.scenario for one in comparison.scenarios],
        "scenario_columns": rows.SCENARIO_COLUMNS,
        "scenario_rows": rows.scenario_rows(comparison),
        "source_columns": rows.SOURCE_COLUMNS,
        "source_rows": rows.source_rows(comparison),
        "group_columns": rows.GROUP_COLUMNS,
        "group_rows": rows.group_rows(comparison),
        "move_columns": rows.MOVE_COLUMNS,
        "move_rows": rows.move_rows(comparison),
        "n_moves": len(comparison.moves),
        "studies": [_study(kind, study, currency) for kind, study in report.studies.items()],
        "missing": [*comparison.unfinished, *report.undone],
        "charts": {name: embedded(figure) for name, figure in figures.items() if figure is not None},
        "plotly": get_plotlyjs(),
    }
    return page_template("whatif.html.j2", "apportion.app.whatif").render(page)


def sentences(comparison: Comparison) -> list[str]:
    """What came out, in plain words: one sentence a scenario."""
    told = []
    for one in comparison.scenarios:
        between = comparison.differences.get(one.name)
        if between is None:
            told.append(f"{one.name}: no plan that keeps its hard rules was found ({one.plan.status.value.lower()}).")
            continue
        if between.verdict == "none":
            moved = "" if not between.moves else f" ({count(between.moves, 'lead')} would move all the same)"
            told.append(f"{one.name}: no difference{moved}.")
            continue
        if between.verdict == "gap" and not between.moves and not between.revenue.value:
            told.append(f"{one.name}: the base's plan stands; a solve to this gap did not get beyond it.")
            continue
        words = rows.signed(between.revenue.value, comparison.currency)
        band = rows.interval_words(between.revenue, comparison.currency)
        meaning = {
            "noise": "within the noise of the model: no evidence of a difference.",
            "gap": "clear of the model's noise, but within what the solver's gaps leave open.",
            "more": "more than the base.",
            "less": "less than the base.",
        }[between.verdict]
        told.append(f"{one.name}: {words} of expected revenue ({comparison.level:.0%}: {band}), {meaning}")
    return told


def _tiles(comparison: Comparison) -> list[tuple[str, str, str]]:
    totals, currency = comparison.base.totals, comparison.currency
    clear = [d for d in comparison.differences.values() if d.verdict in ("more", "less")]
    best = max(comparison.differences.items(), key=lambda item: item[1].revenue.value, default=None)
    shown = ("–", "") if best is None else (best[0], rows.signed(best[1].revenue.value, currency))
    return [
        ("Base, expected revenue", money(totals["revenue"], currency), f"gap {totals['gap']:.2%}"),
        ("Scenarios", f"{len(comparison.scenarios):,}", f"{len(clear):,} with a difference that is clear"),
        ("Largest gain", shown[1] or "–", f"{shown[0]}{_doubt(best)}"),
    ]


def _doubt(best: Any) -> str:
    return "" if best is None or best[1].verdict in ("more", "less") else f" ({VERDICTS[best[1].verdict]})"


def _study(kind: str, study: Any, currency: str) -> dict[str, Any]:
    table = study.points if isinstance(study, Curve) else study.beliefs if isinstance(study, Sensitivity) else study
    return {
        "kind": kind,
        "title": TITLES[kind],
        "note": NOTES[kind],
        "columns": [rows.study_words(str(name)) for name in table.columns],
        "rows": rows.study_rows(table, currency),
    }
