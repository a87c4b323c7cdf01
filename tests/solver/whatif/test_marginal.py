"""One more slot, one more rep: what is said holds against exact solves of both problems."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from apportion import solve
from apportion.problem import AssignmentProblem
from apportion.whatif import Setting, compare, load_scenario
from apportion.whatif.compare import Interval, Outcome
from apportion.whatif.compare.solving import Effort, Solver
from apportion.whatif.frontier import MEANINGS, marginal_values
from apportion.whatif.scenarios import apply
from tests.solver.whatif.settings import QUICK, reps_of, small

marginal = importlib.import_module("apportion.whatif.frontier.marginal")
SCARCE = {"change": {rep: {"capacity": 1} for rep in ("R01", "R02", "R03", "R04", "R05", "R06")}}
FREE = {"drop": ["fair offer"]}
EVEN = {"name": "e", "measure": "leads", "low": 0.4, "price": "hard"}
VARIANTS: dict[str, dict[str, Any]] = {
    "roomy": {"policy": FREE},
    "scarce": {"reps": SCARCE, "policy": FREE},
    "capped": {"reps": SCARCE, "policy": FREE | {"add": {"limits": [{"name": "few", "by": "team", "high": 2}]}}},
    "shared": {"reps": SCARCE, "policy": {"set": {"equity": [EVEN]}}},
    "overtime": {"reps": SCARCE, "policy": FREE | {"set": {"capacity.overtime": {"share": 0.5, "price": 20}}}},
    "nurture": {"reps": SCARCE, "policy": FREE | {"set": {"nurture.value": 900}}},
}  # fmt: skip


def setting(name: str) -> Setting:
    content = VARIANTS[name]
    if "reps" in content:
        assert set(content["reps"]["change"]) == set(reps_of(small()))
    fewer = {"leads": {"grow": [{"when": "true", "by": -0.75}]}}  # ten leads: exact solves of a moment
    return apply(load_scenario({"name": name, **content, **fewer}), small())


@cache
def outcome(name: str, gap: float) -> Outcome:
    return compare(setting(name), [], replace(QUICK, gap=gap)).base


def best(problem: AssignmentProblem) -> float:
    plan = solve(problem, gap=0.0, time_limit=20.0)
    assert plan.bound - plan.objective <= 1e-6 * abs(plan.objective)
    return float(plan.objective)


def exact_gains(base: Outcome) -> list[float]:
    """For each trial, in the order of the table: the best worth with it less the best worth without."""
    ground = best(base.solved.problem)
    trials = [
        trial
        for name, reps in marginal._crews(base)
        for trial in (marginal._more(base, name, reps, 1.0), marginal._hire(base, name, reps))
    ]
    return [best(trial.problem) - ground for trial in trials]


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("finer", [False, True], ids=["as asked", "finer"])
def test_the_interval_holds_the_exact_gain(name: str, finer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the gap: low <= exact <= high, and "a gain", "a loss" and "nothing" are so."""
    if not finer:
        monkeypatch.setattr(marginal, "FINE_PAIRS", 0)
    base = outcome(name, 0.05)
    table = marginal_values(base, Solver(Effort(gap=0.05, time_limit=20.0, seed=0)), workers=1)
    least = 1e-6 * abs(base.plan.objective)
    for row, exact in zip(table.to_dict(orient="records"), exact_gains(base), strict=True):
        assert row["low"] - least <= exact <= row["high"] + least, row
        assert row["low"] - least <= row["by_plans"] <= row["high"] + least, row
        if row["meaning"] == MEANINGS["more"]:
            assert exact > 0
        if row["meaning"] == MEANINGS["nothing"]:
            assert abs(exact) <= least
        assert row["meaning"] != MEANINGS["less"] or exact < 0


@pytest.mark.parametrize("name", VARIANTS)
def test_no_gain_is_larger_than_its_price_says(name: str) -> None:
    """The best worth rises by no more than by prices, and what the prices leave open of the base."""
    base = outcome(name, 0.05)
    table = marginal_values(base, Solver(Effort(gap=0.05, time_limit=20.0, seed=0)), workers=1)
    left_open = marginal._proved(base) - best(base.solved.problem)
    assert left_open >= -1e-6
    gains = np.array(exact_gains(base))
    assert (gains <= table["by_prices"] + left_open + 1e-6).all()


def test_what_is_said_follows_from_the_interval() -> None:
    """Clear of zero it is a gain or a loss; zero alone is nothing; else it is not distinguishable."""
    ground = marginal._Known.of(outcome("scarce", 0.05).solved)
    said = [
        marginal._meaning(Interval(value=value, low=low, high=high), ground)
        for low, value, high in [(1, 2, 3), (-3, -2, -1), (0, 0, 0), (-1, 0, 9), (0, 0, 9), (np.nan, np.nan, np.nan)]
    ]
    assert said == ["more", "less", "nothing", "unclear", "unclear", "no plan"]


def test_where_it_pays_a_finer_gap_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two solves to 20 % cannot say what a slot is worth; where the problem is small, finer ones are asked and can."""
    asked: list[float] = []
    before = Solver.finer
    monkeypatch.setattr(Solver, "finer", lambda self, gap: asked.append(gap) or before(self, gap))
    base, solver = outcome("shared", 0.2), Solver(Effort(gap=0.2, time_limit=20.0, seed=0))
    finer = marginal_values(base, solver, workers=1)
    assert MEANINGS["unclear"] not in set(finer.loc[finer["what"] == "one more slot", "meaning"])
    if asked:
        assert 0 < asked[0] < 0.2
    monkeypatch.setattr(marginal, "FINE_PAIRS", 0)
    count = len(asked)
    coarse = marginal_values(base, solver, workers=1)
    assert len(asked) == count
    assert (coarse["low"] <= finer["low"] + 1e-6).all() and (coarse["high"] >= finer["high"] - 1e-6).all()


def test_a_slot_is_given_whole() -> None:
    """Shared out among reps it would make no whole lead for anybody: here one rep is told who gets it."""
    base = outcome("scarce", 0.05)
    table = marginal_values(base, Solver(Effort(gap=0.05, time_limit=20.0, seed=0)), workers=1)
    prices = dict(zip(base.solved.problem.rep_ids, base.plan.prices.capacity, strict=True))
    for row in table[table["what"] == "one more slot"].to_dict(orient="records"):
        assert prices[row["like"]] == max(prices.values())
        assert row["high"] > 0


def test_more_slots_are_told_each() -> None:
    """Of two slots each is worth no more than one alone, by prices exactly as much."""
    base, solver = outcome("scarce", 0.05), Solver(Effort(gap=0.05, time_limit=20.0, seed=0))
    one, two = (marginal_values(base, solver, slots=count, workers=1) for count in (1.0, 2.0))
    slot = one["what"] == "one more slot"
    np.testing.assert_allclose(one.loc[slot, "by_prices"], two.loc[slot, "by_prices"], rtol=1e-6)
    assert (two.loc[slot, "by_plans"] <= one.loc[slot, "by_plans"] + 1e-6).all()


def test_workers_change_nothing() -> None:
    """One thread or three: the same table."""
    base = outcome("scarce", 0.05)
    tables = [marginal_values(base, Solver(Effort(gap=0.05, time_limit=20.0, seed=0)), workers=n) for n in (1, 3)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
