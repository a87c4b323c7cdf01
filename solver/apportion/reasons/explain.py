"""explain: the reasons of a plan, for each lead, for each rep, and for the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from apportion.build.batch import Batch
from apportion.problem import Plan
from apportion.reasons.certificate import certificate_words, rule_prices
from apportion.reasons.facts import Facts
from apportion.reasons.placed import placed_reason
from apportion.reasons.reps import rep_table
from apportion.reasons.swapped import swapped_reason
from apportion.reasons.unplaced import nurture_reason


@dataclass(frozen=True, eq=False)
class Explanations:
    """The reasons of one plan. L leads of the problem, R reps.

    leads : one row a lead of the problem, in its order: lead_id; outcome ("assigned" or "nurture"); rep_id,
        runner_up_rep_id (None where there is none); fit, deal_value, expected_revenue, expected_cost (by the policy;
        NaN for nurture); opportunity; tier; priced_value (currency: what is left after every price); runner_up_cost
        (an estimate by prices, in currency: what the plan would lose if the next best rep had the lead, with all that
        stays with it); binding
        (rules and prices that weigh on the choice); propensity (the chance with which a draw left the lead with this
        rep: 1 without a draw, NaN for nurture); code; reason.
    reps : one row a rep, see `rep_table`. prices : the prices of the rules, see `rule_prices`.
    certificate : sentences. facts : what all of it was read from.
    """

    leads: pd.DataFrame
    reps: pd.DataFrame
    prices: pd.DataFrame
    certificate: tuple[str, ...]
    facts: Facts

    def components(self, lead: int) -> dict[str, float]:
        """Parts of the lead's priced value by name; they add up to it, in this order. Parts of zero are left out."""
        pair = int(self.facts.pair[lead])
        if pair < 0:
            return {"nurture": float(self.facts.batch.problem.nurture[lead])}
        parts = zip(self.facts.book.names, self.facts.book.amounts[:, pair].tolist(), strict=True)
        return {name: amount for name, amount in parts if amount != 0.0 or name == "expected revenue"}


def explain(batch: Batch, plan: Plan) -> Explanations:
    """Give the reasons of a plan. UsageError when there is no plan, or it is of another batch."""
    facts = Facts.gather(batch, plan)
    return Explanations(
        leads=_lead_table(facts),
        reps=rep_table(facts),
        prices=rule_prices(facts),
        certificate=certificate_words(facts),
        facts=facts,
    )


def _lead_table(facts: Facts) -> pd.DataFrame:
    batch, problem = facts.batch, facts.batch.problem
    placed = facts.pair >= 0
    runner_up, cost = _runner_up(facts)
    reasons = [_reason(facts, lead) for lead in range(problem.n_leads)]
    columns: dict[str, Any] = {
        "lead_id": list(problem.lead_ids),
        "outcome": np.where(placed, "assigned", "nurture").tolist(),
        "rep_id": [problem.rep_ids[rep] if rep >= 0 else None for rep in facts.plan.rep.tolist()],
        "fit": _at(facts.fit, facts.pair),
        "deal_value": np.asarray(batch.deal_value, dtype=np.float64),
        "expected_revenue": _at(problem.revenue, facts.pair),
        "expected_cost": _cost(facts),
        "opportunity": problem.opportunity,
        "tier": [batch.tier_names[label] if label >= 0 else None for label in batch.tier.tolist()],
        "priced_value": np.where(placed, _at(facts.book.priced, facts.pair), problem.nurture),
        "runner_up_rep_id": [problem.rep_ids[rep] if rep >= 0 else None for rep in runner_up.tolist()],
        "runner_up_cost": cost,
        "binding": _binding(facts),
        "propensity": facts.plan.propensity,
        "code": [code for code, _ in reasons],
        "reason": [sentence for _, sentence in reasons],
    }
    table = pd.DataFrame({name: columns[name] for name in columns if name not in _TEXT})
    for name in _TEXT:  # None stays None: no column of text becomes one of floats
        table.insert(list(columns).index(name), name, pd.Series(columns[name], dtype=object))
    return table


def _cost(facts: Facts) -> Any:
    """(L,) currency that each lead costs with its rep by the policy; 0 where nothing does, NaN for nurture."""
    cost, rep = facts.batch.cost, facts.plan.rep
    held = np.zeros(len(rep)) if cost is None else cost[np.arange(len(rep)), np.maximum(rep, 0)]
    return np.where(rep >= 0, held, np.nan)


def _reason(facts: Facts, lead: int) -> tuple[str, str]:
    if facts.swapped[lead]:
        return swapped_reason(facts, lead)
    return placed_reason(facts, lead) if facts.pair[lead] >= 0 else nurture_reason(facts, lead)


_TEXT = ("rep_id", "tier", "runner_up_rep_id", "binding")


def _at(entries: Any, pair: Any) -> Any:
    """Entries at the pairs; NaN where there is none."""
    if not len(entries):
        return np.full(len(pair), np.nan)
    return np.where(pair >= 0, entries[np.maximum(pair, 0)], np.nan)


def _runner_up(facts: Facts) -> tuple[Any, Any]:
    """(L,) rep index of the next best rep, -1 none; and what the plan would lose with them, by prices."""
    units = facts.units
    now = np.where(units.chosen >= 0, _at(units.priced, units.chosen), units.nurture)
    then = _at(units.priced, units.runner_up)
    rep = np.where(units.runner_up >= 0, _at(units.rep, units.runner_up), -1).astype(np.int64)
    return rep[units.of_lead], (now - then)[units.of_lead]


def _binding(facts: Facts) -> list[tuple[str, ...]]:
    """(L,) names of the prices that weigh on the plan's choice or on the next best."""
    units, book = facts.units, facts.book
    rows = [row for row, kind in enumerate(book.kinds) if kind in ("capacity", "min_load", "rule")]
    names = [book.names[row] for row in rows]
    weighs = np.zeros((len(rows), len(units.size)), dtype=bool)
    for entry in (units.chosen, units.runner_up):
        there = np.flatnonzero(entry >= 0)
        weighs[:, there] |= np.abs(units.amounts[rows][:, entry[there]]) > facts.tolerance
    by_unit = [tuple(name for name, on in zip(names, column, strict=True) if on) for column in weighs.T.tolist()]
    return [by_unit[unit] for unit in units.of_lead.tolist()]
