"""The certificate and the prices in plain words."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from apportion.problem import MaxMin, RuleVerdict, Status, Verdict, verify
from apportion.problem.display import PROOF_WORDS
from apportion.reasons.facts import Facts
from apportion.reasons.groups import group_words
from apportion.reasons.swapped import swap_words
from apportion.reasons.words import count, listed, money, number, percent, quoted


def verdict_of(facts: Facts) -> Verdict:
    """The verifier's answer that came with the plan, or a new one."""
    return facts.plan.certificate.verdict or verify(facts.batch.problem, facts.plan)


def certificate_words(facts: Facts) -> tuple[str, ...]:
    """Say how good the plan is, how that is known, and that every rule was checked."""
    plan, certificate, currency = facts.plan, facts.plan.certificate, facts.currency
    earned = money(plan.objective, currency)
    if not np.isfinite(plan.bound):
        first = f"This plan is worth {earned}; no bound on better plans was proved."
    elif plan.bound - plan.objective <= facts.tolerance:
        first = f"No plan that keeps these rules can be worth more than this one: {earned}. It is proved optimal."
    else:
        first = (
            f"No plan that keeps these rules can be worth more than {money(plan.bound, currency)}; "
            f"this one is worth {earned}, within {percent(plan.gap)} of that."
        )
    lines = [first, *_worth_words(facts), PROOF_WORDS[certificate.proof]]
    lines += swap_words(facts)
    found = plan.status if plan.swaps is None else plan.swaps.status
    if found is Status.FEASIBLE:
        lines.append(
            "The gap that was asked for was not reached before the search stopped; every rule holds all the same."
        )
    if certificate.worst_off is not None:
        lines.append(
            f"The worst-off group has {money(certificate.worst_off, currency)} of expected revenue per fair share."
        )
    verdict = verdict_of(facts)
    if verdict.ok:
        lines.append(f"An independent check computed all {count(len(verdict.rules), 'rule')} anew: all hold.")
    else:
        lines.append(f"An independent check found broken rules: {listed([_broken(rule) for rule in verdict.broken])}.")
    return tuple(lines)


def _worth_words(facts: Facts) -> list[str]:
    """Why the worth is not the expected revenue that is told beside it; nothing where both read the same."""
    revenue = math.fsum(facts.batch.problem.revenue[facts.pair[facts.pair >= 0]])
    expected, worth = money(revenue, facts.currency), money(facts.plan.objective, facts.currency)
    if expected == worth:
        return []
    return [
        f"Worth is not expected revenue alone ({expected}): nurture and preferences add to it, costs and prices "
        "of broken soft rules take from it."
    ]


def _broken(rule: RuleVerdict) -> str:
    return f"{quoted(rule.rule)} by {number(rule.violation)} at {rule.where}"


def rule_prices(facts: Facts) -> pd.DataFrame:
    """Every price above zero: rule, group, side ("floor" or "cap"), unit, price (currency for each unit), sentence.

    Of the rules on sums; the capacity prices are in the table of reps.
    """
    problem, currency = facts.batch.problem, facts.currency
    rows: list[dict[str, object]] = []
    for rule in problem.rules:
        price = facts.plan.prices.rules.get(str(rule.name))
        if price is None:
            continue
        index, groups = problem.groups(rule.by)
        by_rep = isinstance(rule.by, str) and rule.by == "rep"
        people = facts.people if by_rep else group_words(problem, rule.by, index, len(groups), facts.batch.reps)
        unit = "revenue" if isinstance(rule, MaxMin) else rule.measure
        for side, amounts in (("floor", price.low), ("cap", price.high)):
            for group, person, amount in zip(groups, people, np.maximum(amounts, 0.0).tolist(), strict=True):
                if amount <= 0:
                    continue
                verb = "asking for" if side == "floor" else "allowing"
                effect = "costs" if side == "floor" else "brings"
                units = {"effort": "1 more effort unit", "leads": "1 more lead"}
                thing = units.get(unit, f"1 {currency} more {unit}".replace("  ", " "))
                sentence = (
                    f"{quoted(str(rule.name))}: {verb} {thing} for {person} {effect} about {_fine(amount, currency)}."
                )
                rows.append(
                    {
                        "rule": rule.name,
                        "group": group,
                        "side": side,
                        "unit": unit,
                        "price": amount,
                        "sentence": sentence,
                    }
                )
    table = pd.DataFrame(rows, columns=["rule", "group", "side", "unit", "price", "sentence"])
    return table.sort_values(
        ["price", "rule", "group"], ascending=[False, True, True], kind="stable", ignore_index=True
    )


def _fine(amount: float, currency: str) -> str:
    return money(amount, currency) if amount >= 0.01 else f"{amount:.2g} {currency}"
