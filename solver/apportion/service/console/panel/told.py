"""What a scenario changes, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apportion.reasons.words import count
from apportion.service.console.panel.draft import plain
from apportion.whatif import Scenario

LONG = 80  # characters of a value that a sentence can bear


def told(scenario: Scenario) -> tuple[str, ...]:
    """One phrase a change; none for the base itself."""
    return tuple(_phrases(scenario))


def _phrases(scenario: Scenario) -> Iterator[str]:
    reps, edits = scenario.reps, scenario.policy
    if reps.leave:
        yield f"{', '.join(reps.leave)} {'leaves' if len(reps.leave) == 1 else 'leave'}"
    for join in reps.join:
        since = "".join(f", {name.replace('_', ' ')} {_shown(value)}" for name, value in join.columns.items())
        yield f"{join.rep_id} joins, like {join.like}{since}"
    for away in reps.away:
        yield f"{away.rep_id} is away from {away.start} until {away.end}"
    for rep, cells in reps.change.items():
        yield f"{rep}: " + ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in cells.items())
    for growth in scenario.leads.grow:
        yield f"{abs(growth.by):.0%} {'more' if growth.by >= 0 else 'fewer'} leads of {growth.kind}"
    for path, value in edits.set.items():
        yield f"{path} is {_shown(value)}"
    for rule in edits.drop:
        yield f"{rule} is dropped"
    for section, rules in edits.add.items():
        yield f"{section}: " + ", ".join(str(rule.get("name", "a rule")) for rule in rules) + " is added"
    if scenario.fit.model is not None:
        yield f"the fit model is {plain(scenario)['fit']['model']}"
    if scenario.fit.shrink:
        yield f"{scenario.fit.shrink:.0%} of what tells reps apart is taken away"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
        return count(len(value), "entry").replace("entrys", "entries")
    text = str(value)
    return text if len(text) <= LONG else f"{text[:LONG]}…"
