"""Where in a scenario a knob's change goes. One place each for both ways: put a value in, find it again.

A draft is the content of a scenario file: plain mappings and lists. Texts are those of the page's fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

Draft = dict[str, Any]
Kind = Literal["number", "share", "text", "price"]
ON, OFF = "on", ""
JOINED = "~new"  # in the id of a rep who joins: R02~new
EVERYBODY = "what if: everybody"
HARD = "hard"


class Place(Protocol):
    """One place of a scenario."""

    def put(self, draft: Draft, text: str) -> None:
        """Write a changed value. Raises ValueError, in words, where the text is no such value."""

    def peek(self, draft: Draft) -> str | None:
        """The changed value that the draft holds, as text; None where it holds none."""

    def clear(self, draft: Draft) -> None:
        """Take the change out of the draft."""


def read_value(text: str, kind: Kind) -> Any:
    """A field's text as a value of its kind. share : a percentage. price : a number, or hard."""
    text = text.strip()
    if kind == "text":
        return text or None
    if kind == "price" and text == HARD:
        return text
    if not text:
        return None
    try:
        amount = float(text)
    except ValueError:
        raise ValueError("must be a number") from None
    if not abs(amount) < 1e15:
        raise ValueError("must be a number that can be")
    amount = round(amount / 100, 12) if kind == "share" else amount
    return int(amount) if amount == int(amount) else amount


def show_value(value: Any, kind: Kind) -> str:
    """A value as the field shows it."""
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value * 100 if kind == 'share' else value:.10g}"
    return str(value)


def part(draft: Draft, *steps: str) -> Draft:
    """The mapping at a path, made where it is not there."""
    for step in steps:
        draft = draft.setdefault(step, {})
    return draft


def _seek(draft: Draft, *steps: str) -> Any:
    for step in steps:
        draft = draft.get(step) or {}
    return draft


@dataclass(frozen=True)
class Leaves:
    """A rep of the roster; the field is on while the rep is there."""

    rep: str

    def put(self, draft: Draft, text: str) -> None:
        """A rep who is switched off leaves, whatever else was said of them."""
        if text != ON:
            part(draft, "reps").setdefault("leave", []).append(self.rep)
            _seek(draft, "reps", "change").pop(self.rep, None)

    def peek(self, draft: Draft) -> str | None:
        """Off where the rep leaves."""
        return OFF if self.rep in (_seek(draft, "reps", "leave") or ()) else None

    def clear(self, draft: Draft) -> None:
        """The rep stays."""
        draft["reps"]["leave"] = [rep for rep in draft["reps"]["leave"] if rep != self.rep]


@dataclass(frozen=True)
class Column:
    """A column of one rep."""

    rep: str
    name: str
    kind: Kind = "number"

    def put(self, draft: Draft, text: str) -> None:
        """Set the cell."""
        value = read_value(text, self.kind)
        part(draft, "reps", "change", self.rep)[self.name] = value

    def peek(self, draft: Draft) -> str | None:
        """The cell that the scenario sets."""
        cells = _seek(draft, "reps", "change", self.rep)
        return show_value(cells[self.name], self.kind) if self.name in cells else None

    def clear(self, draft: Draft) -> None:
        """Leave the cell as it is."""
        cells = draft["reps"]["change"][self.rep]
        del cells[self.name]
        if not cells:
            del draft["reps"]["change"][self.rep]


@dataclass(frozen=True)
class Key:
    """A key of the policy."""

    path: str
    kind: Kind = "number"

    def put(self, draft: Draft, text: str) -> None:
        """Set the key."""
        part(draft, "policy", "set")[self.path] = read_value(text, self.kind)

    def peek(self, draft: Draft) -> str | None:
        """The value that the scenario sets."""
        edits = _seek(draft, "policy", "set")
        return show_value(edits[self.path], self.kind) if self.path in edits else None

    def clear(self, draft: Draft) -> None:
        """Leave the key as it is."""
        del draft["policy"]["set"][self.path]


@dataclass(frozen=True)
class Point:
    """One number of a ramp's points, of which the scenario sets the whole list."""

    path: str
    points: tuple[tuple[int, float], ...]
    index: int
    part: Literal["day", "share"]

    def put(self, draft: Draft, text: str) -> None:
        """Set the number in the list, which begins as the policy's own."""
        value = read_value(text, "share" if self.part == "share" else "number")
        if value is None:
            raise ValueError("must be given")
        edits = part(draft, "policy", "set")
        own = [{"day": day, "share": share} for day, share in self.points]
        edits.setdefault(self.path, own)[self.index][self.part] = value

    def peek(self, draft: Draft) -> str | None:
        """The number, where the scenario's list is as long as the policy's."""
        found = _seek(draft, "policy", "set").get(self.path)
        if not isinstance(found, list) or len(found) != len(self.points):
            return None
        point = found[self.index]
        if not isinstance(point, dict) or self.part not in point:
            return None
        return show_value(point[self.part], "share" if self.part == "share" else "number")

    def clear(self, draft: Draft) -> None:
        """Leave the ramp as it is."""
        draft["policy"]["set"].pop(self.path, None)


