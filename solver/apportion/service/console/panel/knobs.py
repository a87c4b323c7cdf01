"""The knobs of the panel, in groups: what they are called, what they stand at, and where they go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from apportion.build import Batch
from apportion.policy import Policy
from apportion.reasons.words import count
from apportion.service.console.panel.merging import Merges, crew_words
from apportion.service.console.panel.places import (
    ON,
    Column,
    Drops,
    Everybody,
    Grows,
    Joins,
    Key,
    Kind,
    Leaves,
    Place,
    Point,
    show_value,
)
from apportion.whatif import Setting

Look = Literal["number", "range", "date", "check", "choice", "price"]


TITLES = {
    "roster": ("Reps", "Who is there, and how much each can take before ramp, leave and backlog."),
    "new": ("One more rep", "With the skills, territories and rules of another, and without history."),
    "caps": ("Capacity and caps", ""),
    "ramp": ("Ramps", "How a new rep grows into the full capacity."),
    "equity": ("Equity", "Bounds are parts of the fair share. A price makes a rule soft."),
    "territories": ("Territories", "Whoever covers one of two merged covers both. Growth is drawn from the batch."),
    "nurture": ("Nurture", ""),
}


@dataclass(frozen=True)
class Choice:
    """One of the values of a knob that offers a list."""

    value: str
    label: str


@dataclass(frozen=True)
class Knob:
    """One field of the panel. name : of the field. base : the value today. value : the value shown; other than the base
    where the scenario changes it. low, high, step : of a number. unit : behind it."""

    name: str
    label: str
    look: Look
    place: Place
    base: str
    value: str
    low: str = ""
    high: str = ""
    step: str = "any"
    unit: str = ""
    choices: tuple[Choice, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether it stands elsewhere than today."""
        return self.value != self.base


@dataclass(frozen=True)
class Row:
    """Knobs that belong together: a rep, a rule, a territory. note : what else to know of it."""

    title: str
    knobs: tuple[Knob, ...]
    note: str = ""


@dataclass(frozen=True)
class Group:
    """A part of the panel. key : its anchor. searchable : so many rows that one looks for them."""

    key: str
    title: str
    note: str
    rows: tuple[Row, ...]

    @property
    def searchable(self) -> bool:
        """Whether there are many rows."""
        return len(self.rows) > 12

    @property
    def changes(self) -> int:
        """Knobs that are turned."""
        return sum(knob.changed for row in self.rows for knob in row.knobs)


def groups(setting: Setting, batch: Batch) -> tuple[Group, ...]:
    """Every knob at today's value. Names are places in today's tables, so that no id has to be a field's name."""
    policy = setting.policy
    rows = {
        "roster": _roster(setting, batch),
        "new": _join(setting),
        "caps": _caps(policy),
        "ramp": _ramps(policy),
        "equity": _equity(policy),
        "territories": _territories(batch),
        "nurture": _nurture(policy),
    }
    made = (Group(key, *TITLES[key], tuple(found)) for key, found in rows.items())
    return tuple(group for group in made if group.rows)


def _knob(name: str, label: str, look: Look, place: Place, base: str, **more: Any) -> Knob:
    return Knob(name, label, look, place, base, base, **more)


def _roster(setting: Setting, batch: Batch) -> Iterator[Row]:
    reps = setting.tables.reps
    names = reps["name"] if "name" in reps else reps["rep_id"]
    teams = reps["team_id"] if "team_id" in reps else pd.Series([None] * len(reps))
    bases = batch.capacity["base"].to_numpy(dtype=float)
    for index, rep in enumerate(reps["rep_id"].astype(str)):
        knobs = [_knob(f"rep.{index}.in", "On the roster", "check", Leaves(rep), ON)]
        if "capacity" in reps:
            shown = show_value(float(bases[index]), "number")
            place = Column(rep, "capacity")
            knobs.append(_knob(f"rep.{index}.capacity", "Capacity", "number", place, shown, low="0", step="0.5"))
        if "start_date" in reps:
            day = _day(reps["start_date"].iloc[index])
            knobs.append(_knob(f"rep.{index}.start", "Started", "date", Column(rep, "start_date", "text"), day))
        name = names.iloc[index]
        title = rep if pd.isna(name) or str(name) == rep else f"{name} ({rep})"
        team = teams.iloc[index]
        yield Row(title, tuple(knobs), "" if team is None or pd.isna(team) else str(team))


def _day(moment: Any) -> str:
    return "" if moment is None or pd.isna(moment) else pd.Timestamp(moment).strftime("%Y-%m-%d")


def _join(setting: Setting) -> Iterator[Row]:
    reps = setting.tables.reps
    options = (Choice("", "nobody joins"), *(Choice(rep, f"like {rep}") for rep in reps["rep_id"].astype(str)))
    knobs = [_knob("join.like", "Joins", "choice", Joins("like"), "", choices=options)]
    if "start_date" in reps:
        knobs.append(_knob("join.start", "Starts", "date", Joins("start_date"), ""))
    yield Row("New rep", tuple(knobs))


