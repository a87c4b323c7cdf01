from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion_models.tables.times import Times, parse_times


def parse(*words: str, **options: Any) -> Times:
    return parse_times(pa.array(words, pa.string()), **options)


def iso(found: Times) -> list[str | None]:
    return [None if moment is pd.NaT else moment.isoformat().removesuffix("+00:00") for moment in found.moments]


@pytest.mark.parametrize(
    ("word", "moment"),
    [
        ("2024-01-31", "2024-01-31T00:00:00"),
        ("2024-01-31 14:05", "2024-01-31T14:05:00"),
        ("2024-01-31T14:05:06.5Z", "2024-01-31T14:05:06.500000"),
        ("2024-01-31T14:05:06+02:00", "2024-01-31T12:05:06"),
        ("2024-01-31T14:05:06-0330", "2024-01-31T17:35:06"),
        ("2024-01-31 14:05:06 UTC", "2024-01-31T14:05:06"),
        ("2024-01-31T14:05:06.123+0000", "2024-01-31T14:05:06.123000"),
        ("2024/1/31", "2024-01-31T00:00:00"),
        ("20240131", "2024-01-31T00:00:00"),
        ("31.01.2024", "2024-01-31T00:00:00"),
        ("1.2.2024", "2024-02-01T00:00:00"),
        ("31/01/2024 9:05", "2024-01-31T09:05:00"),
        ("1/31/2024, 3:05 PM", "2024-01-31T15:05:00"),
        ("1/31/2024 12:00 AM", "2024-01-31T00:00:00"),
        ("1/31/2024 12:30 p.m.", "2024-01-31T12:30:00"),
        ("31 Jan 2024", "2024-01-31T00:00:00"),
        ("Jan 31, 2024", "2024-01-31T00:00:00"),
        ("January 31st, 2024 3:05 PM", "2024-01-31T15:05:00"),
        ("31-Jan-2024", "2024-01-31T00:00:00"),
        ("2/2/2024", "2024-02-02T00:00:00"),
        ("2024-01-31 14:05:06 +0200", "2024-01-31T12:05:06"),
        ("2024-02-29", "2024-02-29T00:00:00"),
    ],
)
def test_one_word_alone(word: str, moment: str) -> None:
    """A time that can be read in one way only is read, however it is written."""
    found = parse(word)
    assert not found.refused
    assert iso(found) == [moment]


@pytest.mark.parametrize(
    "word",
    [
        "soon",
        "2024-02-30",
        "2023-02-29",
        "31/02/2024",
        "2024-13-01",
        "13/13/2024",
        "2024-01-31 25:00",
        "31/01/24",
        "24-01-15",
        "13/1/2024 13:05 PM",
        "1 Foo 2024",
        "45322",
        "1706659200",
        "0001-01-01",
        "9999-12-31",
        "2024",
        "12:30",
        "2024-01-31 10:00 CET",
    ],
)
def test_no_time(word: str) -> None:
    """What is no date, names no year in full, or lies beyond reason is refused once, and gives no moment."""
    found = parse(word)
    assert len(found.refused) == 1
    assert iso(found) == [None]


def test_column_settles_the_order() -> None:
    """One day above 12 settles the whole column, in both directions and in any order of rows."""
    assert iso(parse("03/04/2024", "31/01/2024"))[0] == "2024-04-03T00:00:00"
    assert iso(parse("03/04/2024", "01/31/2024"))[0] == "2024-03-04T00:00:00"
    assert iso(parse("01/31/2024", "03/04/2024"))[1] == "2024-03-04T00:00:00"


def test_ambiguous_is_refused() -> None:
    """A column that could have the day or the month first is refused with the key that settles it, and told once."""
    (said,) = parse("03/04/2024", "02/02/2024").refused
    assert "`day_first`" in said[2]
    assert iso(parse("03/04/2024", day_first=True)) == ["2024-04-03T00:00:00"]
    assert iso(parse("03/04/2024", day_first=False)) == ["2024-03-04T00:00:00"]


