"""JSON as strict as we can keep it: finite, no deeper than we go, each key once, in UTF-8, and of characters."""

from __future__ import annotations

import json
import math
from typing import Any

from apportion.service.wire.fields import LARGEST_INT

DEEPEST = 32
LARGEST = 10**308  # what a float can hold; how large a number may be is said by each field


class _NotPlainError(ValueError):
    """What is wrong, in words of ours."""


def parse(body: bytes) -> Any:
    """Plain JSON. Raises JSONDecodeError, with what is wrong and never a word of the body but a key that is twice."""
    try:
        read = json.loads(body.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_once)
        _check(read)
    except json.JSONDecodeError as error:
        raise json.JSONDecodeError(f"{error.msg} at character {error.pos}", "", 0) from None
    except _NotPlainError as error:
        raise json.JSONDecodeError(str(error), "", 0) from None
    except UnicodeDecodeError:
        raise json.JSONDecodeError("it is not UTF-8", "", 0) from None
    except RecursionError:
        raise json.JSONDecodeError(f"it is nested more than {DEEPEST} levels deep", "", 0) from None
    except ValueError:
        raise json.JSONDecodeError("a number is too long", "", 0) from None
    return read


def has_large_whole(document: Any) -> bool:
    """Whether somewhere in it is a whole number of more than 64 bits, of which arrays know nothing."""
    level = [document]
    while level:
        if any(type(one) is int and abs(one) > LARGEST_INT for one in level):
            return True
        level = [below for one in level for below in _below(one)]
    return False


def _below(one: Any) -> list[Any]:
    if isinstance(one, dict):
        return [*one.keys(), *one.values()]
    return one if isinstance(one, list) else []


def _no_number(word: str) -> Any:
    raise _NotPlainError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one key, readers differ in which they take."""
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _NotPlainError(f"the key {twice[:50]!a} is there twice")
    return made


def _check(read: Any) -> None:
    level, depth = [read], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise _NotPlainError(f"it is nested more than {DEEPEST} levels deep")
        for one in level:
            if not isinstance(one, dict | list):
                _check_leaf(one)
        level = [below for one in level for below in _below(one)]


def _check_leaf(one: Any) -> None:
    kind = type(one)
    if kind is float:
        if not math.isfinite(one):
            raise _NotPlainError("a number is too large")
    elif kind is int:
        if abs(one) > LARGEST:
            raise _NotPlainError("a number is too large")
    elif kind is str and ("\x00" in one or (not one.isascii() and _is_broken(one))):
        raise _NotPlainError("a text has a character that is none")


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
