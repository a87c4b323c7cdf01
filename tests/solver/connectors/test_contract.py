"""Messages are plain, keys are safe, and the same parts give the same key."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion.connectors import Message, check_key, message_key
from apportion.connectors.contract import utc_text
from apportion_models.errors import UsageError

AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
CELLS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


@given(st.lists(st.dictionaries(st.text(min_size=1), CELLS), min_size=1, max_size=4))
def test_a_message_survives_json(rows: list[dict[str, Any]]) -> None:
    """What is stored as JSON and read again is the same message."""
    message = Message(kind="plan.assigned", at=AT, rows=tuple(rows))
    again = Message.from_document(json.loads(json.dumps(message.document())))
    assert again == message


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"kind": "Plan Assigned"}, "kind"),
        ({"at": dt.datetime(2026, 3, 2)}, "time zone"),
        ({"rows": ()}, "at least one row"),
        ({"rows": ({"x": float("nan")},)}, "finite"),
        ({"rows": ({"x": float("inf")},)}, "finite"),
        ({"rows": ({"x": [1]},)}, "got list in 'x'"),
        ({"rows": ({"": 1},)}, "names"),
    ],
)
def test_a_message_is_checked_once_where_it_is_made(change: dict[str, Any], what: str) -> None:
    """Anything that a sink could not write is refused at once, with what it is."""
    whole: dict[str, Any] = {"kind": "plan.assigned", "at": AT, "rows": ({"x": 1},)}
    with pytest.raises(UsageError, match=f"(?i){what}"):
        Message(**{**whole, **change})


def test_the_frame_keeps_the_order_of_columns_and_rows() -> None:
    """Columns stand as they first come; a cell that a row lacks is missing."""
    frame = Message(kind="a", at=AT, rows=({"b": 1, "a": "x"}, {"c": 2.5, "b": None})).frame()
    assert list(frame.columns) == ["b", "a", "c"]
    assert frame.to_dict("list") == {"b": [1, None], "a": ["x", None], "c": [None, 2.5]}


@given(st.lists(st.text()), st.lists(st.text()))
def test_keys_are_alike_only_for_the_same_parts(one: list[str], other: list[str]) -> None:
    """`("ab", "c")` and `("a", "bc")` are different things, and every key is one that a sink takes."""
    check_key(message_key(*one))
    assert (message_key(*one) == message_key(*other)) == (one == other)


@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_texts_of_instants_sort_as_instants(one: dt.datetime, other: dt.datetime) -> None:
    """A sink may compare them as text, with and without microseconds."""
    try:
        first, second = one.astimezone(dt.UTC), other.astimezone(dt.UTC)
    except OverflowError:
        return
    if min(first.year, second.year) >= 1000:
        assert (utc_text(one) < utc_text(other)) == (first < second)
