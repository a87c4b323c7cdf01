"""Scenarios together, and over a grid."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apportion.whatif.scenarios.schema import Scenario
from apportion_models.errors import Finding, InputError, UsageError

Target = tuple[str, ...]
MOST_POINTS = 2_000  # of a sweep; more are a slip of the pen


def combine(*scenarios: Scenario, name: str | None = None) -> Scenario:
    """One scenario with the changes of all. The order of the arguments changes nothing.

    Two that change the same thing alike are no conflict. Raises InputError that names both where they change the same
    thing differently, and UsageError without a scenario.
    """
    if not scenarios:
        raise UsageError("combine() needs at least one scenario.")
    ordered = sorted(scenarios, key=lambda one: (one.name, one.model_dump_json()))
    faults = [fault for a, b in itertools.combinations(ordered, 2) for fault in _conflicts(a, b)]
    if faults:
        raise InputError(faults)
    parts = [_dumped(one) for one in ordered]
    names = list(dict.fromkeys(one.name for one in ordered))
    words = list(dict.fromkeys(one.description for one in ordered if one.description))
    return Scenario.model_validate(
        {"name": name or " + ".join(names), "description": " ".join(words)[:2000], **_merged(parts)}
    )


def _dumped(one: Scenario) -> dict[str, Any]:
    """The scenario as plain data; its model under a path that does not depend on where its file lies."""
    content: dict[str, Any] = one.model_dump(mode="json", by_alias=True)
    content["fit"]["model"] = one.model_folder
    return content


def sweep(grid: Mapping[str, Sequence[Any]], *, name: str = "{}", base: Scenario | None = None) -> tuple[Scenario, ...]:
    """One scenario for each point of a grid of policy values: key path -> values. The last path moves fastest.

    name : a pattern with one {} for what tells the points apart. base : changes that every point has too.
    """
    if not grid or any(not len(values) for values in grid.values()):
        raise UsageError("A sweep needs at least one key path, each with at least one value.")
    count = math.prod(len(values) for values in grid.values())
    if count > MOST_POINTS:
        sizes = " x ".join(f"{len(values):,} of {path}" for path, values in grid.items())
        raise UsageError(
            f"A sweep must have {MOST_POINTS:,} points at most. Got {count:,}: {sizes}. Take coarser steps."
        )
    points = []
    for values in itertools.product(*grid.values()):
        told = ", ".join(f"{path} = {json.dumps(value, default=str)}" for path, value in zip(grid, values, strict=True))
        edits = {"set": dict(zip(grid, values, strict=True))}
        point = Scenario.model_validate({"name": name.format(told), "policy": edits})
        points.append(point if base is None else combine(point, base, name=f"{base.name}: {told}"))
    return tuple(points)


def _conflicts(a: Scenario, b: Scenario) -> Iterator[Finding]:
    ours, theirs = dict(_touched(a)), dict(_touched(b))
    for target, value in sorted(ours.items()):
        for other, its in sorted(theirs.items()):
            same = target == other and value == its
            if not same and _overlap(target, other):
                place = max(target, other, key=len)
                yield Finding(
                    severity="error",
                    table=f"{a.source} and {b.source}",
                    column=place[-1],
                    message=f"cannot be combined: {a.name} and {b.name} both change {_told(place)}, differently.",
                    value=f"{value} and {its}",
                    remedy="Take the change out of one of them.",
                )


def _overlap(a: Target, b: Target) -> bool:
    """Whether one is the other, or contains it."""
    for rule, other in ((a, b), (b, a)):
        if rule[0] == "rule":  # a rule by its name alone: wherever in the policy it stands
            return other == rule or (other[0] == "policy" and f"[{rule[1]}]" in other)
    short, long = sorted((a, b), key=len)
    return long[: len(short)] == short


def _told(target: Target) -> str:
    return {"rep": "rep ", "grow": "the leads of ", "policy": "the policy's ", "rule": "the policy's rule "}.get(
        target[0], "the "
    ) + " ".join(target[1:])


def _touched(one: Scenario) -> Iterator[tuple[Target, str]]:
    """What a scenario changes, and to what. A target contains every target that begins with it."""
    for rep in one.reps.leave:
        yield ("rep", rep), "leaves"
    for join in one.reps.join:
        yield ("rep", join.rep_id), f"joins {join.model_dump_json()}"
    for away in one.reps.away:
        yield ("rep", away.rep_id, "away", str(away.start)), f"is away {away.model_dump_json()}"
    for rep, columns in one.reps.change.items():
        for column, value in columns.items():
            yield ("rep", rep, column), json.dumps(value, default=str)
    for growth in one.leads.grow:
        yield ("grow", growth.kind), f"{growth.by:g} (seed {growth.seed})"
    for path, value in one.policy.set.items():
        yield ("policy", *steps(path)), json.dumps(value, default=str, sort_keys=True)
    for rule in one.policy.drop:
        parts = steps(rule)
        yield ("policy", *parts) if len(parts) > 1 else ("rule", rule), "dropped"
    for section, rules in one.policy.add.items():
        for added in rules:
            target = ("policy", *steps(section), f"[{added.get('name', '')}]")
            yield target, json.dumps(added, default=str, sort_keys=True)
    if one.model_folder is not None:
        yield ("fit model",), one.model_folder
    if one.fit.shrink:
        yield ("fit shrinkage",), f"{one.fit.shrink:g}"


def steps(path: str) -> tuple[str, ...]:
    """The steps of a key path: `equity[fair offer].low` gives equity, [fair offer], low."""
    return tuple(re.findall(r"\[[^\]]*\]|[^.\[\]]+", path))


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    reps = [part["reps"] for part in parts]
    change: dict[str, dict[str, Any]] = {}
    for one in reps:
        for rep, columns in one["change"].items():
            change.setdefault(rep, {}).update(columns)
    edits = [part["policy"] for part in parts]
    add: dict[str, list[Any]] = {}
    for one in edits:
        for section, rules in one["add"].items():
            add[section] = _distinct([*add.get(section, []), *rules])
    return {
        "reps": {
            "leave": sorted({rep for one in reps for rep in one["leave"]}),
            "join": _distinct([item for one in reps for item in one["join"]]),
            "away": _distinct([item for one in reps for item in one["away"]]),
            "change": {rep: dict(sorted(change[rep].items())) for rep in sorted(change)},
        },
        "leads": {"grow": _distinct([item for part in parts for item in part["leads"]["grow"]])},
        "policy": {
            "set": dict(sorted((path, value) for one in edits for path, value in one["set"].items())),
            "drop": sorted({rule for one in edits for rule in one["drop"]}),
            "add": dict(sorted(add.items())),
        },
        "fit": {
            "model": next((part["fit"]["model"] for part in parts if part["fit"]["model"]), None),
            "shrink": max(part["fit"]["shrink"] for part in parts),
        },
    }


def _distinct(items: list[Any]) -> list[Any]:
    """Each once, in an order that does not depend on who came first."""
    texts = {json.dumps(item, default=str, sort_keys=True): item for item in items}
    return [texts[key] for key in sorted(texts)]
