"""From the panel's fields to a scenario, and from a scenario to the fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from apportion.build import Batch
from apportion.service.console.panel.knobs import Group, Knob, groups, with_values
from apportion.service.console.panel.places import OFF, Draft, Drops, Leaves
from apportion.whatif import Scenario, Setting, combine, load_scenario
from apportion_models.errors import Finding, InputError

NAME, WORDS, FREE = "name", "description", "further"
UNNAMED = "What if"
SOURCE = "what-if panel"
LAST = (Leaves, Drops)  # what goes, goes with all that was changed of it


@dataclass(frozen=True)
class Panel:
    """What the panel shows. further : changes that no knob stands for, as the text of a scenario file."""

    groups: tuple[Group, ...]
    name: str = ""
    description: str = ""
    further: str = ""

    def knobs(self) -> tuple[Knob, ...]:
        """All knobs, in order."""
        return tuple(knob for group in self.groups for row in group.rows for knob in row.knobs)


def open_panel(setting: Setting, batch: Batch, scenario: Scenario | None = None) -> Panel:
    """The panel at today's values, or turned as a scenario says; what no knob can show stays as text."""
    made = groups(setting, batch)
    if scenario is None:
        return Panel(made)
    draft = plain(scenario)
    if scenario.model_folder is not None:
        draft["fit"]["model"] = scenario.model_folder  # as seen from here, not from the scenario's file
    knobs = Panel(made).knobs()
    seen = {knob.name: value for knob in knobs if (value := knob.place.peek(draft)) is not None}
    for knob in knobs:
        if knob.name in seen:
            knob.place.clear(draft)
    rest = {key: section for key, section in draft.items() if key not in (NAME, WORDS, "version")}
    return Panel(with_values(made, seen), scenario.name, scenario.description, scenario_text(_lean(rest)))


def read_panel(setting: Setting, batch: Batch, fields: Mapping[str, str]) -> Scenario:
    """The scenario that the fields are. A box that is not ticked has no field, as forms have it, so that it is off; any
    other field that is absent stands at today's value. Raises InputError with every field at fault."""
    name = fields.get(NAME, "").strip() or UNNAMED
    words = fields.get(WORDS, "").strip()
    draft: Draft = {"name": name, "description": words}
    faults: list[Finding] = []
    for knob in sorted(Panel(groups(setting, batch)).knobs(), key=lambda knob: isinstance(knob.place, LAST)):
        text = fields.get(knob.name, OFF if knob.look == "check" else knob.base).strip()
        if text != knob.base:
            try:
                knob.place.put(draft, text)
            except ValueError as error:
                faults.append(_fault(knob, str(error), text))
    further, more = _further(fields.get(FREE, ""), name)
    if faults or more:
        raise InputError([*faults, *more])
    turned = load_scenario(draft)
    return turned if further is None else combine(turned, further, name=name)


def _further(text: str, name: str) -> tuple[Scenario | None, list[Finding]]:
    """The further changes as a scenario of their own; their name and words are the panel's."""
    if not text.strip():
        return None, []
    try:
        return load_scenario(f"name: {yaml.safe_dump(name, width=10**6).splitlines()[0]}\n{text}"), []
    except InputError as error:
        return None, list(error.findings)


def _fault(knob: Knob, message: str, text: str) -> Finding:
    return Finding(severity="error", table=SOURCE, column=knob.label, message=f"{message}.", value=text)


def plain(scenario: Scenario) -> Draft:
    """A scenario's own changes as plain data, without what is at its default."""
    content: Draft = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return content


def scenario_text(content: Draft) -> str:
    """Plain data as the text of a scenario file; nothing for no content."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100) if content else ""


def _lean(value: Any) -> Any:
    """Mappings and lists without what is empty."""
    if isinstance(value, dict):
        slim = {key: _lean(item) for key, item in value.items()}
        return {key: item for key, item in slim.items() if item not in ({}, [])}
    return value
