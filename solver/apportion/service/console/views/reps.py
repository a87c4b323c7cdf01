"""Reps: what each gets, against what they can take and what is their fair share, and how that came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from apportion.reasons.report.render import REP_COLUMNS
from apportion.reasons.report.view import rep_rows
from apportion.reasons.words import money, number, percent
from apportion.service.console.today import Today
from apportion.service.console.views.cells import Linked, Shown, to
from apportion.service.console.views.leads import COLUMNS, Query, Why, find, lead_rows, why_view
from apportion_models.errors import UsageError

OWN = tuple(k for k, column in enumerate(COLUMNS) if column not in ("Outcome", "Rep"))  # these a rep's own leads share
FACTORS = {
    "ramp": "Ramp of a new rep",
    "availability": "Availability: leave, holidays, hours",
    "adjustment": "Adjustment by the policy",
    "throttle": "Throttle of a full pipeline",
}
Step = tuple[str, str, str]


@dataclass(frozen=True)
class RepView:
    """One rep. tiles : label, figure, note. steps : of the capacity: what, how it is applied, what is left then."""

    id: str
    name: str
    tiles: tuple[Step, ...]
    steps: tuple[Step, ...]
    capacity: str
    share: str
    leads: Shown
    asked: str
    why: Why | None
    fault: str


def reps_view(today: Today) -> Shown:
    """All reps, each leading to the rep's own page."""
    reps = today.report.explanations.reps
    ids = reps["rep_id"].tolist()
    rows = [
        [Linked(row[0].text, href=to("rep", id=rep)), *row[1:]]
        for rep, row in zip(ids, rep_rows(reps, today.currency), strict=True)
    ]
    return Shown("rep-table", "Reps", REP_COLUMNS, rows, csv=to("tables/reps.csv"), search=True)


def rep_view(today: Today, rep: str, lead: str = "") -> RepView:
    """One rep. lead : which one the rep asks about. UsageError where there is no such rep."""
    reps = today.report.explanations.reps
    rows = reps[reps["rep_id"] == rep]
    if rows.empty:
        raise UsageError(f"There is no rep {rep} in this batch.")
    row = rows.iloc[0].to_dict()
    own = find(today, Query(rep=rep)).sort_values(["expected_revenue", "lead_id"], ascending=[False, True])
    why, fault = _asked(today, rep, lead.strip())
    link = to("tables/leads.csv", rep=rep)
    return RepView(
        id=rep,
        name=today.people[rep],
        tiles=_tiles(row, today.currency),
        steps=tuple(_steps(row)),
        capacity=str(row.get("why", "")),
        share=_share(row),
        leads=Shown(
            "lead-table",
            f"Leads of {today.people[rep]}",
            tuple(COLUMNS[place] for place in OWN),
            [[row[place] for place in OWN] for row in lead_rows(today, own)],
            csv=link,
            search=True,
            empty="This rep gets no lead in this batch.",
        ),
        asked=lead,
        why=why,
        fault=fault,
    )


def _asked(today: Today, rep: str, lead: str) -> tuple[Why | None, str]:
    """The answer to "why did I not get that one?", or what is wrong with the question."""
    if not lead:
        return None, ""
    try:
        return why_view(today, lead, rep), ""
    except UsageError:
        return None, f"There is no lead {lead} in this batch."


def _tiles(row: Mapping[Any, Any], currency: str) -> tuple[Step, ...]:
    return (
        ("Leads", f"{row['leads']:,}", ""),
        ("Load", f"{number(row['load'])} of {number(row['capacity'])}", f"room for {number(row['room'])} effort units"),
        ("Expected revenue", money(row["expected_revenue"], currency), ""),
        ("Offered, of the fair share", _percent(row["opportunity_share"]), "opportunity, whoever works the leads"),
        ("One more slot", money(row["slot_price"], currency), "what the plan would gain, about"),
    )


def _percent(part: float) -> str:
    return percent(part) if np.isfinite(part) else "–"


def _steps(row: Mapping[Any, Any]) -> Iterator[Step]:
    """From the base to the effective capacity, each factor in turn."""
    left = float(row["base"])
    yield "Capacity in the window", "", number(left)
    for name, words in FACTORS.items():
        factor = float(row[name])
        if factor != 1.0:
            left *= factor
            yield words, f"× {number(round(factor, 3))}", number(round(left, 3))
    if row["backlog"] > 0:
        left = max(left - float(row["backlog"]), 0.0)
        yield "Backlog: leads that are still open", f"− {number(round(row['backlog'], 3))}", number(round(left, 3))
    rest = float(row["capacity"]) - left
    if abs(rest) > 1e-6 * max(1.0, left):
        more = f"{'+' if rest > 0 else '−'} {number(round(abs(rest), 3))}"
        yield "Overtime, at a price", more, number(round(row["capacity"], 3))


def _share(row: Mapping[Any, Any]) -> str:
    if not row["fair_share"] > 0:
        return "Without capacity in this window there is no fair share, and no lead."
    fair = percent(row["fair_share"])
    told = f"The fair share is {fair} of the effective capacity of all."
    if not np.isfinite(row["opportunity_share"]):
        return told
    told += f" Offered is {percent(row['opportunity_share'])} of what that part of all opportunity would be"
    floor = row["opportunity_floor"]
    return f"{told}; the policy asks for at least {percent(floor)}." if np.isfinite(floor) and floor > 0 else f"{told}."
