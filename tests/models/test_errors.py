"""Findings read as sentences, whoever wrote their messages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import apportion
import apportion_models
from apportion import AssignmentProblem
from apportion_models.errors import Finding, ProblemError, sentence

ROOMS = [Path(str(package.__file__)).parent for package in (apportion, apportion_models)]
WHOLE = re.compile(r"[.!?…][)\]}\"'”’»]* Got -2\.0\.")


def finding(message: str, **other: object) -> Finding:
    return Finding(severity="error", table="reps", message=message, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("must be a number", "must be a number."),
        ("must be a number.", "must be a number."),
        ("is it a number?", "is it a number?"),
        ("is cut off…", "is cut off…"),
        ("(it must be a number.)", "(it must be a number.)"),
        ("must be a number (a whole one)", "must be a number (a whole one)."),
        ("must state a key, such as `leads:`", "must state a key, such as `leads:`."),
        ("the rule says “never.”", "the rule says “never.”"),
        ("", ""),
    ],
)
def test_a_sentence_ends_once(text: str, shown: str) -> None:
    """One full stop, also behind brackets and quotes; nothing stays nothing."""
    assert sentence(text) == shown and sentence(shown) == shown


def test_what_is_shown_behind_a_message_begins_a_sentence() -> None:
    """Value, number of rows and remedy each stand alone, though nobody wrote a full stop."""
    shown = str(finding("must be at least 0", value=-2.0, row=3, column="capacity", count=4, remedy="Correct it"))
    assert shown == "reps, row 3, column 'capacity': must be at least 0. Got -2.0. (4 rows.) Correct it."


def test_a_problem_is_refused_in_whole_sentences() -> None:
    """The same through the library: arrays that are wrong in several ways."""
    with pytest.raises(ProblemError) as caught:
        AssignmentProblem.from_arrays(np.ones((2, 2)), capacity=[-2.0, 1.0], min_load=[np.nan, 0.0])
    for one in caught.value.findings:
        assert re.search(r"\. Got (-2\.0|nan)\.", str(one)), str(one)


def messages() -> Iterator[tuple[str, str]]:
    """(place, text) of every message and remedy that the packages write out, with § for what is filled in."""
    for room in ROOMS:
        for path in sorted(room.rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call):
                    named = [_text(given.value) for given in call.keywords if given.arg in ("message", "remedy")]
                    placed = [text for given in call.args if (text := _text(given)).startswith("must ")]
                    yield from ((f"{path.name}:{call.lineno}", text) for text in (*named, *placed) if text)


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else "§" for part in parts)
        case ast.IfExp(body=text, orelse=other):
            return _text(text) or _text(other)
    return ""


def test_every_message_of_ours_reads_well() -> None:
    """No message runs into the value behind it, and none has two full stops, a blank before one, or loose ends."""
    seen = list(messages())
    assert len(seen) > 150
    for place, text in seen:
        shown = str(finding(text, value=-2.0))
        assert WHOLE.search(shown), (place, shown)
        assert not re.search(r"\.\.(?!\.)|\s[.,;:](\s|$)|  |\s$", text), (place, text)
