"""Designs: drawn by hash, whole, right on average, and blind to the order of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion_models.errors import InputError
from apportion_models.experiment import Allocation, Design, allocate
from apportion_models.experiment.design import split_capacity
from tests.models.experiment.worlds import START, design

REPS = [f"R{i:02d}" for i in range(12)]
TEAMS: list[str | None] = [f"T{i % 4}" for i in range(12)]
UNITS = [f"account A{i // 2}" for i in range(400)]


def divided(
    made: Design, *, day: float = 0.5, units: list[str] | None = None, order: np.ndarray | None = None
) -> Allocation:
    order = np.arange(len(REPS)) if order is None else order
    return allocate(
        made,
        at=START + pd.Timedelta(days=day),
        units=UNITS if units is None else units,
        rep_ids=[REPS[i] for i in order],
        capacity=(np.arange(12) % 5 + 1.5)[order],
        teams=[TEAMS[i] for i in order],
    )


@pytest.mark.parametrize("kind", ["capacity_split", "switchback", "by_team"])
@pytest.mark.parametrize("arms", [2, 3])
def test_order_of_rows_changes_nothing(kind: str, arms: int) -> None:
    """Leads and reps in any order have the same arm, propensity and capacity."""
    made = design(kind, arms=arms)
    one = divided(made)
    leads, reps = np.random.default_rng(0).permutation(400), np.random.default_rng(1).permutation(12)
    other = divided(made, units=[UNITS[i] for i in leads], order=reps)
    assert np.array_equal(one.arm[leads], other.arm)
    assert np.array_equal(one.propensity[leads], other.propensity)
    assert np.allclose(one.capacity[:, reps], other.capacity)


@pytest.mark.parametrize("kind", ["capacity_split", "switchback", "by_team"])
@pytest.mark.parametrize("arms", [2, 3, 4])
def test_no_capacity_is_lost_or_used_twice(kind: str, arms: int) -> None:
    """The arms' capacities add up to the reps', in every window."""
    made = design(kind, arms=arms)
    for window in range(8):
        found = divided(made, day=window + 0.5)
        assert np.allclose(found.capacity.sum(axis=0), np.arange(12) % 5 + 1.5)
        assert (found.capacity >= 0).all() and found.window == window


def test_leads_of_one_unit_stay_together() -> None:
    """Two leads of an account are in one arm; in another block the account is drawn anew."""
    found = [divided(design(), day=day + 0.5).arm for day in range(2)]
    assert all(np.array_equal(arm[::2], arm[1::2]) for arm in found)
    assert not np.array_equal(found[0], found[1])


def test_shares_hold_on_average() -> None:
    """Over many units and windows each arm has its share of leads, and each rep its share of capacity."""
    made = Design(kind="capacity_split", arms=("a", "b"), start=START, salt="x", shares=(0.7, 0.3))
    found = [divided(made, day=day + 0.5) for day in range(200)]
    arm = np.concatenate([one.arm for one in found])
    assert arm.mean() == pytest.approx(0.3, abs=0.015)
    capacity = np.mean([one.capacity for one in found], axis=0)
    assert np.allclose(capacity[1], 0.3 * capacity.sum(axis=0), atol=0.12)
    assert set(np.unique(found[0].propensity)) == {0.7, 0.3}
    assert np.array_equal(found[0].propensity, np.where(found[0].arm == 1, 0.3, 0.7))


@settings(max_examples=60, deadline=None)
@given(
    capacity=st.lists(st.floats(0, 40), min_size=1, max_size=30),
    share=st.floats(0.05, 0.95),
    window=st.integers(0, 50),
)
def test_capacity_is_split_in_whole_units(capacity: list[float], share: float, window: int) -> None:
    """Each arm gets the floor or the ceiling of its share of a rep's whole units, and is right to one unit in total."""
    made = Design(kind="capacity_split", arms=("a", "b"), start=START, salt="x", shares=(share, 1 - share))
    room = np.array(capacity)
    split = split_capacity(made, window, rep_ids=[f"r{i}" for i in range(len(room))], capacity=room)
    whole = np.floor(room + 1e-9)
    rest = np.maximum(room - whole, 0)
    units = split[0] - share * rest
    assert np.allclose(units, np.round(units), atol=1e-6)
    assert (np.abs(units - share * whole) < 1 + 1e-6).all()
    assert abs(units.sum() - share * whole.sum()) < 1 + 1e-6
    assert np.allclose(split.sum(axis=0), room)


@pytest.mark.parametrize("arms", [2, 3])
def test_a_switchback_gives_each_arm_one_window_a_block(arms: int) -> None:
    """In each block every arm has one window with all capacity; which one is first differs from block to block."""
    made = design("switchback", arms=arms)
    order = np.array([made.window_arm(window) for window in range(60 * arms)]).reshape(60, arms)
    assert (np.sort(order, axis=1) == np.arange(arms)).all()
    first = np.bincount(order[:, 0], minlength=arms)
    assert (first > 60 / arms / 2).all()


@pytest.mark.parametrize("arms", [2, 3])
def test_each_team_works_for_each_arm_once_a_block(arms: int) -> None:
    """By team: in a block each team has every arm once, teams are spread evenly, and leads follow the capacity."""
    made = design("by_team", arms=arms)
    names = [f"T{i}" for i in range(7)]
    for block in range(5):
        turns = [made.team_arms(block * arms + place, names) for place in range(arms)]
        assert all(sorted(turn[name] for turn in turns) == list(range(arms)) for name in names)
        counts = np.bincount(list(turns[0].values()), minlength=arms)
        assert counts.max() - counts.min() <= 1
    found = divided(made)
    room = found.capacity.sum(axis=1)
    assert np.allclose(found.propensity, (room / room.sum())[found.arm])


def test_moments_before_the_start_and_too_few_teams_are_refused() -> None:
    """A batch before the start, and fewer teams than arms, are answered with what would be right."""
    with pytest.raises(InputError, match="starts at"):
        divided(design(), day=-0.1)
    with pytest.raises(InputError, match="as many teams as arms"):
        allocate(design("by_team"), at=START, units=["u"], rep_ids=["a", "b"], capacity=np.ones(2), teams=["t", "t"])


def test_one_lead_one_rep_and_nothing_at_all() -> None:
    """The smallest batches have an answer."""
    one = allocate(design(), at=START, units=["u"], rep_ids=["a"], capacity=np.ones(1))
    assert one.arm.shape == (1,) and one.capacity.sum() == 1
    none = allocate(design(), at=START, units=[], rep_ids=["a"], capacity=np.zeros(1))
    assert none.arm.shape == (0,) and none.capacity.shape == (2, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"arms": ("a",)},
        {"arms": ("a", "a")},
        {"arms": tuple("abcde")},
        {"shares": (0.5, 0.6)},
        {"shares": (1.0, 0.0)},
        {"kind": "by_lead"},
        {"window_days": 0.0},
        {"windows_per_block": 0},
        {"kind": "switchback", "shares": (0.3, 0.7)},
        {"start": pd.Timestamp("2025-01-01")},
    ],
)
def test_a_design_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    """Each fault is named. Drawing lead by lead without splitting capacity is no design: it is 56 % off."""
    given = {"kind": "capacity_split", "arms": ("a", "b"), "start": START, "salt": "s", **wrong}
    with pytest.raises(InputError):
        Design(**given)  # type: ignore[arg-type]
