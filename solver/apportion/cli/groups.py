"""Options in groups: a command takes a dataclass, and typer sees its fields as options of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints


def spelled_out(command: Callable[..., int]) -> Callable[..., int]:
    """The command with each parameter that is a dataclass replaced by that dataclass's fields.

    The fields are annotated as options; without a default they are required. Names must differ among all groups.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if name != "return" and is_dataclass(kind)}
    flat: list[inspect.Parameter] = []
    for name, given in inspect.signature(command).parameters.items():
        if name in groups:
            flat += _fields_of(groups[name])
        else:
            flat.append(given.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]))

    def called(**given: Any) -> int:
        made = {name: kind(**{one.name: given.pop(one.name) for one in fields(kind)}) for name, kind in groups.items()}
        return command(**made, **given)

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__annotations__ = {one.name: one.annotation for one in flat} | {"return": int}
    called.__signature__ = inspect.Signature(flat, return_annotation=int)  # type: ignore[attr-defined]
    return called


def _fields_of(kind: Any) -> list[inspect.Parameter]:
    """A class's own fields come before those that it has from its bases: what is particular is read first."""
    depth = {
        name: place for place, base in enumerate(kind.__mro__[::-1]) for name in vars(base).get("__annotations__", ())
    }
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if one.default is MISSING else one.default,
            annotation=hints[one.name],
        )
        for one in sorted(fields(kind), key=lambda one: -depth[one.name])
    ]