def test_contradicting_order() -> None:
    """Day first and month first in one column are refused, naming one of each."""
    (said,) = parse("31/01/2024", "01/31/2024").refused
    assert "31/01/2024" in said[1] and "01/31/2024" in said[1]


def test_mixed_shapes_and_offsets() -> None:
    """Shapes and offsets may differ from row to row when each can be read."""
    found = parse("2024-01-31", "31.01.2024 14:05", "2024-01-31T14:05:00+02:00", "Jan 31, 2024", "2024-01-31T14:05:00Z")
    assert not found.refused
    assert [word[8:13] for word in iso(found) if word] == ["31T00", "31T14", "31T12", "31T00", "31T14"]
    assert found.date_only.tolist() == [True, False, False, True, False]


def test_zone_of_local_times() -> None:
    """A time without an offset is local time of the zone; one with an offset is not touched by it."""
    assert iso(parse("2024-07-01 12:00", "2024-07-01T12:00:00Z", zone="Europe/Berlin")) == [
        "2024-07-01T10:00:00",
        "2024-07-01T12:00:00",
    ]
    assert iso(parse("2024-07-01", zone="America/New_York")) == ["2024-07-01T04:00:00"]


def test_clock_changes() -> None:
    """A local time that the clock skipped moves to the next moment; one that came twice is the first; both are told."""
    found = parse("2024-03-31 02:30", "2024-10-27 02:30", "2024-06-01 12:00", zone="Europe/Berlin")
    assert iso(found) == ["2024-03-31T01:00:00", "2024-10-27T00:30:00", "2024-06-01T10:00:00"]
    assert [mask.tolist() for mask, _, _ in found.mended] == [[True, False, False], [False, True, False]]


def test_numbers_only_when_told() -> None:
    """Excel's day numbers and seconds since 1970 are dates only when the mapping says so; the remedy says how."""
    assert iso(parse("45322", "45322.5", date_format="excel")) == ["2024-01-31T00:00:00", "2024-01-31T12:00:00"]
    assert iso(parse("1706659200", date_format="unix")) == ["2024-01-31T00:00:00"]
    assert iso(parse("1706659200000", date_format="unix_ms")) == ["2024-01-31T00:00:00"]
    assert "excel" in parse("45322").refused[0][2]
    assert "unix" in parse("1706659200000").refused[0][2]
    assert parse("soon", date_format="excel").refused


def test_stated_format() -> None:
    """With the mapping's `date_format` a word has that form or is refused."""
    found = parse("31/01/24", "2024-01-31", date_format="%d/%m/%y")
    assert iso(found) == ["2024-01-31T00:00:00", None]
    assert found.refused[0][0].tolist() == [False, True]
    assert iso(parse("31/01/24 10:00 +0200", date_format="%d/%m/%y %H:%M %z")) == ["2024-01-31T08:00:00"]


@given(st.lists(st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(2199, 1, 1)), min_size=1, max_size=20))
def test_iso_comes_back(moments: list[dt.datetime]) -> None:
    """What ISO writes comes back to the microsecond, with and without offset."""
    assert list(parse(*(moment.isoformat() for moment in moments)).moments.tz_localize(None)) == moments
    assert list(parse(*(moment.isoformat(" ") + "+00:00" for moment in moments)).moments.tz_localize(None)) == moments


@given(
    st.lists(st.dates(dt.date(1901, 1, 1), dt.date(2199, 1, 1)), min_size=1, max_size=8),
    st.sampled_from(["%d/%m/%Y", "%m/%d/%Y"]),
)
def test_never_swaps_silently(dates: list[dt.date], form: str) -> None:
    """Dates written in one order are read in it or refused; never read in the other order."""
    found = parse(*(date.strftime(form) for date in dates))
    assert found.refused or [moment.date() for moment in found.moments] == dates


@given(st.lists(st.text(alphabet="0123456789-/:. TZJanFebPM+", min_size=1, max_size=20), min_size=1, max_size=5))
def test_any_text(words: list[str]) -> None:
    """Any text is a moment or is refused, and the order of words changes nothing."""
    found = parse(*words)
    assert bool(found.refused) == bool(found.moments.isna().any())
    assert iso(found) == iso(parse(*reversed(words)))[::-1]
