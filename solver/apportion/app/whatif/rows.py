"""The tables of the page: rows of cells, each with what is shown and what it is sorted by."""

from __future__ import annotations

import pandas as pd

from apportion.reasons.report.view import Cell, cell
from apportion.reasons.words import money, percent
from apportion.whatif import Comparison, Interval, Outcome, Sources
from apportion.whatif.compare import PARTS, VERDICTS

Rows = list[list[Cell]]
SCENARIO_COLUMNS = (
    "Scenario",
    "Expected revenue",
    "Difference",
    "Interval",
    "What that means",
    "Leads placed",
    "To nurture",
    "Leads that move",
    "Worst-off rep, of fair share",
    "Gini of opportunity",
    "Solver gap",
    "Best router",
)
SOURCE_COLUMNS = (
    "Scenario",
    "Difference of worth",
    "Values restated",
    "Room for leads",
    "Best reps on most valuable leads",
    "This rep for this lead",
    "Rules relaxed or tightened",
    "Left open by solver gaps, at most",
)
GROUP_COLUMNS = ("Scenario", "By", "Group", "Leads", "Against base", "Load", "Revenue", "Against base", "Of fair share")
MOVE_COLUMNS = ("Scenario", "Lead", "From", "To", "Kind", "Change of its expected revenue")
MOST_MOVES = 2000
AMOUNTS = ("worth", "bound", "revenue", "base_plan", "best_plan", "regret", "regret_gap", "judged")
SIGNED = ("price", "price_low", "price_high", "by_prices", "by_plans", "low", "high")
SHARES = ("gap", "worst_off_share")
STATUS_WORDS = {
    "OPTIMAL": "within the gap",
    "FEASIBLE": "gap not reached",
    "INFEASIBLE": "no plan keeps the rules",
    "TIME_LIMIT": "no plan in time",
}
STUDY_WORDS = {
    "at": "Multiple",
    "status": "How it ended",
    "bound": "Proved bound",
    "gap": "Solver gap",
    "placed": "Leads placed",
    "worst_off_share": "Worst-off rep, of fair share",
    "gini_opportunity": "Gini of opportunity",
    "price_low": "Price, at least",
    "price_high": "Price, at most",
    "what": "One more",
    "like": "For, or like, rep",
    "by_prices": "By prices",
    "by_plans": "By two plans",
    "low": "Proved, at least",
    "high": "Proved, at most",
    "meaning": "What that says",
    "moves": "Leads that move",
    "base_plan": "This plan then",
    "best_plan": "Best plan then",
    "regret_gap": "Regret, more by at most",
    "judged": "That plan if the base is right",
}


def signed(amount: float, currency: str) -> str:
    """+1,240 EUR."""
    told = money(abs(amount), currency)
    return told if told.startswith("0 ") else f"{'+' if amount > 0 else '−'}{told}"


def interval_words(interval: Interval, currency: str) -> str:
    """−200 EUR to +1,240 EUR."""
    return f"{signed(interval.low, currency)} to {signed(interval.high, currency)}"


def scenario_rows(comparison: Comparison) -> Rows:
    """The base, then each scenario."""
    return [_scenario(comparison, one) for one in (comparison.base, *comparison.scenarios)]


