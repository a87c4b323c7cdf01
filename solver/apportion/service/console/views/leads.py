"""Leads: finding them, and for each the reasons, the runner-up, and why another rep did not get it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from apportion.reasons import PLAN_COLUMNS, Answer, why_not
from apportion.reasons.report.view import Cell, cell
from apportion.reasons.words import money, percent
from apportion.service.console.today import Today
from apportion.service.console.views.cells import Rows, Shown, lead_cell, rep_cell
from apportion_models.errors import UsageError

PAGE = 50
OUTCOMES = ("assigned", "nurture", "reject")
COLUMNS = ("Lead", "Outcome", "Rep", "Chance to convert", "Expected revenue", "Tier", "Runner-up", "Cost of runner-up",
           "Reason")  # fmt: skip
KINDS = {
    "assigned": "The rep has it.",
    "screened": "The policy's screening kept it from all reps.",
    "locked": "A person locked it to another rep.",
    "not_eligible": "A rule forbids this pair.",
    "together": "It must stay with leads that the rep may not take.",
    "too_large": "It is more than the rep's whole capacity.",
    "worth_less": "It earns more where it is.",
    "slot": "The rep's time earns more with other leads.",
    "rule": "A rule speaks against it.",
    "full": "The rep has no room left.",
    "tie": "Nothing to choose between: the ids decide.",
    "gap": "A better plan may exist, within the proved gap.",
}


@dataclass(frozen=True)
class Query:
    """What is looked for. text : part of an id, or of any of the lead's own columns. page : from 1."""

    text: str = ""
    rep: str = ""
    outcome: str = ""
    tier: str = ""
    page: int = 1


@dataclass(frozen=True)
class Found:
    """One page of what was found. total : all leads of the batch."""

    query: Query
    table: Shown
    found: int
    total: int
    pages: int


def find(today: Today, query: Query) -> pd.DataFrame:
    """The leads that the query asks for, in the order of ids."""
    table = today.leads
    wanted = np.ones(len(table), dtype=bool)
    for word in query.text.lower().split():
        wanted &= np.array([word in text for text in today.texts], dtype=bool)
    for column, value in (("rep_id", query.rep), ("outcome", query.outcome), ("tier", query.tier)):
        if value:
            wanted &= (table[column].astype(str) == value).to_numpy(dtype=bool)
    return table[wanted]


def leads_view(today: Today, query: Query) -> Found:
    """One page of the leads that are looked for."""
    found = find(today, query)
    pages = max(1, math.ceil(len(found) / PAGE))
    page = min(max(1, query.page), pages)
    some = found.iloc[(page - 1) * PAGE : page * PAGE]
    shown = Shown("lead-table", "Leads", COLUMNS, lead_rows(today, some), empty="No lead is like that.")
    query = Query(query.text, query.rep, query.outcome, query.tier, page)
    return Found(query, shown, len(found), len(today.leads), pages)


def lead_rows(today: Today, some: pd.DataFrame) -> Rows:
    """The columns `COLUMNS`, lead by lead."""
    currency, people = today.currency, today.people
    rows: Rows = []
    for row in some.to_dict(orient="records"):
        cost = row["runner_up_cost"]
        rows.append(
            [
                lead_cell(str(row["lead_id"])),
                Cell(str(row["outcome"])),
                rep_cell(row["rep_id"], people),
                cell(row["fit"], percent(row["fit"])),
                cell(row["expected_revenue"], money(row["expected_revenue"], currency)),
                Cell("–" if pd.isna(row["tier"]) else str(row["tier"])),
                rep_cell(row["runner_up_rep_id"], people),
                _cost(cost, currency),
                Cell(str(row["reason"])),
            ]
        )
    return rows


@dataclass(frozen=True)
class Why:
    """Why a rep did not get a lead. parts : of what it is worth with the rep who asks, and where it is."""

    lead: str
    rep: str
    who: str
    answer: Answer
    meaning: str
    gain: str
    parts: Shown | None


@dataclass(frozen=True)
class LeadView:
    """One lead. told : the rep whom the reason is told to, if any. facts : what was decided. parts : what makes its
    worth, or None for a lead that no rep considered. own : its own columns, as they were read."""

    id: str
    reason: str
    told: str
    facts: tuple[tuple[str, Cell], ...]
    rules: tuple[str, ...]
    parts: Shown | None
    own: tuple[tuple[str, str], ...]
    why: Why | None


