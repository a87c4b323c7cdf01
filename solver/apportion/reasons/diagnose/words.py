"""Elements and changes in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from apportion.problem import Limit, Rule
from apportion.reasons.diagnose.changes import Change, Relaxation
from apportion.reasons.diagnose.elements import Element
from apportion.reasons.words import count, listed, number, quoted

UNITS = {"effort": "effort unit", "leads": "lead"}  # others are amounts of currency
MOST = 6  # changes that are told one by one; beyond, those of a kind are summed up


def demands(elements: Sequence[Element], rules: Mapping[str, Rule]) -> Iterator[str]:
    """One sentence for each rule in conflict, whatever the number of leads or reps."""
    groups: dict[tuple[str, str, str], list[Element]] = {}
    for element in elements:
        groups.setdefault((element.kind, element.rule, element.side), []).append(element)
    for (kind, _, _), members in groups.items():
        yield _DEMANDS[kind](members, rules)


def _must(members: list[Element], rules: Mapping[str, Rule]) -> str:
    names = listed([element.where for element in members])
    one = len(members) == 1
    return f"Lead {names} must go to a rep." if one else f"{len(members):,} leads must go to a rep: {names}."


def _lock(members: list[Element], rules: Mapping[str, Rule]) -> str:
    names = listed([f"{element.where} to {element.members[0]}" for element in members])
    return f"A person locked {names}."


def _capacity(members: list[Element], rules: Mapping[str, Rule]) -> str:
    if all(not element.bound for element in members):
        have = "has" if len(members) == 1 else "have"
        return f"{listed([element.where for element in members])} {have} no capacity."
    return _bounds("The capacity", members)


def _min_load(members: list[Element], rules: Mapping[str, Rule]) -> str:
    return _bounds("The minimum load", members)


def _bounds(what: str, members: list[Element]) -> str:
    bounds = [float(element.bound or 0.0) for element in members]
    names = [element.where for element in members]
    if len(members) == 1:
        return f"{what} of {names[0]} is {efforts(bounds[0])}."
    together = f"together {efforts(math.fsum(bounds))}"
    if len(set(bounds)) == 1:
        return f"{what} of {listed(names)} is {efforts(bounds[0])} each, {together}."
    told = listed([f"{amount(bound)} of {name}" for bound, name in zip(bounds, names, strict=True)])
    return f"{what} of {len(members):,} reps is bounded: {told}, {together}."


def _parcel(members: list[Element], rules: Mapping[str, Rule]) -> str:
    told = [listed(list(element.members), 4) for element in members]
    return f"These leads stay together: {'; '.join(told[:3])}{f'; and {len(told) - 3} more' if len(told) > 3 else ''}."


def _rule(members: list[Element], rules: Mapping[str, Rule]) -> str:
    first, rule = members[0], rules[members[0].rule]
    least = "at least" if first.side == "low" else "at most"
    bounds = {element.bound for element in members}
    if len(bounds) == 1:
        level = level_words(rule, float(first.bound or 0.0)) + (" each" if len(members) > 1 else "")
        return f"{quoted(first.rule)}: {listed([element.where for element in members])} must have {least} {level}."
    told = [f"{level_words(rule, float(element.bound or 0.0))} for {element.where}" for element in members]
    return f"{quoted(first.rule)}: {least} {listed(told)}."


def _eligibility(members: list[Element], rules: Mapping[str, Rule]) -> str:
    return f"{quoted(members[0].rule)} forbids pairs that could help."


_DEMANDS = {
    "must_assign": _must,
    "lock": _lock,
    "capacity": _capacity,
    "min_load": _min_load,
    "parcel": _parcel,
    "rule": _rule,
    "eligibility": _eligibility,
}


def level_words(rule: Rule, level: float) -> str:
    """A bound in the rule's own unit."""
    measure = getattr(rule, "measure", "leads")
    if isinstance(rule, Limit):
        return units(level, measure)
    tier = getattr(rule, "tier", None)
    what = {"leads": "the leads" if tier is None else f"the leads of tier {tier}", "revenue": "expected revenue"}
    return f"{number(level)} of the fair share of {what.get(measure, measure)}"


def units(level: float, measure: str) -> str:
    """1 lead, 2.5 effort units, 300 of opportunity."""
    if measure not in UNITS:
        return f"{number(level)} of {'expected revenue' if measure == 'revenue' else measure}"
    return f"{number(level)} {UNITS[measure]}{'' if level == 1 else 's'}"


def amount(level: float) -> str:
    """What was computed and not written by a person: two decimals, or three digits of what is smaller."""
    return number(round(level, 2) if abs(level) >= 0.1 else float(f"{level:.3g}"))


def efforts(level: float) -> str:
    """Effort units that were computed."""
    shown = amount(level)
    return f"{shown} effort unit{'' if shown == '1' else 's'}"


def steps(relaxation: Relaxation, rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """What to do, one sentence a change; of a kind with many changes the largest are told."""
    groups: dict[tuple[str, str, str], list[Change]] = {}
    for change in relaxation.changes:
        groups.setdefault((change.element.kind, change.element.rule, change.element.side), []).append(change)
    return tuple(sentence for changes in groups.values() for sentence in _of_kind(changes, rules))


def _of_kind(changes: list[Change], rules: Mapping[str, Rule]) -> Iterator[str]:
    kind = changes[0].element.kind
    if kind == "must_assign":
        names = listed([change.element.where for change in changes], MOST)
        yield f"Let {'lead' if len(changes) == 1 else count(len(changes), 'lead') + ':'} {names} go to nurture."
        return
    if kind == "eligibility":
        pairs = [pair for change in changes for pair in change.pairs]
        told = listed([f"lead {lead} to {rep}" for lead, rep in pairs], MOST)
        yield f"Make an exception to {quoted(changes[0].element.rule)}: allow {told}."
        return
    alike: dict[str, list[Change]] = {}
    for change in sorted(changes, key=lambda change: -change.amount):
        alike.setdefault(_step(change, ["·"], rules), []).append(change)
    same = list(alike.values())
    for group in same[:MOST]:
        yield f"{_step(group[0], [change.element.where for change in group], rules)}."
    rest = [change for group in same[MOST:] for change in group]
    if rest:
        yield f"And likewise for {len(rest):,} more: {_names(rest)}."


def _names(changes: Iterable[Change]) -> str:
    return listed([change.element.where for change in changes])


def _step(change: Change, of: list[str], rules: Mapping[str, Rule]) -> str:
    """What to do. of : all to whom the same is to be done."""
    element, to = change.element, float(change.to or 0.0)
    if element.kind == "lock":
        where = f"let it go to {change.pairs[0][1]}" if change.pairs else "let it go to nurture"
        return f"Undo the lock of lead {element.where} to {element.members[0]}, and {where}"
    if element.kind == "parcel":
        return f"Let {listed(list(element.members), 4)} go to different reps"
    bound = float(element.bound or 0.0)
    if element.kind == "capacity":
        by = efforts(to - bound)
        return f"Raise the capacity of {listed(of, MOST)} by {by}, from {amount(bound)} to {number(to)}"
    if element.kind == "min_load":
        return f"Lower the minimum load of {listed(of, MOST)} from {amount(bound)} to {units(to, 'effort')}"
    rule = rules[element.rule]
    verb, what = ("Lower", "floor") if element.side == "low" else ("Raise", "cap")
    if math.isinf(to):
        return f"Give up the {what} {quoted(element.rule)} of {listed(of, MOST)}"
    change_of = f"from {number(bound)} to {level_words(rule, to)}"
    return f"{verb} the {what} {quoted(element.rule)} of {listed(of, MOST)} {change_of}"
