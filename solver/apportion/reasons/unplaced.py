"""Why a lead that stood for assignment went to nurture."""

from __future__ import annotations

import numpy as np

from apportion.reasons.facts import Facts
from apportion.reasons.words import count, money, number, quoted

Reason = tuple[str, str]  # (code, sentence)


def nurture_reason(facts: Facts, lead: int) -> Reason:
    """Say why no rep got it. Codes: no_rep, nurture_worth_more, no_capacity, slot, rule, full, gap."""
    units = facts.units
    unit = int(units.of_lead[lead])
    entries = units.entries(unit)
    if entries.start == entries.stop:
        return "no_rep", _nobody(facts, lead)
    nurture = float(units.nurture[unit])
    values = units.value[entries]
    if float(values.max()) <= nurture + facts.rounding:
        best = units.rep[entries][int(np.argmax(values))]
        return "nurture_worth_more", (
            f"Nurture is worth at least as much ({money(nurture, facts.currency)}) as the best rep would make of "
            f"{_it(facts, lead)} ({facts.people[best]}: {money(float(values.max()), facts.currency)})."
        )
    if not units.fits[entries].any():
        return "no_capacity", _too_large(facts, unit)
    return _priced_out(facts, unit) or _close(facts, unit)


def _it(facts: Facts, lead: int) -> str:
    mates = facts.mates(lead)
    return "it" if mates == 0 else f"it and the {count(mates, 'other lead')} that must stay with it"


def _nobody(facts: Facts, lead: int) -> str:
    others = facts.blocked_counts(lead)
    if facts.mates(lead) and int(np.diff(facts.batch.problem.pairs.start)[lead]) > 0:
        blocked = f" Of this lead alone: {others}." if others else ""
        mates = count(facts.mates(lead), "other lead")
        return f"No rep may take it together with the {mates} that must stay with it.{blocked}"
    return f"No rep may take it: {others}." if others else "No rep may take it."


def _too_large(facts: Facts, unit: int) -> str:
    units = facts.units
    entries = units.entries(unit)
    most = float(facts.batch.problem.capacity[units.rep[entries]].max())
    if most <= 0:
        return "No eligible rep has any capacity in this window."
    need = float(units.effort[entries].min())
    return f"It needs {number(need)} effort units, and no eligible rep has a capacity above {number(most)}."


def _priced_out(facts: Facts, unit: int) -> Reason | None:
    """The slots, or else a rule, ask for more than the lead brings; None when prices alone do not say so."""
    units, book = facts.units, facts.book
    entries = units.entries(unit)
    fits, nurture = units.fits[entries], float(units.nurture[unit])
    capacity = units.amounts[book.parts("capacity")][:, entries].sum(axis=0)
    after_slot = np.where(fits, units.value[entries] + capacity, -np.inf)
    best = int(np.argmax(after_slot))
    person = facts.people[units.rep[entries][best]]
    worth = money(float(units.value[entries][best]), facts.currency)
    if after_slot[best] <= nurture + facts.tolerance:
        slot = money(float(-capacity[best]), facts.currency)
        least = "" if nurture == 0 else f", and nurture brings {money(nurture, facts.currency)}"
        return "slot", (
            f"Every slot that could take it is worth more to other leads: closest is {person}, where it would bring "
            f"{worth} for a slot priced at {slot}{least}."
        )
    priced = np.where(fits, units.priced[entries], -np.inf)
    if float(priced.max()) > nurture + facts.tolerance:
        return None
    rules = book.parts("rule") + book.parts("min_load")
    row = min(rules, key=lambda row: float(units.amounts[row, entries][best]))
    cost = money(float(-units.amounts[row, entries][best]), facts.currency)
    asked = float(-capacity[best])
    priced_slot = f"takes a slot priced at {money(asked, facts.currency)} and " if asked > facts.tolerance else ""
    rule = quoted(book.names[row])
    return (
        "rule",
        f"{person} would make {worth} of it, but placing it there {priced_slot}costs about {cost} under {rule}.",
    )


def _close(facts: Facts, unit: int) -> Reason:
    """By prices someone could have had it; whole leads do not divide: a full house, or what is left of the gap."""
    units = facts.units
    entries = units.entries(unit)
    reps = units.rep[entries]
    room = facts.load[reps] + units.effort[entries] <= facts.batch.problem.capacity[reps] * (1 + 1e-9)
    gap = money(facts.remaining_gap(), facts.currency)
    rest = f"no exchange was found that earns more (at most {gap} could still be gained in this whole batch)."
    better = units.fits[entries] & (units.value[entries] > units.nurture[unit] + facts.rounding)
    if not (room & better).any():
        who = count(int(better.sum()), "rep")
        return "full", f"No room is left with the {who} who would make more of it than nurture, and {rest}"
    return "gap", f"Some room is left, but of all plans that keep the rules {rest}"
