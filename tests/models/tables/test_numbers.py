from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion_models.tables.numbers import Numbers, parse_numbers


def parse(*words: str, decimal: str | None = None, dot_is_decimal: bool = False) -> Numbers:
    return parse_numbers(pa.array(words, pa.string()), decimal=decimal, dot_is_decimal=dot_is_decimal)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1.234,56", 1234.56),
        ("1,234.56", 1234.56),
        ("1 234,56", 1234.56),
        ("1'234.5", 1234.5),
        ("1,234,567", 1234567.0),
        ("1.234.567", 1234567.0),
        ("12,34,567.00", 1234567.0),
        ("€ 1.200,00", 1200.0),
        ("USD 5k", 5000.0),
        ("85%", 0.85),
        ("85,5 %", 0.855),
        ("(1,234.50)", -1234.5),
        ("-5", -5.0),
        ("−5", -5.0),
        ("5-", -5.0),
        ("-€5", -5.0),
        ("€-5", -5.0),
        ("0,125", 0.125),
        ("0.125", 0.125),
        ("+7", 7.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5E-2", 0.015),
        ("R$ 12,50", 12.5),
        ("12 kr", 12.0),
        ("12,50 zł", 12.5),
        ("1 234 567", 1234567.0),
    ],
)
def test_one_word_alone(word: str, value: float) -> None:
    """A number that can be read in one way only is read, however it is written."""
    found = parse(word)
    assert not found.refused
    assert found.values[0] == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "word",
    [
        "abc",
        "12abc",
        "1.2.3",
        "1,23,4",
        "1 23",
        "--5",
        "(5",
        "5)",
        "(-5)",
        "1e400",
        "inf",
        "Infinity",
        "0x10",
        "5m",
        "5 XXX",
        "١٢",
        ".",
        ",",
        "1_000",
        "=1+1",
        "1-2",
        "€",
        "5%%",
        "1 234 56",
    ],
)
def test_no_number(word: str) -> None:
    """What is no number is refused, and gives no value."""
    found = parse(word)
    assert len(found.refused) == 1
    assert np.isnan(found.values[0])


@pytest.mark.parametrize("word", ["1,234", "1.234", "€ 1.200", "-1,234", "999,999"])
def test_ambiguous_alone_is_refused(word: str) -> None:
    """A column whose sign could be a decimal or stand between thousands is refused, with the key that settles it."""
    (said,) = parse(word).refused
    assert "`decimal`" in said[2]
    assert np.isnan(parse(word).values[0])


@pytest.mark.parametrize(
    ("other", "word", "value"),
    [
        ("1,5", "1,234", 1.234),
        ("1.5", "1,234", 1234.0),
        ("2,345,678", "1,234", 1234.0),
        ("0,250", "1,234", 1.234),
        ("2.345.678", "1,234", 1.234),
        ("1,5", "1.234", 1234.0),
        ("1 000,5", "1,234", 1.234),
    ],
)
def test_other_values_settle(other: str, word: str, value: float) -> None:
    """What a word alone leaves open, another value of the column settles; their order does not matter."""
    assert parse(word, other).values[0] == value
    assert parse(other, word).values[1] == value


@pytest.mark.parametrize(("decimal", "value"), [(".", 1234.0), (",", 1.234)])
def test_mapping_settles(decimal: str, value: float) -> None:
    """The mapping's `decimal` settles what the data leaves open."""
    assert parse("1,234", decimal=decimal).values[0] == value


def test_mapping_contradicted() -> None:
    """A value that contradicts the mapping's `decimal` is refused, not bent."""
    assert parse("1.5", decimal=",").refused
    assert parse("1,5", decimal=".").refused
    assert parse("1.234,5", decimal=".").refused


def test_two_ways_in_one_column() -> None:
    """Decimal points and decimal commas in one column are refused, naming one of each."""
    (said,) = parse("1,5", "3", "2.5").refused
    assert "1,5" in said[1] and "2.5" in said[1]
    assert said[0].tolist() == [True, False, True]


def test_dot_in_a_comma_separated_file() -> None:
    """Where commas separate the columns, a dot is the decimal point; that it could be otherwise is told."""
    found = parse("1.250", "2", dot_is_decimal=True)
    assert found.values.tolist() == [1.25, 2.0]
    assert found.told
    assert not parse("1.250", "2.5", dot_is_decimal=True).told
    assert parse("€ 1.250", dot_is_decimal=True).values.tolist() == [1.25]


def test_mixed_currencies() -> None:
    """Two currencies in one column are refused; a sign that a code shares is the same currency."""
    assert any("EUR" in said[1] and "USD" in said[1] for said in parse("€5", "USD 7", "3").refused)
    assert parse("$5", "CAD 7").currency == "CAD"
    assert parse("€5", "5 EUR", "5").currency == "EUR"
    assert not parse("€5", "5 EUR", "5").refused


def test_mixed_percent() -> None:
    """Percent beside plain numbers is refused: 0.5 and 50% cannot be told apart."""
    assert parse("50%", "0.5").refused


def test_all_bad_words_are_marked() -> None:
    """Every word that is no number is marked, whatever else the column has."""
    found = parse("€5", "x", "7", "y")
    assert found.refused[0][0].tolist() == [False, True, False, True]
    assert found.values[[0, 2]].tolist() == [5.0, 7.0]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_written_by_a_computer(numbers: list[float]) -> None:
    """What `repr` writes of a float comes back the same, bit for bit, from a comma-separated file."""
    found = parse(*(repr(number) for number in numbers), dot_is_decimal=True)
    assert found.values.tolist() == numbers


@given(st.lists(st.decimals(min_value=0, max_value=10**9, places=2), min_size=1))
def test_german_and_english_agree(numbers: list[object]) -> None:
    """The same amounts in German and in English writing give the same values: two decimals leave nothing open."""
    english = [f"{number:,}" for number in numbers]
    german = [word.translate(str.maketrans(",.", ".,")) for word in english]
    one, two = parse(*english), parse(*german)
    assert not one.refused and not two.refused
    assert one.values.tolist() == two.values.tolist() == [float(str(number)) for number in numbers]


@given(st.lists(st.text(alphabet="0123456789.,-+()%k€$ 'e", min_size=1, max_size=9), min_size=1, max_size=5))
def test_never_guesses(words: list[str]) -> None:
    """Any text is either a finite number or refused; nothing else, and no crash. The order of words changes nothing."""
    found = parse(*words)
    refused = np.zeros(len(words), dtype=bool)
    for mask, _, _ in found.refused:
        refused |= mask
    assert (np.isfinite(found.values) | bool(found.refused)).all()
    assert np.isfinite(found.values[~refused]).all() or found.refused
    turned = parse(*reversed(words))
    np.testing.assert_array_equal(found.values, turned.values[::-1])
