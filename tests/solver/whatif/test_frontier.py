"""Frontier and sensitivity: fairness never pays, capacity never harms, and regret is never negative."""

from __future__ import annotations

import numpy as np
import pytest

from apportion.whatif import compare
from apportion.whatif.compare import Outcome
from apportion.whatif.compare.solving import Effort, Solver
from apportion.whatif.frontier import MEANINGS, capacity_curve, equity_frontier, marginal_values, sensitivity
from apportion_models.errors import UsageError
from tests.solver.whatif.settings import QUICK, small

EFFORT = Effort(gap=0.2, time_limit=3.0, seed=0)


@pytest.fixture(scope="module")
def base() -> Outcome:
    return compare(small(), [], QUICK).base


def test_a_tighter_floor_is_never_worth_more(base: Outcome) -> None:
    """Worth falls, the floor is kept, and the price of fairness lies between what the gaps leave open."""
    points = equity_frontier(base, Solver(EFFORT), floors=(0.3, 0.6, 0.8)).points
    known = points[points["worth"].notna()]
    assert (np.diff(known["worth"]) <= 1e-6).all()
    assert (known["worst_off_share"] >= known["at"] - 1e-6).all()
    assert (known["price_low"] <= known["price"] + 1e-6).all()
    assert (known["price"] <= known["price_high"] + 1e-6).all()
    assert (known["worth"] <= known["bound"] + 1e-6).all()
    assert known["price"].iloc[0] == 0.0


def test_the_frontier_refuses_what_it_does_not_know(base: Outcome) -> None:
    """An unknown rule and a floor beyond 1 are told of."""
    with pytest.raises(UsageError, match="fair offer"):
        equity_frontier(base, Solver(EFFORT), rule="nobody")
    with pytest.raises(UsageError, match="from 0 to 1"):
        equity_frontier(base, Solver(EFFORT), floors=(1.5,))


def test_capacity_is_measured_against_what_there_is(base: Outcome) -> None:
    """At a factor of 1 the point is the base itself; half the capacity places no more leads."""
    points = capacity_curve(base, Solver(EFFORT), factors=(0.2, 1.0, 2.0)).points.set_index("at")
    assert points.loc[1.0, "price"] == 0.0
    assert points.loc[1.0, "worth"] == base.plan.objective
    assert points.loc[0.2, "placed"] <= points.loc[1.0, "placed"]


def test_one_more_is_told_for_each_territory(base: Outcome) -> None:
    """A slot and a rep for each territory, by prices, by plans, and with what it is worth at least and at most."""
    table = marginal_values(base, Solver(EFFORT), slots=2.0)
    assert set(zip(table["territory"], table["what"], strict=True)) == {
        (territory, what) for territory in ("dach", "rest") for what in ("one more slot", "one more rep")
    }
    assert (table["low"] <= table["by_plans"]).all() and (table["by_plans"] <= table["high"]).all()
    assert (table.loc[table["what"] == "one more slot", "by_prices"] >= 0).all()
    assert set(table["meaning"]) <= set(MEANINGS.values())


def test_a_wrong_fit_costs_no_less_than_nothing(base: Outcome) -> None:
    """Regret is never negative; the belief that there is costs nothing."""
    table = sensitivity(base, Solver(EFFORT), shrinks=(0.0, 1.0), draws=1).beliefs
    assert (table["regret"] >= 0).all()
    assert table["regret"].iloc[0] == 0.0
    assert len(table) == 3