def _scenario(comparison: Comparison, one: Outcome) -> list[Cell]:
    currency, totals = comparison.currency, one.totals
    between = comparison.differences.get(one.name)
    if not one.has_plan:
        dash = cell(None, "")
        said = "No plan keeps its hard rules" if one.plan.status.name == "INFEASIBLE" else "No plan was found in time"
        return [Cell(one.name), dash, dash, dash, Cell(said), *[dash] * 6, Cell("–")]
    change = None if between is None else between.revenue
    lawful = [result for result in one.routers if not result.broken_rules] or list(one.routers)
    best = max(lawful, key=lambda result: result.expected_revenue, default=None)
    return [
        Cell(one.name),
        cell(totals["revenue"], money(totals["revenue"], currency)),
        cell(change and change.value, "" if change is None else signed(change.value, currency)),
        cell(change and change.low, "" if change is None else interval_words(change, currency)),
        Cell("The base" if between is None else VERDICTS[between.verdict].capitalize()),
        cell(totals["placed"], f"{totals['placed']:,.0f}"),
        cell(totals["nurture"], f"{totals['nurture']:,.0f}"),
        cell(None if between is None else between.moves, "" if between is None else f"{between.moves:,}"),
        cell(totals["worst_off_share"], percent(totals["worst_off_share"])),
        cell(totals["gini_opportunity"], f"{totals['gini_opportunity']:.2f}"),
        cell(totals["gap"], f"{totals['gap']:.2%}"),
        Cell("–" if best is None else f"{best.title}: {money(best.expected_revenue, currency)}"),
    ]


def source_rows(comparison: Comparison) -> Rows:
    """Where each difference comes from; the base over its best router first."""
    rows: Rows = []
    if comparison.over_router is not None:
        title, sources = comparison.over_router
        rows.append(_source(f"the base over {title.lower()}", sources, comparison.currency))
    for name, between in comparison.differences.items():
        if between.sources is not None:
            rows.append(_source(name, between.sources, comparison.currency))
    return rows


def _source(name: str, sources: Sources, currency: str) -> list[Cell]:
    if sources.missing:
        return [Cell(name), *[cell(None, "")] * 6, Cell(f"not told apart: {sources.missing}")]
    amounts = [sources.parts[part].amount for part in PARTS]
    total, left = sum(amounts), sum(part.gap for part in sources.parts.values())
    return [
        Cell(name),
        *(cell(one, signed(one, currency)) for one in (total, *amounts)),
        cell(left, money(left, currency)),
    ]


def group_rows(comparison: Comparison) -> Rows:
    """Each scenario's reps, teams, tiers and territories, beside the base's."""
    currency = comparison.currency
    return [
        [
            *(Cell(str(row[name])) for name in ("scenario", "by", "group")),
            cell(row["leads"], f"{row['leads']:,.0f}"),
            cell(row["d_leads"], f"{row['d_leads']:+,.0f}" if row["d_leads"] else "0"),
            cell(row["load"], f"{row['load']:,.1f}"),
            cell(row["revenue"], money(row["revenue"], currency)),
            cell(row["d_revenue"], signed(row["d_revenue"], currency)),
            cell(row["of_fair_share"], percent(row["of_fair_share"])),
        ]
        for row in comparison.groups.to_dict(orient="records")
    ]


def move_rows(comparison: Comparison) -> Rows:
    """The leads that move, the largest changes first, up to a number that a page can bear."""
    table = comparison.moves
    size = table["change"].abs()
    some = table.assign(size=size).sort_values(["size", "scenario", "lead_id"], ascending=[False, True, True])
    return [
        [
            *(Cell(str(row[name])) for name in ("scenario", "lead_id", "from", "to", "kind")),
            cell(row["change"], signed(row["change"], comparison.currency)),
        ]
        for row in some.head(MOST_MOVES).to_dict(orient="records")
    ]


def study_words(column: str) -> str:
    """A column of a study as people read it."""
    return STUDY_WORDS.get(column, column.replace("_", " ").capitalize())


def study_rows(table: pd.DataFrame, currency: str) -> Rows:
    """A study's table: amounts as money, shares in per cent, ends of a solve in words."""
    return [
        [_study_cell(str(name), value, currency) for name, value in row.items()] for row in table.to_dict("records")
    ]


def _study_cell(column: str, value: object, currency: str) -> Cell:
    if isinstance(value, str):
        return Cell(STATUS_WORDS.get(value, value) if column == "status" else value)
    number = float(value)  # type: ignore[arg-type]
    if column in SIGNED:
        return cell(number, signed(number, currency))
    if column in AMOUNTS:
        return cell(number, money(number, currency))
    if column in SHARES:
        return cell(number, percent(number))
    return cell(number, f"{number:,.4g}")
