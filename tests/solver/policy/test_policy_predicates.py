"""Predicates: parsed from a whitelist, evaluated as a plain reading row by row would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.policy.predicates import PredicateError, Tables, holds, parse

AT = pd.Timestamp("2026-03-01", tz="UTC")
LEADS = pd.DataFrame(
    {
        "country": ["SE", None, "NO", "DE"],
        "postal_code": ["11320", "22", None, "Ö1"],
        "company_size": [10, np.nan, 60, 49.5],
        "product": ["x", "y", None, "z"],
        "tags": [("a", "b"), (), None, ("c",)],
        "urgent": [True, False, False, True],
        "created_at": pd.to_datetime(
            ["2026-01-01", "2026-02-27", None, "2026-02-01T12:00"], utc=True, format="ISO8601"
        ),
        "nothing": [None] * 4,
    }
)
REPS = pd.DataFrame({"level": ["senior", None], "skills": [("x",), ("x", "y")], "quota": [50.0, 5.0]})
TABLES = Tables(leads=LEADS, reps=REPS, at=AT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("country in ['SE', 'NO'] and company_size >= 50", "..x."),
        ("country == 'SE' or company_size < 50", "x..x"),
        ("country != 'SE'", "..xx"),
        ("not (country == 'SE')", "..xx"),
        ("country not in ['SE', 'NO']", "...x"),
        ("missing(country) or country != 'SE'", ".xxx"),
        ("known(country)", "x.xx"),
        ("missing(tags)", ".xx."),
        ("postal_code startswith '11'", "x..."),
        ("startswith(postal_code, ['11', '2'])", "xx.."),
        ("postal_code startswith 'Ö' and country == 'DE'", "...x"),
        ("postal_code endswith '20'", "x..."),
        ("not postal_code contains '2'", "...x"),
        ("10 <= company_size < 50", "x..x"),
        ("-company_size < -50", "..x."),
        ("company_size * 2 + 1 == 21", "x..."),
        ("company_size / 0 > 1", "...."),
        ("company_size / (company_size - 10) > 0", "..xx"),
        ("abs(company_size - 55) <= 5", "..x."),
        ("urgent", "x..x"),
        ("not urgent", ".xx."),
        ("urgent == false", ".xx."),
        ("'a' in tags", "x..."),
        ("has(tags, 'c')", "...x"),
        ("overlaps(tags, ['b', 'c'])", "x..x"),
        ("length(tags) == 0", ".x.."),
        ("lower(country) == 'se' or upper(product) == 'Y'", "xx.."),
        ("created_at >= '2026-02-01'", ".x.x"),
        ("created_at < date('2026-02-01')", "x..."),
        ("days_since(created_at) > 28", "x..."),
        ("hours_since(created_at) <= 48", ".x.."),
        ("days_until(created_at) > -3", ".x.."),
        ("weekday(created_at) == 7 and hour(created_at) == 12", "...x"),
        ("month(created_at) == 2 and created_at < now", ".x.x"),
        ("nothing == 3 or nothing == 'x' or nothing", "...."),
        ("not (nothing startswith 'x')", "...."),
        ("true", "xxxx"),
        ("false", "...."),
        ("lead.country == 'SE'", "x..."),
        ("country == 'SE'\n  and company_size == 10", "x..."),
    ],
)
def test_truth_of_a_lead_predicate(text: str, expected: str) -> None:
    """Each construct of the language holds exactly where reading it by hand says so."""
    assert "".join("x" if hit else "." for hit in holds(parse(text, scope="lead"), TABLES)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("has(rep.skills, lead.product)", ["xx", ".x", "..", ".."]),
        ("product in rep.skills", ["xx", ".x", "..", ".."]),
        ("rep.level == 'senior' and company_size > 5", ["x.", "..", "x.", "x."]),
        ("company_size > rep.quota", [".x", "..", "xx", ".x"]),
        ("rep.level != country", ["x.", "..", "x.", "x."]),
        ("rep.quota > 10", ["x.", "x.", "x.", "x."]),
    ],
)
def test_truth_of_a_pair_predicate(text: str, expected: list[str]) -> None:
    """A predicate over pairs is (L, R); a bare column is the lead's."""
    found = holds(parse(text, scope="pair"), TABLES)
    assert ["".join("x" if hit else "." for hit in row) for row in found] == expected


