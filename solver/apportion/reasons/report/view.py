"""What the page shows, as plain rows and sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from apportion.build.batch import Batch
from apportion.reasons.audit import GroupAudit
from apportion.reasons.explain import Explanations
from apportion.reasons.frames import assignments_frame
from apportion.reasons.words import count, listed, money, number, percent, quoted

NURTURE_CODES = {
    "no_rep": "no rep may take them",
    "nurture_worth_more": "worth more in nurture than with any rep",
    "no_capacity": "too large for every eligible rep's capacity",
    "slot": "every slot that could take them is worth more to other leads",
    "rule": "placing them would cost more under a rule than they bring",
    "full": "no room left with the reps who would make more of them than nurture",
    "gap": "no better place found that keeps every rule",
}


class Measured(Protocol):
    """An assignment as `apportion.whatif.score` measures it."""

    @property
    def title(self) -> str:
        """What it is called."""

    @property
    def expected_revenue(self) -> float:
        """Currency."""

    @property
    def n_placed(self) -> int:
        """Leads with a rep."""

    @property
    def gini_opportunity(self) -> float:
        """0 even, 1 uneven."""

    @property
    def worst_off_share(self) -> float:
        """Least opportunity against fair share."""

    @property
    def broken_rules(self) -> Sequence[str]:
        """Hard rules that do not hold."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table: what is shown, and what it is sorted by."""

    text: str
    key: str = ""

    @property
    def numeric(self) -> bool:
        """Whether it is sorted, and set, as a number."""
        return self.key != ""


def cell(amount: Any, text: str) -> Cell:
    """A number; an unknown one is a dash, and sorts last."""
    known = amount is not None and not pd.isna(amount) and math.isfinite(amount)
    return Cell(text, f"{float(amount):.6f}") if known else Cell("–", "-1e308")


def baseline_rows(baselines: Sequence[Measured], own: Measured, currency: str) -> list[list[Cell]]:
    """The plan, then each baseline, best first: revenue, the plan against it, placed, worst-off share, Gini, broken."""
    ranked = sorted(baselines, key=lambda result: (-result.expected_revenue, result.title))
    return [_baseline_row(result, own, currency) for result in [own, *ranked]]


def _baseline_row(result: Measured, own: Measured, currency: str) -> list[Cell]:
    change = relative(own.expected_revenue, result.expected_revenue)
    broken = listed([quoted(rule) for rule in result.broken_rules]) if result.broken_rules else "none"
    return [
        Cell(result.title),
        cell(result.expected_revenue, money(result.expected_revenue, currency)),
        Cell("") if result is own else cell(change, signed(change)),
        cell(result.n_placed, f"{result.n_placed:,}"),
        cell(result.worst_off_share, percent(result.worst_off_share)),
        cell(result.gini_opportunity, f"{result.gini_opportunity:.2f}"),
        Cell(broken),
    ]


def relative(new: float, old: float) -> float:
    """new / old − 1; NaN when there is nothing to compare with."""
    return new / old - 1 if old > 0 else math.nan


def signed(part: float) -> str:
    """+24 %, −3.0 %."""
    return "–" if not math.isfinite(part) else ("+" if part >= 0 else "−") + percent(abs(part))


def rep_rows(reps: pd.DataFrame, currency: str) -> list[list[Cell]]:
    """Rep, team, leads, load, capacity and how it came about, revenue, opportunity, share, price of a slot."""
    rows = []
    for row in reps.to_dict(orient="records"):
        share = row["opportunity_share"]
        rows.append(
            [
                Cell(_named(row)),
                Cell("" if row["team_id"] is None or pd.isna(row["team_id"]) else str(row["team_id"])),
                cell(row["leads"], f"{row['leads']:,}"),
                cell(row["load"], f"{number(row['load'])} of {number(row['capacity'])}"),
                cell(row["expected_revenue"], money(row["expected_revenue"], currency)),
                cell(row["opportunity"], money(row["opportunity"], currency)),
                cell(share, percent(share)),
                cell(row["slot_price"], money(row["slot_price"], currency)),
                Cell(str(row.get("why", ""))),
            ]
        )
    return rows


def _named(row: Mapping[Any, Any]) -> str:
    return str(row["rep_id"]) if row["name"] == row["rep_id"] else f"{row['name']} ({row['rep_id']})"


