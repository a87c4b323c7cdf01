"""How a problem, a plan and their checks show themselves in a notebook: small HTML, of the page's own colours.

Nothing here sets the colour of text or paper, so that it reads in light and in dark. Every name is escaped. Nothing is
worked out for each pair: a problem of a billion pairs is shown at once.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from apportion.problem.plan import Certificate, Plan, Proof, Status, Verdict
from apportion.problem.problem import AssignmentProblem
from apportion.problem.rules import Limit, MaxMin, Rule

PROOF_WORDS: dict[Proof, str] = {
    "network": "The bound is met by a flow and its prices: the optimum of a network, proved exactly.",
    "prices": "The bound follows from the prices alone; one pass over all pairs computes it again.",
    "search": "The bound was proved by the prices and a search of all that they leave open.",
    "none": "There is no proof.",
}
STATUS_WORDS = {
    Status.OPTIMAL: "proved within the gap that was asked for",
    Status.FEASIBLE: "every hard rule holds; the gap that was asked for was not reached",
    Status.INFEASIBLE: "proved: no plan keeps all hard rules",
    Status.TIME_LIMIT: "no plan was found in time, and none was proved impossible",
}
CELL = (
    "border:0;border-bottom:1px solid rgba(127,127,127,.35);padding:.2em .8em .2em 0;vertical-align:top;max-width:44em"
)
LEFT, RIGHT = f"{CELL};text-align:left", f"{CELL};text-align:right;font-variant-numeric:tabular-nums"


def plan_html(plan: Plan) -> str:
    """What the plan is worth, how that is known, and what room is worth."""
    if not plan.status.has_plan:
        return card(f"No plan: {plan.status}", [("What that means", STATUS_WORDS[plan.status])])
    busy = len(np.unique(plan.rep[plan.rep >= 0]))
    facts = [
        ("Leads", f"{plan.n_placed:,} with {busy:,} of {len(plan.prices):,} reps, "
                  f"{len(plan.rep) - plan.n_placed:,} to nurture"),
        *_certified(plan.certificate, plan.objective, plan.bound, plan.gap),
        ("Prices", _price_words(plan)),
    ]  # fmt: skip
    return card(f"Plan: {plan.status}, {STATUS_WORDS[plan.status]}", facts)


def certificate_html(certificate: Certificate) -> str:
    """How good the plan is, and how that is known."""
    told = _certified(certificate, certificate.objective, certificate.bound, certificate.gap)
    return card("Certificate", told)


def verdict_html(verdict: Verdict) -> str:
    """Rule by rule, whether it holds; the broken ones first."""
    broken = len(verdict.broken)
    title = f"All {len(verdict.rules)} rules hold" if verdict.ok else f"{broken} of {len(verdict.rules)} rules broken"
    rows = [
        (one.rule, "holds", "", "") if one.holds else (one.rule, "broken", number(one.violation), one.where)
        for one in sorted(verdict.rules, key=lambda one: one.holds)
    ]
    columns = ("Rule", "", "By", "Where")
    shown = columns if broken else columns[:2]
    facts = [("Worth, computed anew", number(verdict.objective)), ("Bound of the prices", number(verdict.price_bound))]
    return card(title, facts, table(shown, [row[: len(shown)] for row in rows]))


def problem_html(problem: AssignmentProblem) -> str:
    """How many leads, reps and pairs; what there is of room; and the rules."""
    rules = [(str(rule.name), _bounds(rule), _counted(rule), _by(rule), _kind(rule)) for rule in problem.rules]
    below = table(("Rule", "Bounds", "Of", "For each", "Held"), rules) if rules else ""
    return card(f"Problem: {problem.n_leads:,} leads × {problem.n_reps:,} reps", _facts(problem), below)


def _certified(certificate: Certificate, objective: float, bound: float, gap: float) -> list[tuple[str, str]]:
    verdict = certificate.verdict
    checked = "not yet" if verdict is None else str(verdict)
    return [
        ("Worth", number(objective)),
        ("No plan is worth more than", number(bound)),
        ("Gap", f"{gap:.3%}" if math.isfinite(gap) else "not known"),
        ("Proof", PROOF_WORDS[certificate.proof]),
        ("Checked independently", checked),
        ("Engine", f"{certificate.engine}: {certificate.why_engine}" if certificate.engine else "not told"),
    ]


def _price_words(plan: Plan) -> str:
    price = plan.prices.capacity
    dear = price[price > 0]
    if not len(dear):
        return "one more slot is worth nothing with any rep"
    return (
        f"one more effort unit is worth something with {len(dear):,} of {len(price):,} reps: "
        f"{number(dear.min())} to {number(dear.max())}"
    )


def _facts(problem: AssignmentProblem) -> Iterator[tuple[str, str]]:
    pairs, effort = problem.pairs, problem.entries("effort")
    share = f", {pairs.n_pairs / max(1, problem.n_leads * problem.n_reps):.0%} of all"
    yield "Eligible pairs", f"{pairs.n_pairs:,}{'' if pairs.is_dense else share}"
    if alone := int((pairs.count == 0).sum()):
        yield "Leads that no rep may take", f"{alone:,}"
    room = f"{number(problem.capacity.sum())} effort units"
    if effort.kind != "pair":
        needed = float(np.broadcast_to(effort.kept, (problem.n_leads,)).sum())
        room += f"; all leads together need {number(needed)}"
    yield "Capacity", room
    if problem.min_load.any():
        yield "Minimum loads", f"{number(problem.min_load.sum())} effort units"
    if must := int(problem.must_assign.sum()):
        yield "Leads that need a rep", f"{must:,}"
    if problem.n_leads:
        yield "Nurture is worth", _span(problem.nurture)
    for name, labels in (("Tiers", problem.tier), ("Teams", problem.team), ("Parcels", problem.parcel)):
        if labels is not None:
            yield name, f"{len(np.unique(labels)):,}"


def _bounds(rule: Rule) -> str:
    if isinstance(rule, MaxMin):
        return "as much as can be for the worst off"
    low = "" if rule.low is None or not np.any(rule.low) else f"at least {_span(rule.low)}"
    high = "" if rule.high is None or not np.isfinite(rule.high).any() else f"at most {_span(rule.high)}"
    return ", ".join(filter(None, (low, high))) or "none"


def _counted(rule: Rule) -> str:
    if isinstance(rule, MaxMin):
        return "revenue per fair share"
    what = rule.measure if isinstance(rule, Limit) else f"the fair share of {rule.measure}"
    return what if rule.leads is None else f"{what} over {int(np.sum(rule.leads)):,} leads"


def _by(rule: Rule) -> str:
    return rule.by if isinstance(rule.by, str) else "group of reps"


def _kind(rule: Rule) -> str:
    return "hard" if rule.price is None else f"at a price of {number(rule.price)}"


def _span(amounts: Any) -> str:
    """One number, or from the least to the most."""
    known = np.asarray(amounts, dtype=float)
    known = known[np.isfinite(known)]
    if not known.size:
        return "nothing"
    low, high = float(known.min()), float(known.max())
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def number(amount: float) -> str:
    """1,234,567; 15.25; 0.00471."""
    if not math.isfinite(amount):
        return "not known" if math.isnan(amount) else "without limit"
    if abs(amount) < 1:
        return f"{amount:.3g}"
    return f"{amount:,.0f}" if abs(amount) >= 10_000 else f"{amount:,.2f}".rstrip("0").rstrip(".")


def card(title: str, facts: Iterable[tuple[str, str]], below: str = "") -> str:
    """A title, a table of facts, and trusted HTML below it. Title and facts are escaped."""
    rows = "".join(
        f'<tr><th scope="row" style="{LEFT}">{html.escape(name)}</th><td style="{LEFT}">{html.escape(text)}</td></tr>'
        for name, text in facts
    )
    head = f'<p style="margin:.2em 0 .4em"><strong>{html.escape(title)}</strong></p>'
    return f'<div>{head}<table style="border-collapse:collapse">{rows}</table>{below}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of text, escaped."""
    top = "".join(f'<th scope="col" style="{LEFT}">{html.escape(name)}</th>' for name in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="{LEFT}">{html.escape(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<table style="border-collapse:collapse;margin-top:.6em"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