def lead_view(today: Today, lead: str, rep: str = "") -> LeadView:
    """One lead with its reasons. rep : who asks why not. UsageError where there is no such lead or rep."""
    table = today.leads
    rows = table[table["lead_id"].astype(str) == lead]
    if rows.empty:
        raise UsageError(f"There is no lead {lead} in this batch.")
    row = rows.iloc[0].to_dict()
    ids = today.report.batch.problem.lead_ids
    place = ids.index(lead) if lead in ids else None
    reasons = today.report.explanations
    return LeadView(
        id=lead,
        reason=str(row["reason"]),
        told=today.people.get(str(row["rep_id"]), ""),
        facts=_facts(today, row, place),
        rules=() if place is None else tuple(reasons.leads["binding"].iloc[place]),
        parts=None if place is None else _parts(reasons.components(place), None, today.currency),
        own=tuple((str(name), _text(row[name])) for name in table.columns if name not in PLAN_COLUMNS),
        why=why_view(today, lead, rep) if rep else None,
    )


def _facts(today: Today, row: Mapping[Any, Any], place: int | None) -> tuple[tuple[str, Cell], ...]:
    currency, people = today.currency, today.people
    nobody = "rejected" if row["outcome"] == "reject" else "nurture"
    facts: list[tuple[str, Cell]] = [("Goes to", rep_cell(row["rep_id"], people, nobody))]
    if place is not None:
        value = today.report.batch.deal_value[place]
        facts += [
            ("Chance to convert", cell(row["fit"], percent(row["fit"]))),
            ("Deal value if it converts", cell(value, money(value, currency))),
            ("Expected revenue", cell(row["expected_revenue"], money(row["expected_revenue"], currency))),
            ("Opportunity, whoever works it", cell(row["opportunity"], money(row["opportunity"], currency))),
            ("Tier", Cell("–" if pd.isna(row["tier"]) else str(row["tier"]))),
            ("Runner-up", rep_cell(row["runner_up_rep_id"], people, "nobody else")),
        ]
        cost = row["runner_up_cost"]
        if not pd.isna(cost):
            facts.append(("The runner-up would cost the plan", _cost(cost, currency)))
    return tuple(facts)


def _cost(cost: float, currency: str) -> Cell:
    return cell(cost, money(cost, currency) if cost > 0 else "about 0")


def why_view(today: Today, lead: str, rep: str) -> Why:
    """Why `rep` did not get `lead`. UsageError where either is unknown."""
    report = today.report
    answer = why_not(report.batch, report.plan, lead, rep, facts=report.explanations.facts)
    told = bool(answer.components) and answer.kind != "assigned"
    parts = _parts(answer.components, answer.instead, today.currency) if told else None
    gain = "" if not math.isfinite(answer.gain) else _change(answer.gain, today.currency)
    return Why(lead, rep, today.people[rep], answer, KINDS[answer.kind], gain, parts)


def _change(gain: float, currency: str) -> str:
    words = money(abs(gain), currency)
    if words.startswith("0 "):
        return "If only this lead moved, the plan would be worth the same."
    return f"If only this lead moved, the plan would be worth {words} {'more' if gain > 0 else 'less'}."


def _parts(here: Mapping[str, float], there: Mapping[str, float] | None, currency: str) -> Shown:
    """The parts of what a lead is worth, and their sum; beside it the same where the lead is now."""
    sides = [here] if there is None else [here, there]
    names = [name for name in dict.fromkeys(name for side in sides for name in side)
             if any(side.get(name, 0.0) != 0.0 for side in sides)]  # fmt: skip
    rows = [[Cell(name), *(_amount(side, name, currency) for side in sides)] for name in names]
    total = [math.fsum(side.values()) for side in sides]
    rows.append([Cell("What is left after every price"), *(cell(sum_, money(sum_, currency)) for sum_ in total)])
    columns = ("Part", "Amount") if there is None else ("Part", "With the rep who asks", "Where it is")
    return Shown("part-table", "What the lead is worth, part by part", columns, rows)


def _amount(side: Mapping[str, float], name: str, currency: str) -> Cell:
    return cell(side[name], money(side[name], currency)) if name in side else cell(None, "")


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    if value is None or pd.isna(value):
        return "–"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
