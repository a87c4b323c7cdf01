from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import enlarge, pytest_collection_modifyitems


@pytest.mark.parametrize(("size", "cases"), [("full", 70), ("quick", 7)])
def test_full_size_tries_ten_times_as_many_cases(size: str, cases: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """APPORTION_TEST_SIZE=full multiplies a property's cases by ten, once for all its parameters; else none change."""
    seen = []

    @settings(max_examples=7, database=None)
    @given(number=st.integers())
    def rule(number: int) -> None:
        seen.append(number)

    monkeypatch.setenv("APPORTION_TEST_SIZE", size)
    pytest_collection_modifyitems([SimpleNamespace(obj=rule), SimpleNamespace(obj=rule), SimpleNamespace()])
    rule()
    assert len(seen) == cases


def test_tests_without_settings_stay() -> None:
    """A test that is no property is left as it is."""

    def plain() -> None: ...

    before = dict(vars(plain))
    enlarge([SimpleNamespace(obj=plain)])
    assert vars(plain) == before
