"""Where in the request a fault is, as whoever wrote the request would say it: `problem.equity.0.low`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apportion.service.wire.faults import Fault

LONGEST = 200
Path = tuple[str | int, ...]
Error = Mapping[str, Any]


@dataclass(frozen=True)
class _Placed:
    """One of pydantic's errors. branch : which of several allowed kinds it was tried as, and where that began."""

    path: Path
    branch: tuple[Path, str] | None
    error: Error


def faults_of(errors: Sequence[Error], body: Any) -> list[Fault]:
    """Each fault once: where several kinds are allowed, as the kind that comes nearest, or all that it could be."""
    placed = [_place(error, body) for error in errors]
    return [_fault(group) for group in _settled(placed)]


def _place(error: Error, body: Any) -> _Placed:
    """pydantic's place has the names of kinds between the keys; what leads nowhere in the body is such a name."""
    part, *rest = error["loc"]
    if error["type"] == "json_invalid":
        return _Placed((), None, error)
    if part != "body":
        return _Placed(tuple(rest) or (part,), None, error)
    here, path, branch = body, list[str | int](), None
    for place, step in enumerate(rest):
        if (isinstance(here, dict) and step in here) or (isinstance(here, list) and isinstance(step, int)):
            here = here[step] if isinstance(here, dict) or step < len(here) else None
            path.append(step)
        elif error["type"] == "missing" and place == len(rest) - 1:
            path.append(step)
        else:
            branch = tuple(path), str(step)
    path += _mark(error)
    return _Placed(tuple(path), branch, error)


def _mark(error: Error) -> list[str | int]:
    """The key that says which kind it is, where that is what is wrong."""
    return [str(error["ctx"]["discriminator"]).strip("'")] if error["type"].startswith("union_tag") else []


def _settled(placed: Sequence[_Placed]) -> Iterable[list[_Placed]]:
    """Errors that are told as one."""
    at: dict[Path, dict[str, list[_Placed]]] = {}
    for one in placed:
        if one.branch is None:
            yield [one]
        else:
            at.setdefault(one.branch[0], {}).setdefault(one.branch[1], []).append(one)
    for root, branches in at.items():
        inside = [errors for errors in branches.values() if all(len(one.path) > len(root) for one in errors)]
        if inside:
            yield from ([one] for one in min(inside, key=len))
        elif len(branches) == 1:
            yield from ([one] for one in next(iter(branches.values())))
        else:
            yield [one for errors in branches.values() for one in errors if one.path == root]


def _fault(told_as_one: Sequence[_Placed]) -> Fault:
    first = told_as_one[0]
    field = ".".join(str(part) for part in first.path) or "body"
    message = ", or ".join(dict.fromkeys(_message(one.error) for one in told_as_one))
    return Fault(field=field, message=f"{message}.", value=plain(first.error.get("input")))


def _message(error: Error) -> str:
    if error["type"] == "json_invalid":
        return f"must be JSON: {error.get('ctx', {}).get('error', 'it is not')}"
    if error["type"].startswith("union_tag"):
        return f"must be one of {error['ctx'].get('expected_tags', 'the kinds of docs/api.md')}"
    return str(error["msg"]).replace("Input should be", "must be").removeprefix("Value error, ").rstrip(".")


def plain(value: Any) -> Any:
    """What was got, as JSON can say it, and no longer than a line."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 2**53 and math.isfinite(value) else short(str(value))
    if isinstance(value, str):
        return short(value)
    return f"a {'list' if isinstance(value, list | tuple) else 'object' if isinstance(value, dict) else 'value'}"


def short(text: str, longest: int = LONGEST) -> str:
    """A text that is no longer than a line, and can be written."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= longest else text[:longest] + "…"
