from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion_models.features.columns import (
    CategoryCoder,
    NumberCoder,
    coder_from_state,
    learn_coder,
    numbers,
    texts,
)


def learn(values: object, *, min_count: int = 1) -> object:
    return learn_coder(pd.DataFrame({"c": values}), "c", max_levels=5, min_count=min_count)[0]


def test_number_is_standardised_and_missing_is_the_mean() -> None:
    """A number becomes mean 0 and deviation 1; a missing one sits at the mean and is marked."""
    coder = learn([1.0, 2.0, 3.0, np.nan])
    assert isinstance(coder, NumberCoder) and coder.missing and not coder.log
    coded, missing = coder.encode(pd.DataFrame({"c": [2.0, np.nan, 1e9, -np.inf]}))
    assert coded.tolist() == [0.0, 0.0, 4.0, 0.0]
    assert missing.tolist() == [False, True, False, True]


def test_heavy_tail_is_taken_on_the_log_scale() -> None:
    """Revenue-like numbers are logged, so that one giant does not rule; negative numbers never are."""
    tail = np.exp(np.random.default_rng(0).normal(10, 2, 500))
    coder = learn(tail)
    assert isinstance(coder, NumberCoder) and coder.log
    negative = learn(-tail)
    assert isinstance(negative, NumberCoder) and not negative.log
    assert np.isfinite(coder.encode(pd.DataFrame({"c": [-5.0]}))[0]).all()


@pytest.mark.parametrize("values", [[1.0, 1.0], [np.nan, np.nan], ["a", "a"], [None, None], [True, True]])
def test_constant_or_empty_columns_have_no_coder(values: list[object]) -> None:
    """A column that never varies is no feature."""
    assert learn(values) is None


def test_levels_rare_new_and_missing() -> None:
    """Rare and new levels share a code, missing has its own."""
    coder = learn(["a"] * 5 + ["b"] * 4 + ["rare", None], min_count=2)
    assert isinstance(coder, CategoryCoder)
    assert coder.labels == ["a", "b", "(other)", "(missing)"]
    assert coder.encode(pd.DataFrame({"c": ["b", "rare", "new", None, " a "]})).tolist() == [1, 2, 2, 3, 0]


def test_new_and_missing_without_a_precedent_count_as_average() -> None:
    """Where the history had neither, a new level and a missing one say nothing."""
    coder = learn(["a", "b"] * 5)
    assert isinstance(coder, CategoryCoder)
    assert coder.encode(pd.DataFrame({"c": ["new", None]})).tolist() == [-1, -1]
    assert coder.encode(pd.DataFrame({"other": [1, 2]})).tolist() == [-1, -1]


def test_ties_between_levels_break_by_name() -> None:
    """Levels of equal frequency are ordered by name, whatever the order of rows."""
    one, two = learn(["b", "a", "c", "c"]), learn(["c", "a", "b", "c"])
    assert one == two


def test_free_text_is_refused_with_a_reason() -> None:
    """A column with a value of its own on nearly every row is read as text."""
    table = pd.DataFrame({"c": [f"note {i}" for i in range(60)]})
    coder, why = learn_coder(table, "c", max_levels=5, min_count=1)
    assert coder is None and why is not None and "free text" in why


def test_lists_and_flags_are_categories() -> None:
    """A list counts as the set of its parts, a flag as two levels."""
    assert texts(pd.DataFrame({"c": [("b", "a"), ("a", "b"), ()]}), "c").tolist()[:2] == ["a;b", "a;b"]
    flag = learn([True, False, True])
    assert isinstance(flag, CategoryCoder) and flag.levels == ("True", "False")


def test_lists_without_a_hash_are_read_too() -> None:
    """A table read elsewhere may hold lists in place of tuples."""
    assert texts(pd.DataFrame({"c": [["b", "a"], ("a", "b"), None]}), "c").tolist()[:2] == ["a;b", "a;b"]


def test_huge_numbers_stay_finite() -> None:
    """Numbers near the end of the range are coded without overflow."""
    coder = learn([1e300, -1e300, 0.0, 5.0])
    assert isinstance(coder, NumberCoder) and np.isfinite(coder.encode(pd.DataFrame({"c": [1e308, -1e308]}))[0]).all()


def test_numbers_of_odd_things() -> None:
    """What is no finite number is missing."""
    assert np.isnan(numbers(pd.DataFrame({"c": ["x", None, np.inf]}), "c")).all()
    assert np.isnan(numbers(pd.DataFrame({"d": [1]}), "c")).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=30)
    | st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=64)), min_size=1, max_size=30)
)
def test_every_coder_survives_json_and_answers_for_every_value(values: list[object]) -> None:
    """A coder from JSON codes like the one it came from, in range and finite."""
    table = pd.DataFrame({"c": pd.Series(values, dtype=object if any(isinstance(v, str) for v in values) else None)})
    with np.errstate(over="ignore", invalid="ignore"):
        coder, _ = learn_coder(table, "c", max_levels=5, min_count=1)
    if coder is None:
        return
    again = coder_from_state(json.loads(json.dumps(coder.state(), allow_nan=False)))
    assert again == coder
    coded = coder.encode(table)
    if isinstance(coder, CategoryCoder):
        assert coded.min() >= -1 and coded.max() < coder.width  # type: ignore[union-attr]
    else:
        assert np.isfinite(coded[0]).all()
