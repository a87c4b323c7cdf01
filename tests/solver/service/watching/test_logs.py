"""No line of the log tells of a person or shows a secret, whoever writes what into it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.service.watching import set_up_logs
from apportion.service.watching.logs import ALLOWED


def _line(event: str, **content: Any) -> dict[str, Any]:
    stream = io.StringIO()
    set_up_logs(stream=stream).info(event, **content)
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


def test_a_line_is_json_with_its_time() -> None:
    """What happened, when, at which level, and what may be said of it."""
    line = _line("run done", run="r1", gap=0.01, leads=3)
    assert line["event"] == "run done" and line["level"] == "info" and line["timestamp"].endswith("Z")
    assert (line["run"], line["gap"], line["leads"]) == ("r1", 0.01, 3)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.text(), max_size=5))
def test_only_what_is_listed_is_said(content: dict[str, str]) -> None:
    """Whatever else is given to the logger is left out, name and value."""
    content.pop("event", None)
    assert set(_line("x", **content)) <= ALLOWED


@pytest.mark.parametrize("name", ["lead_id", "rep_id", "email", "name", "phone", "payload", "row", "secret", "url"])
def test_names_of_people_and_secrets_are_not_listed(name: str) -> None:
    """Ids that the user gave may name a person."""
    assert name not in ALLOWED
    assert "Anna" not in json.dumps(_line("x", **{name: "Anna"}))


@pytest.mark.parametrize(
    "text",
    ["mail anna.berg@example.com now", "call +46 70-123 45 67", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0",
     "postgresql://me:hidden@db/x", "Bearer abc.def", "token=abc", "key: abc"],
)  # fmt: skip
def test_what_looks_personal_or_secret_is_hidden(text: str) -> None:
    """Also inside what may be said."""
    said = _line(text, kind=text)
    for hidden in ("anna", "123 45", "c2Vjc", "hidden", "abc"):
        assert hidden not in said["event"] + said["kind"]


def test_an_exception_shows_its_kind_and_place_and_no_words() -> None:
    """Its words may hold a cell."""
    stream = io.StringIO()
    log = set_up_logs(stream=stream)
    try:
        raise ValueError("Anna's lead")
    except ValueError:
        log.exception("run failed", run="r1")
    line = json.loads(stream.getvalue())
    assert line["error"] == "ValueError" and "test_logs" in line["frames"][-1]
    assert "Anna" not in stream.getvalue()


def test_plain_ids_of_ours_are_readable() -> None:
    """A run's id, a slot's name, a date and a duration are not taken for telephone numbers."""
    for text in ("a483febd51d3047e086d0a7b892939249", "m@2026-03-02T08:00:00Z", "0.125"):
        assert _line("x", run=text)["run"] == text
