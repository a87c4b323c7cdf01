from __future__ import annotations

from types import SimpleNamespace
from typing import Any

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
    config: Any = SimpleNamespace(getoption=lambda name: "slow")
    pytest_collection_modifyitems(config, [SimpleNamespace(obj=rule), SimpleNamespace(obj=rule), SimpleNamespace()])
    rule()
    assert len(seen) == cases


def test_tests_without_settings_stay() -> None:
    """A test that is no property is left as it is."""

    def plain() -> None: ...

    before = dict(vars(plain))
    enlarge([SimpleNamespace(obj=plain)])
    assert vars(plain) == before


@pytest.mark.parametrize(("asked", "waits"), [("", True), ("slow", False), ("not slow", False)])
def test_what_is_slow_waits_until_it_is_asked_for(asked: str, waits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without -m a slow test is skipped, and any other runs."""
    monkeypatch.delenv("APPORTION_TEST_SIZE", raising=False)
    marked: list[str] = []

    def item(name: str, slow: bool) -> Any:
        mark = SimpleNamespace() if slow else None
        return SimpleNamespace(get_closest_marker=lambda _: mark, add_marker=lambda _: marked.append(name))

    config: Any = SimpleNamespace(getoption=lambda name: asked)
    pytest_collection_modifyitems(config, [item("long", True), item("short", False)])
    assert marked == (["long"] if waits else [])