def audit_rows(audit: GroupAudit) -> list[list[Cell]]:
    """Group, reps, measure, rate of the fair share, its interval, amount."""
    return [
        [
            Cell(str(row["group"])),
            cell(row["reps"], f"{row['reps']:,}"),
            Cell(str(row["measure"])),
            cell(row["rate"], percent(row["rate"])),
            cell(row["low"], f"{percent(row['low'])} to {percent(row['high'])}"),
            cell(row["amount"], f"{row['amount']:,.0f}"),
        ]
        for row in audit.table.to_dict(orient="records")
    ]


def lead_rows(batch: Batch, reasons: Explanations) -> list[list[Cell]]:
    """Every lead of the input: outcome, rep, fit, revenue, opportunity, tier, runner-up and its cost, reason."""
    table = assignments_frame(batch, reasons.facts.plan, explanations=reasons)
    people = dict(zip(batch.problem.rep_ids, reasons.facts.people, strict=True))
    currency = reasons.facts.currency
    swapped = set(reasons.leads.loc[reasons.leads["code"] == "swapped", "lead_id"])
    rows = []
    for row in table.to_dict(orient="records"):
        runner_up = row["runner_up_rep_id"]
        cost = row["runner_up_cost"]
        rows.append(
            [
                Cell(str(row["lead_id"])),
                Cell(str(row["outcome"])),
                Cell(people.get(row["rep_id"], "")),
                cell(row["fit"], percent(row["fit"])),
                cell(row["expected_revenue"], money(row["expected_revenue"], currency)),
                Cell("" if pd.isna(row["tier"]) else str(row["tier"])),
                Cell(people.get(runner_up, "–")),
                cell(cost, money(cost, currency) if cost > 0 or row["lead_id"] in swapped else "about 0"),
                Cell(str(row["reason"])),
            ]
        )
    return rows


def outcome_rows(batch: Batch, reasons: Explanations) -> list[list[Cell]]:
    """How many leads went where, and why those without a rep have none."""
    table = assignments_frame(batch, reasons.facts.plan, explanations=reasons)
    placed = int((table["outcome"] == "assigned").sum())
    rows = [[Cell("With a rep"), cell(placed, f"{placed:,}"), Cell("")]]
    left = reasons.leads.loc[reasons.leads["outcome"] == "nurture", "code"].value_counts()
    rows += _counted("Nurture", {NURTURE_CODES[str(code)]: int(many) for code, many in left.items()})
    screened = table.drop(index=table.index[batch.rows])
    for outcome, word in (("nurture", "Nurture, by screening"), ("reject", "Rejected, by screening")):
        counts = screened.loc[screened["outcome"] == outcome, "reason"].value_counts()
        rows += _counted(word, {str(reason): int(many) for reason, many in counts.items()})
    return rows


def _counted(word: str, counts: Mapping[str, int]) -> list[list[Cell]]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [[Cell(word), cell(many, f"{many:,}"), Cell(why)] for why, many in ranked]


def headline(reasons: Explanations, baselines: Sequence[Measured], own: Measured) -> list[tuple[str, str, str]]:
    """The figures at the top: (label, figure, note)."""
    currency = reasons.facts.currency
    total = len(reasons.facts.batch.leads)
    tiles = [("Expected revenue", money(own.expected_revenue, currency), "fit × deal value of every placed lead")]
    cost = math.fsum(reasons.leads["expected_cost"].dropna())
    if cost:
        net = money(own.expected_revenue - cost, currency)
        tiles.append(("Net of costs", net, f"{money(cost, currency)} of costs by the policy"))
    if baselines:
        best = max(baselines, key=lambda result: (result.expected_revenue, result.title))
        first = next((result for result in baselines if result.title == "Round robin"), best)
        for router, word in ((first, ""), (best, ", the best router here"))[: 1 if first is best else 2]:
            change = signed(relative(own.expected_revenue, router.expected_revenue))
            breaks = f"; it breaks {count(len(router.broken_rules), 'hard rule')}" if router.broken_rules else ""
            note = f"predicted by the same model, not proof{breaks}"
            tiles.append((f"Against {router.title.lower()}{word}", change, note))
    without = count(total - own.n_placed, "lead")
    tiles.append(("Leads placed", f"{own.n_placed:,} of {total:,}", f"{without} without a rep"))
    gap = reasons.facts.plan.gap
    tiles.append(("Proved within", percent(gap) if math.isfinite(gap) else "–", "of the best possible plan"))
    if math.isfinite(own.worst_off_share):
        tiles.append(("Worst-off rep", percent(own.worst_off_share), "of their fair share of opportunity"))
    return tiles
