"""A scenario's changes to the policy: edits by key path, then checked as a policy file is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from apportion.policy import Policy, load_policy
from apportion.whatif.scenarios.combine import steps
from apportion.whatif.scenarios.schema import Scenario
from apportion_models.errors import Finding, PolicyError

Place = tuple[str | int, ...]

# Lists whose order means something ("the first that holds counts"): a rule that is only added has no place in them.
ORDERED = (
    "territories.cover",
    "screening",
    "ramp",
    "throttle",
    "capacity.effort.rules",
    "nurture.rules",
    "availability.hours",
    "tiers.bands",
)


class _UnknownError(Exception):
    """A key path that leads nowhere: what was looked for, and what there is."""

    def __init__(self, step: str, known: list[str]) -> None:
        self.step, self.known = step, known


def edited_policy(policy: Policy, scenario: Scenario, faults: list[Finding]) -> Policy:
    """The policy with the scenario's edits; what is wrong is appended to `faults`, with the scenario's file and key."""
    edits = scenario.policy
    if not (edits.set or edits.drop or edits.add):
        return policy
    content = policy.model_dump(mode="json", by_alias=True)
    before = len(faults)
    written: dict[Place, str] = {}
    for path, value in edits.set.items():
        _set(content, path, value, scenario, written, faults)
    for section, rules in edits.add.items():
        _add(content, section, rules, scenario, written, faults)
    doomed = [place for rule in edits.drop for place in _dropped(content, rule, scenario, faults)]
    faults += _crossing(written, doomed, scenario)
    if len(faults) > before:
        return policy
    try:  # before rules go, so that the places in the findings are still those that were written
        edited = load_policy(content)
        if not doomed:
            return edited
        for place in sorted(set(doomed), key=lambda place: place[-1], reverse=True):
            del _at(content, place[:-1])[place[-1]]
        return load_policy(content)
    except PolicyError as error:
        faults += [_moved(finding, written, scenario) for finding in error.findings]
        return policy


def _set(
    content: dict[str, Any],
    path: str,
    value: Any,
    scenario: Scenario,
    written: dict[Place, str],
    faults: list[Finding],
) -> None:
    key = f"policy.set.{path}"
    place = _found(content, path, key, scenario, faults, new_last=True)
    if place is None:
        return
    if place in written:
        faults.append(scenario.fault(key, f"must be set once; {written[place]} is the same place"))
        return
    written[place] = key
    parent = _at(content, place[:-1])
    if isinstance(parent, dict) and parent.get(place[-1]) is None and place[-1] not in parent and not _free(place):
        faults.append(_no_key(scenario, key, _UnknownError(str(place[-1]), sorted(parent))))
        return
    parent[place[-1]] = value


def _free(place: Place) -> bool:
    """Whether the mapping around the place takes keys of the user's own."""
    return place[-2:-1] in (("by_level",), ("tier_from",))


def _add(
    content: dict[str, Any],
    section: str,
    rules: tuple[dict[str, Any], ...],
    scenario: Scenario,
    written: dict[Place, str],
    faults: list[Finding],
) -> None:
    key = f"policy.add.{section}"
    place = _found(content, section, key, scenario, faults)
    if place is None:
        return
    target = _at(content, place)
    if not isinstance(target, list):
        faults.append(scenario.fault(key, "must be a list of the policy, such as equity or limits"))
    elif section in ORDERED:
        remedy = f"Set the whole list instead: policy.set.{section}."
        faults.append(scenario.fault(key, "must not be added to: in this list the order counts", remedy=remedy))
    else:
        for index, rule in enumerate(sorted(rules, key=lambda rule: str(rule.get("name", "")))):
            written[(*place, len(target))] = f"{key}[{index}]"
            target.append(rule)