def test_bare_columns_of_a_rep_predicate() -> None:
    """In a rule over reps a bare column is the rep's, and no lead is needed."""
    found = holds(parse("level == 'senior'", scope="rep"), Tables(reps=REPS, at=AT))
    assert found.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("contry == 'SE'", ["no column 'contry'", "Did you mean country?", "character 1"]),
        ("country == 'SE' and contry == 'SE'", ["character 21"]),
        ("country = 'SE'", ["'=' is not known", "Write ==", "character 9"]),
        ("country == 'Ö' and siz == 1", ["character 20"]),
        ("company_size == 'big'", ["`company_size` is a number, and `'big'` is a text", "without quotes"]),
        ("country > 5", ["`country` is a text, and `5` is a number"]),
        ("country < 'SE'", ["no order"]),
        ("country", ["neither true nor false"]),
        ("company_size and urgent", ["neither true nor false"]),
        ("rep.level == 'x'", ["over leads alone"]),
        ("skills == 'x'", ["The reps have one"]),
        ("tags == 'a'", ["has(list, value)"]),
        ("country in 'SE'", ["must be followed by a list"]),
        ("created_at > 'soon'", ["`'soon'` is a text and no date", "2026-01-31"]),
        ("created_at > ''", ["no date"]),
        ("created_at > 'NaT'", ["no date"]),
        ("created_at > '9999999-01-01'", ["no date"]),
        ("created_at > country", ["`country` is a text and no date"]),
        ("created_at > date(country)", ["date must have a date"]),
        ("created_at > date('x')", ["date must have a date"]),
        ("created_at > 5", ["is a time", "is a number"]),
        ("has(country, 'x')", ["has must have a list"]),
        ("has(tags, (urgent == true))", ["a column or a single value"]),
        ("days_since(country) > 1", ["must have a time"]),
        ("lower(company_size) == 'x'", ["must have a text"]),
        ("country + 1 == 2", ["`country` must be a number"]),
        ("hass(country, 'x')", ["Did you mean has?"]),
        ("has(country)", ["must have 2 operands"]),
        ("country == None", ["missing(column)"]),
        ("country is None", ["missing(column)"]),
        ("country == ", ["cannot be", "can be read"][1:]),
        ("(country == 'x'", ["Close every bracket"]),
        ("country == 'x", ["quote"]),
        ("country && urgent", ["Write and."]),
        ("a$b", ["not understood", "character 2"]),
        ("!urgent", ["Write not."]),
        ("country == 'a\\d'", ["can be read"]),
        ("country == 'a\\'", ["A quote is not closed", "character 12"]),
        ("postal_code not startswith '1'", ["Write not (column startswith"]),
        ("", ["must not be empty"]),
        ("x == " + "1" * 400, ["can be compared"]),
        ("1" * 3000, ["at most 2000 characters"]),
        ("not " * 60 + "true", ["deeply nested"]),
        ("+".join(["company_size"] * 100) + " > 1", ["Too long"]),
        ("(" * 900 + "true" + ")" * 900, [""]),
    ],
)
def test_a_wrong_predicate_says_where_and_what_would_be_right(text: str, words: list[str]) -> None:
    """Whatever does not read or does not fit raises PredicateError with place and remedy."""
    with pytest.raises(PredicateError) as caught:
        holds(parse(text, scope="lead"), TABLES)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "country.__class__",
        "lead.country.upper()",
        "[x for x in 'abc']",
        "(lambda: 1)()",
        "{'a': 1}",
        "f'{country}'",
        "country[0]",
        "country if urgent else product",
        "(x := 5) > 3",
        "b'abc' == country",
        "1j > 0",
        "2 ** 99999999",
        "company_size % 2 == 0",
        "...",
        "*tags",
        "await country",
        "'a' 'b' @ country",
    ],
)
def test_nothing_but_the_language_is_accepted(text: str) -> None:
    """The whitelist refuses every other construct of Python, before anything is evaluated."""
    with pytest.raises(PredicateError):
        parse(text, scope="pair")


def test_a_column_of_mixed_kinds_is_refused() -> None:
    """A column that is text here and a number there has no meaning in a comparison."""
    tables = Tables(leads=pd.DataFrame({"odd": ["a", 1]}), at=AT)
    with pytest.raises(PredicateError, match="mixes number and text"):
        holds(parse("odd == 'a'", scope="lead"), tables)


def test_the_probe_finds_what_the_whole_table_would() -> None:
    """A probe of one entry refuses what the whole table refuses, and no more."""
    assert holds(parse("company_size > 5", scope="lead"), TABLES.probe()).shape == (1,)
    with pytest.raises(PredicateError):
        holds(parse("company_size == 'x'", scope="lead"), TABLES.probe())
    one = Tables(leads=LEADS.iloc[:1].assign(country="2026-01-01"), at=AT)
    for tables in (one, one.probe()):
        with pytest.raises(PredicateError, match="no date"):
            holds(parse("created_at > country", scope="lead"), tables)
    empty = Tables(leads=LEADS.iloc[:0], reps=REPS, at=AT)
    assert holds(parse("has(rep.skills, lead.product)", scope="pair"), empty).shape == (0, 2)
    assert holds(parse("country == 'SE'", scope="lead"), empty.probe()).shape == (1,)


Oracle = Callable[[dict[str, Any], dict[str, Any]], bool | None]
WORDS = ["a", "b", "ab", "", "Ö"]