def _caps(policy: Policy) -> Iterator[Row]:
    span = {"low": "50", "high": "150", "step": "1", "unit": "%"}
    yield Row("Everybody's capacity", (_knob("capacity.all", "Of today's", "range", Everybody(), "100", **span),))
    for index, cap in enumerate(policy.capacity.caps):
        path = _path("capacity.caps", cap.name, index)
        base = show_value(cap.at_most, "number")
        knob = _knob(f"cap.{index}.most", "Leads", "number", Key(f"{path}.at_most"), base, low="0", step="1")
        yield Row(cap.name, (_holds(f"cap.{index}.holds", path), knob), f"a rep, per {cap.per}")


def _path(section: str, name: str, index: int) -> str:
    """The key path of a rule: by its name, or by its position where the name has brackets."""
    return f"{section}[{index if set('[]') & set(name) else name}]"


def _holds(name: str, path: str) -> Knob:
    return _knob(name, "Holds", "check", Drops(path), ON)


def _ramps(policy: Policy) -> Iterator[Row]:
    for index, ramp in enumerate(policy.ramp):
        path = _path("ramp", ramp.name, index)
        points = tuple((point.day, float(point.share)) for point in ramp.points)
        knobs = [_holds(f"ramp.{index}.holds", path)]
        for k, (day, share) in enumerate(points):
            name = f"ramp.{index}.{k}"
            at = Point(f"{path}.points", points, k, "day")
            of = Point(f"{path}.points", points, k, "share")
            knobs.append(_knob(f"{name}.day", "From day", "number", at, str(day), low="0", step="1"))
            base = show_value(share, "share")
            knobs.append(_knob(f"{name}.share", "Share", "number", of, base, low="0", high="100", step="5", unit="%"))
        yield Row(ramp.name, tuple(knobs), ramp.shape)


def _equity(policy: Policy) -> Iterator[Row]:
    for index, rule in enumerate(policy.equity):
        path, name = _path("equity", rule.name, index), f"equity.{index}"
        knobs = [_holds(f"{name}.holds", path)]
        if rule.measure != "max_min":
            low, high = (show_value(bound, "share") for bound in (rule.low, rule.high))
            slides = low.isdigit() and int(low) <= 100  # a slider rests on whole numbers only
            more = {"low": "0", "high": "100", "step": "1"} if slides else {"low": "0", "step": "5"}
            look: Look = "range" if slides else "number"
            knobs.append(_knob(f"{name}.low", "At least", look, Key(f"{path}.low", "share"), low, unit="%", **more))
            place = Key(f"{path}.high", "share")
            knobs.append(_knob(f"{name}.high", "At most", "number", place, high, low="0", step="5", unit="%"))
        price = show_value(rule.price, "price")
        knobs.append(_knob(f"{name}.price", "Price, or hard", "price", Key(f"{path}.price", "price"), price))
        of = f"{rule.measure.replace('_', ' ')} by {rule.by}" + (f", tier {rule.tier}" if rule.tier else "")
        yield Row(rule.name, tuple(knobs), of)


def _territories(batch: Batch) -> Iterator[Row]:
    items = batch.policy.territories.cover
    cover = tuple(item.model_dump(mode="json", by_alias=True) for item in items)
    ids = np.array(batch.problem.rep_ids, dtype=object)
    roles = np.asarray(batch.eligibility.covers)
    crews = {
        item.name: (crew_words(ids[roles[k] == 2].tolist()), crew_words(ids[roles[k] == 1].tolist()))
        for k, item in enumerate(items)
    }
    for index, item in enumerate(items):
        many = int((np.asarray(batch.eligibility.territory) == index).sum())
        others = [other.name for other in items if other.name != item.name]
        options = (Choice("", "stays"), *(Choice(name, f"into {name}") for name in others))
        merge = Merges(item.name, cover, crews)
        grow, span = Grows(item.name), {"low": "-100", "step": "5", "unit": "%"}
        knobs = (
            _knob(f"territory.{index}.grow", "More leads", "number", grow, "0", **span),
            _knob(f"territory.{index}.merge", "Merge", "choice", merge, "", choices=options),
        )
        yield Row(item.name, knobs, count(many, "lead"))


def _nurture(policy: Policy) -> Iterator[Row]:
    shown: list[tuple[str, str, Kind, float, str]] = [
        ("nurture.value", "Worth of a lead", "number", policy.nurture.value, policy.currency),
        ("nurture.share", "Plus, of its opportunity", "share", policy.nurture.share, "%"),
    ]
    knobs = [
        _knob(path, label, "number", Key(path, kind), show_value(amount, kind), unit=unit)
        for path, label, kind, amount, unit in shown
    ]
    yield Row("A lead in nurture", tuple(knobs))


def with_values(made: Sequence[Group], values: dict[str, str]) -> tuple[Group, ...]:
    """The groups with other values shown, by the knobs' names."""

    def turned(row: Row) -> Row:
        return replace(row, knobs=tuple(replace(knob, value=values.get(knob.name, knob.value)) for knob in row.knobs))

    return tuple(replace(group, rows=tuple(map(turned, group.rows))) for group in made)