@dataclass(frozen=True)
class Drops:
    """A rule of the policy; the field is on while the rule holds."""

    path: str

    def put(self, draft: Draft, text: str) -> None:
        """A rule that is switched off is dropped, whatever else was said of it."""
        if text == ON:
            return
        edits = part(draft, "policy", "set")
        for path in [path for path in edits if path.startswith(f"{self.path}.")]:
            del edits[path]
        part(draft, "policy").setdefault("drop", []).append(self.path)

    def peek(self, draft: Draft) -> str | None:
        """Off where the rule is dropped, by its path or by its name alone."""
        return OFF if self._found(draft) else None

    def _found(self, draft: Draft) -> list[str]:
        alone = self.path.partition("[")[2].removesuffix("]")
        return [rule for rule in (_seek(draft, "policy", "drop") or ()) if rule in (self.path, alone)]

    def clear(self, draft: Draft) -> None:
        """The rule holds."""
        gone = self._found(draft)
        draft["policy"]["drop"] = [rule for rule in draft["policy"]["drop"] if rule not in gone]


@dataclass(frozen=True)
class Grows:
    """How many more leads of a territory there are, in percent."""

    territory: str

    def put(self, draft: Draft, text: str) -> None:
        """Add the growth."""
        by = read_value(text, "share")
        if by:
            part(draft, "leads").setdefault("grow", []).append({"territory": self.territory, "by": by})

    def peek(self, draft: Draft) -> str | None:
        """The growth, where it is of the first draw."""
        found = self._found(draft)
        return show_value(found[0]["by"], "share") if len(found) == 1 and not found[0].get("seed") else None

    def _found(self, draft: Draft) -> list[Draft]:
        return [one for one in (_seek(draft, "leads", "grow") or ()) if one.get("territory") == self.territory]

    def clear(self, draft: Draft) -> None:
        """As many leads as there are."""
        gone = self._found(draft)
        draft["leads"]["grow"] = [one for one in draft["leads"]["grow"] if one not in gone]


@dataclass(frozen=True)
class Everybody:
    """Every rep's capacity, in percent: a rule that is added."""

    def put(self, draft: Draft, text: str) -> None:
        """Add the factor."""
        factor = read_value(text, "share")
        if factor is None:
            raise ValueError("must be given")
        rule = {"name": EVERYBODY, "reps": True, "factor": factor}
        part(draft, "policy", "add").setdefault("capacity.adjust", []).append(rule)

    def peek(self, draft: Draft) -> str | None:
        """The factor."""
        found = self._found(draft)
        return show_value(found[0].get("factor"), "share") if found else None

    @staticmethod
    def _found(draft: Draft) -> list[Draft]:
        rules = _seek(draft, "policy", "add").get("capacity.adjust") or ()
        return [rule for rule in rules if rule.get("name") == EVERYBODY]

    def clear(self, draft: Draft) -> None:
        """Capacity as it is."""
        added = draft["policy"]["add"]
        left = [rule for rule in added.pop("capacity.adjust") if rule.get("name") != EVERYBODY]
        if left:
            added["capacity.adjust"] = left


@dataclass(frozen=True)
class Joins:
    """One more rep, like another. part : `like`, or a column of the new rep."""

    part: str
    kind: Kind = "text"

    def put(self, draft: Draft, text: str) -> None:
        """Whom the new rep is like comes first; a column without it has no rep to belong to."""
        value = read_value(text, self.kind)
        joins = part(draft, "reps").setdefault("join", [])
        if self.part == "like":
            joins.append({"rep_id": f"{value}{JOINED}", "like": value})
        elif not joins:
            raise ValueError("needs a rep whom the new one is like")
        else:
            joins[0].setdefault("columns", {})[self.part] = value

    def peek(self, draft: Draft) -> str | None:
        """What the panel's own new rep has."""
        found = self._found(draft)
        if found is None:
            return None
        if self.part == "like":
            return str(found["like"])
        columns = found.get("columns") or {}
        return show_value(columns[self.part], self.kind) if self.part in columns else None

    @staticmethod
    def _found(draft: Draft) -> Draft | None:
        joins = _seek(draft, "reps", "join") or []
        own = [join for join in joins if join.get("rep_id") == f"{join.get('like')}{JOINED}"]
        known = {"rep_id", "like", "columns"}
        fits = len(own) == 1 and set(own[0]) <= known and set(own[0].get("columns") or {}) <= {"start_date"}
        return own[0] if fits else None

    def clear(self, draft: Draft) -> None:
        """Nobody joins."""
        found = self._found(draft)
        draft["reps"]["join"] = [join for join in draft["reps"]["join"] if join is not found]