def _both(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _known(test: Callable[..., bool], *operands: Callable[[dict[str, Any], dict[str, Any]], Any]) -> Oracle:
    def ask(lead: dict[str, Any], rep: dict[str, Any]) -> bool | None:
        values = [operand(lead, rep) for operand in operands]
        return None if any(value is None for value in values) else test(*values)

    return ask


def _of(side: str, name: str) -> Callable[[dict[str, Any], dict[str, Any]], Any]:
    return lambda lead, rep: (lead if side == "lead" else rep)[name]


NUMBERS = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b}


@st.composite
def _atom(draw: st.DrawFn) -> tuple[str, Oracle]:
    side = draw(st.sampled_from(["lead", "rep"]))
    kind = draw(
        st.sampled_from(["number", "between", "text", "texts", "in", "starts", "flag", "has", "cross", "missing"])
    )
    word, number = draw(st.sampled_from(WORDS)), draw(st.integers(-2, 2))
    op = draw(st.sampled_from(sorted(NUMBERS)))
    if kind == "number":
        return f"{side}.n {op} {number}", _known(lambda a: NUMBERS[op](a, number), _of(side, "n"))
    if kind == "between":
        return f"{number} <= {side}.n < lead.n + 1", lambda lead, rep: _both(
            _known(lambda a: number <= a, _of(side, "n"))(lead, rep),
            _known(lambda a, b: a < b + 1, _of(side, "n"), _of("lead", "n"))(lead, rep),
        )
    if kind == "text":
        return f"{side}.t == {word!r}", _known(lambda a: a == word, _of(side, "t"))
    if kind == "texts":
        return "lead.t != rep.t", _known(lambda a, b: a != b, _of("lead", "t"), _of("rep", "t"))
    if kind == "in":
        words = draw(st.lists(st.sampled_from(WORDS), max_size=3))
        return f"{side}.t in {words!r}", _known(lambda a: a in words, _of(side, "t"))
    if kind == "starts":
        return f"{side}.t startswith {word!r}", _known(lambda a: a.startswith(word), _of(side, "t"))
    if kind == "flag":
        return f"{side}.f", _of(side, "f")
    if kind == "has":
        return "has(rep.s, lead.t)", _known(lambda a, b: b in a, _of("rep", "s"), _of("lead", "t"))
    if kind == "cross":
        return f"lead.n * 2 {op} rep.n", _known(lambda a, b: NUMBERS[op](a * 2, b), _of("lead", "n"), _of("rep", "n"))
    return f"missing({side}.n)", lambda lead, rep: (lead if side == "lead" else rep)["n"] is None


def _grow(inner: st.SearchStrategy[tuple[str, Oracle]]) -> st.SearchStrategy[tuple[str, Oracle]]:
    def join(op: str, a: tuple[str, Oracle], b: tuple[str, Oracle]) -> tuple[str, Oracle]:
        if op == "and":
            return f"({a[0]}) and ({b[0]})", lambda x, y: _both(a[1](x, y), b[1](x, y))
        return f"({a[0]}) or ({b[0]})", lambda x, y: _not(_both(_not(a[1](x, y)), _not(b[1](x, y))))

    both = st.builds(join, st.sampled_from(["and", "or"]), inner, inner)
    return both | inner.map(lambda a: (f"not ({a[0]})", lambda x, y: _not(a[1](x, y))))


PREDICATES = st.recursive(_atom(), _grow, max_leaves=6)
ROW = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-3, 3).map(float),
        "t": st.none() | st.sampled_from(WORDS),
        "f": st.booleans(),
        "s": st.none() | st.lists(st.sampled_from(WORDS), max_size=2).map(tuple),
    }
)


@settings(max_examples=150, deadline=None)
@given(PREDICATES, st.lists(ROW, min_size=1, max_size=4), st.lists(ROW, min_size=1, max_size=4))
def test_the_columns_answer_as_the_rows_do(
    predicate: tuple[str, Oracle], leads: list[dict[str, Any]], reps: list[dict[str, Any]]
) -> None:
    """Column by column, with broadcasting, gives what plain Python gives row by row, in Kleene's logic."""
    text, oracle = predicate
    kinds = {"n": float, "t": object, "f": bool, "s": object}
    frames = [
        pd.DataFrame({k: pd.Series([row[k] for row in rows], dtype=kind) for k, kind in kinds.items()})
        for rows in (leads, reps)
    ]
    found = holds(parse(text, scope="pair"), Tables(leads=frames[0], reps=frames[1], at=AT))
    assert found.tolist() == [[oracle(lead, rep) is True for rep in reps] for lead in leads], text


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_no_text_does_harm(text: str) -> None:
    """Any text at all is a predicate, or a PredicateError; nothing else comes out."""
    try:
        parse(text, scope="pair")
    except PredicateError as error:
        assert 0 <= error.position <= len(error.text)