def _dropped(content: dict[str, Any], rule: str, scenario: Scenario, faults: list[Finding]) -> list[Place]:
    """The place of the rule to drop: by key path, or by its name alone where only one rule has it."""
    key = f"policy.drop[{scenario.policy.drop.index(rule)}]"
    named = list(_named(content, ()))
    found = [place for place, name in named if name == rule]
    if len(found) == 1:
        return found
    if len(found) > 1:
        paths = ", ".join(f"{_path(place[:-1])}[{rule}]" for place in found)
        faults.append(scenario.fault(key, f"must name one rule; there are {paths}", value=rule))
        return []
    try:
        place = _place(content, rule, new_last=False)
    except _UnknownError:
        place = ()
    if place and isinstance(place[-1], int):
        return [place]
    near = difflib.get_close_matches(rule, [name for _, name in named], n=1)
    shown = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(sorted({n for _, n in named})) or 'none'}."
    faults.append(scenario.fault(key, "must name a rule of the policy", value=rule, remedy=shown))
    return []


def _named(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """(place, name) of every rule in a list."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        if isinstance(step, int) and isinstance(item, dict) and isinstance(item.get("name"), str):
            yield (*place, step), item["name"]
        yield from _named(item, (*place, step))


def _found(
    content: dict[str, Any], path: str, key: str, scenario: Scenario, faults: list[Finding], *, new_last: bool = False
) -> Place | None:
    """As `_place`; where the path leads nowhere, None, and the fault is told of the scenario's key."""
    try:
        return _place(content, path, new_last=new_last)
    except _UnknownError as unknown:
        faults.append(_no_key(scenario, key, unknown))
        return None


def _place(content: dict[str, Any], path: str, *, new_last: bool) -> Place:
    """The key path with names of rules as their positions. new_last : the last step may be a key that is absent."""
    place: list[str | int] = []
    here: Any = content
    parts = steps(path)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part.startswith("["):
            step: str | int = _position(here, part[1:-1])
        elif isinstance(here, dict) and (part in here or (last and new_last)):
            step = part
        else:
            raise _UnknownError(part, sorted(here) if isinstance(here, dict) else [])
        place.append(step)
        here = here.get(step) if isinstance(here, dict) else here[step]
    if not place:
        raise _UnknownError(path, sorted(content))
    return tuple(place)


def _position(here: Any, name: str) -> int:
    if not isinstance(here, list):
        raise _UnknownError(f"[{name}]", sorted(here) if isinstance(here, dict) else [])
    names = [str(item.get("name")) if isinstance(item, dict) else str(item) for item in here]
    if name in names:
        return names.index(name)
    if name.isdigit() and int(name) < len(here):
        return int(name)
    raise _UnknownError(f"[{name}]", [f"[{one}]" for one in names])


def _at(content: Any, place: Place) -> Any:
    for step in place:
        content = content[step]
    return content


def _path(place: Place) -> str:
    told = ""
    for step in place:
        told = f"{told}[{step}]" if isinstance(step, int) else f"{told}.{step}" if told else step
    return told


def _no_key(scenario: Scenario, key: str, unknown: _UnknownError) -> Finding:
    near = difflib.get_close_matches(unknown.step, unknown.known, n=1)
    shown = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(unknown.known) or 'none'}."
    return scenario.fault(key, f"must be a key path of the policy; it has no {unknown.step} there", remedy=shown)


def _crossing(written: dict[Place, str], doomed: list[Place], scenario: Scenario) -> Iterator[Finding]:
    """Edits inside of what is dropped, or of what another edit replaces."""
    for place, key in written.items():
        for rule in doomed:
            if place[: len(rule)] == rule:
                yield scenario.fault(key, "must not change a rule that the scenario drops")
        for other, its in written.items():
            if len(other) < len(place) and place[: len(other)] == other:
                yield scenario.fault(key, f"must not lie inside of what {its} sets")


def _moved(finding: Finding, written: dict[Place, str], scenario: Scenario) -> Finding:
    """A finding of the policy, told of the key of the scenario that caused it."""
    at = finding.column or ""
    for place, key in sorted(written.items(), key=lambda item: -len(item[0])):
        path = _path(place)
        if at == path or at.startswith((f"{path}.", f"{path}[")):
            return scenario.fault(key + at[len(path) :], finding.message, value=finding.value, remedy=finding.remedy)
    said = f"makes the policy's {at or 'rules'} wrong: {finding.message}"
    return scenario.fault("policy", said, value=finding.value, remedy=finding.remedy)
