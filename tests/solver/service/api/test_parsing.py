"""JSON is read strictly, and what is wrong with it is said in words of ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.service.api.parsing import DEEPEST, has_large_whole, parse

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(PLAIN)
def test_what_is_plain_is_read_as_it_is(document: object) -> None:
    """As any other reader reads it."""
    assert parse(json.dumps(document).encode()) == document
    assert parse(json.dumps(document, ensure_ascii=False).encode()) == document


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"a": 1, "a": 2}', "'a' is there twice"),
        (b'{"b": [{"a": 1, "a": 1}]}', "twice"),
        (b"NaN", "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"1e999", "too large"),
        (b"-1e999", "too large"),
        (b"9" * 400, "too large"),
        (b"9" * 5000, "too long"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "32 levels"),
        (b"[" * 100_000, "32 levels"),
        (b'"\\ud800"', "character that is none"),
        (b'{"\\u0000": 1}', "character that is none"),
        ("[1]".encode("utf-16"), "not UTF-8"),
        ("[1]".encode("utf-8-sig"), "BOM"),
        (b"\xff", "not UTF-8"),
        (b'{"a": 1', "at character 7"),
        (b"", "at character 0"),
        (b"[1] [2]", "Extra data"),
        (b"{'a': 1}", "at character 1"),
    ],
)
def test_what_is_not_plain_is_refused(body: bytes, words: str) -> None:
    """With what is wrong, and without the body."""
    with pytest.raises(json.JSONDecodeError, match=words) as caught:
        parse(body)
    assert caught.value.doc == ""


def test_as_deep_as_we_go_is_read() -> None:
    """And no deeper."""
    assert parse(b"[" * (DEEPEST - 1) + b"1" + b"]" * (DEEPEST - 1))


@pytest.mark.parametrize(
    ("document", "large"), [({"a": [10**30]}, True), ({"a": 1e30, "b": True}, False), ("1", False)]
)
def test_large_whole_numbers_are_seen_wherever_they_are(document: object, large: bool) -> None:
    """In lists and objects; a float is none."""
    assert has_large_whole(document) is large
