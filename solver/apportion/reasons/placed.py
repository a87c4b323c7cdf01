"""Why a lead went to its rep: a sentence for that rep to read."""

from __future__ import annotations

import numpy as np

from apportion.reasons.facts import Facts
from apportion.reasons.words import count, money, percent, quoted

Reason = tuple[str, str]  # (code, sentence)


def placed_reason(facts: Facts, lead: int) -> Reason:
    """Say why the lead's rep got it. Codes: locked, only_choice, best_fit, best_value, equal, slot, rule, together."""
    code, because = _because(facts, lead)
    pair = int(facts.pair[lead])
    revenue = money(float(facts.batch.problem.revenue[pair]), facts.currency)
    name = facts.batch.problem.lead_ids[lead]
    with_mates = (
        ""
        if facts.mates(lead) == 0
        else f", together with {count(facts.mates(lead), 'other lead')} that must stay with it"
    )
    return code, f"You got {name} because {because}{with_mates}; expected revenue {revenue}."


def _because(facts: Facts, lead: int) -> Reason:
    units = facts.units
    unit = int(units.of_lead[lead])
    entries, mine, best = units.entries(unit), int(units.chosen[unit]), int(units.best[unit])
    if facts.locked_to(lead) == int(facts.plan.rep[lead]):
        return "locked", "it was locked to you by hand"
    if int(units.fits[entries].sum()) <= 1:
        return "only_choice", _only(facts, lead)
    if mine == best or units.value[mine] >= units.value[best] - facts.rounding:
        return _best(facts, lead, unit, mine)
    gain = units.amounts[:, mine] - units.amounts[:, best]  # what prices say for the plan's rep against the best alone
    paid = [row for row, kind in enumerate(facts.book.kinds) if kind in ("capacity", "min_load", "rule")]
    row = max(paid, key=lambda row: (float(gain[row]), -row))
    fit = _converts(facts, lead)
    if gain[row] <= facts.tolerance:
        return "together", f"{fit}, and all leads taken together no better place for it was found"
    if facts.book.kinds[row] == "capacity":
        had_room = (
            f"{fit} and had room" if facts.fit[facts.pair[lead]] >= facts.mean_fit[lead] else f"you had room: {fit}"
        )
        return "slot", f"{had_room}, and the time of those with a higher estimate is worth more on other leads"
    if facts.book.kinds[row] == "min_load":
        return "rule", f"{fit}, and it counts towards your minimum load"
    rule = quoted(facts.book.names[row])
    if units.amounts[row, mine] > facts.tolerance:
        return "rule", f"{fit}, and it counts towards your share under {rule}"
    return "rule", f"{fit}, and {rule} leaves those with a higher estimate less room for it"


def _only(facts: Facts, lead: int) -> str:
    unit = int(facts.units.of_lead[lead])
    entries = facts.units.entries(unit)
    if entries.stop - entries.start > 1:
        return "you are the only eligible rep with enough capacity for it"
    others = facts.blocked_counts(lead)
    return "you are the only rep who may take it" + (f" (the others are ruled out: {others})" if others else "")


def _best(facts: Facts, lead: int, unit: int, mine: int) -> Reason:
    units = facts.units
    entries = units.entries(unit)
    rivals = int((units.fits[entries] & (units.value[entries] >= units.value[mine] - facts.rounding)).sum())
    if rivals > 1:
        return "equal", f"{_converts(facts, lead)}, nobody's estimate is higher, and you had room"
    if facts.mates(lead) == 0 and facts.fit[facts.pair[lead]] >= facts.best_fit[lead]:
        return "best_fit", f"{_converts(facts, lead)}, the best estimate of all, and had room"
    bonus = _bonus(facts, mine)
    if bonus:
        return "best_value", f"{_converts(facts, lead)}, and {bonus} makes it worth most with you"
    against = _against_others(facts, unit, mine)
    if against:
        return (
            "best_value",
            f"{_converts(facts, lead)}, and {against} makes it worth less with those who would earn more",
        )
    return "best_value", f"{_converts(facts, lead)}, it is worth most with you, and you had room"


def _bonus(facts: Facts, mine: int) -> str:
    """The preference of the policy that speaks most for this rep, if one does."""
    effects = facts.book.parts("effect")
    if not effects:
        return ""
    amounts = facts.units.amounts[effects, mine]
    best = int(np.argmax(amounts))
    if amounts[best] <= facts.tolerance:
        return ""
    return f"{quoted(facts.book.names[effects[best]])} (+{money(float(amounts[best]), facts.currency)})"


def _against_others(facts: Facts, unit: int, mine: int) -> str:
    """The soft rule that speaks most against the rep who would earn most, where that is not this one."""
    units, effects = facts.units, facts.book.parts("effect")
    if not effects:
        return ""
    entries = units.entries(unit)
    alone = units.value[entries] - units.amounts[effects][:, entries].sum(axis=0)
    rival = int(np.argmax(np.where(units.fits[entries], alone, -np.inf))) + entries.start
    if alone[rival - entries.start] <= alone[mine - entries.start] + facts.tolerance:
        return ""
    lost = units.amounts[effects, mine] - units.amounts[effects, rival]
    most = int(np.argmax(lost))
    return f"{quoted(facts.book.names[effects[most]])} (−{money(float(lost[most]), facts.currency)})"


def _converts(facts: Facts, lead: int) -> str:
    fit, mean = float(facts.fit[facts.pair[lead]]), float(facts.mean_fit[lead])
    return f"you convert about {percent(fit)} of leads like this (eligible reps on average: {percent(mean)})"
