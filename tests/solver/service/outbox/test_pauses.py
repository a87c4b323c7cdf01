"""Pauses grow, are spread by chance, hear what was asked, and end."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from apportion.service.outbox import Pauses


@given(st.integers(1, 79), st.floats(0, 1))
def test_a_pause_is_between_half_and_the_whole(tries: int, chance: float) -> None:
    """5, 10, 20 ... seconds up to an hour, shorter by chance by up to half."""
    whole = min(3600.0, 5.0 * 2 ** (tries - 1))
    pause = Pauses().after(tries, chance=chance)
    assert pause is not None
    assert 0.5 * whole <= pause <= whole


def test_pauses_never_shrink_but_by_chance() -> None:
    """And all of them together last about three days."""
    pauses = [Pauses().after(tries, chance=0.5) or 0.0 for tries in range(1, 80)]
    assert all(later >= earlier for earlier, later in pairwise(pauses))
    assert 1.5 <= sum(pauses) / 86_400 <= 3.5


def test_the_other_end_is_never_called_sooner_than_it_asked() -> None:
    """Also where it asks for more than the longest pause."""
    assert Pauses().after(1, asked=7200.0, chance=1.0) == 7200.0
    assert Pauses().after(9, asked=1.0, chance=0.0) == 1280.0
    assert Pauses().after(1, asked=1e9) == 86_400.0, "no longer than a day"


def test_after_the_last_try_there_is_none() -> None:
    """A letter is dead then; a huge number of tries is no overflow."""
    assert Pauses(most_tries=3).after(3) is None
    assert Pauses(most_tries=10**6).after(10**5, chance=0.0) == 3600.0
