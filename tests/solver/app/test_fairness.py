"""The price of fairness: what the equity rules cost, between what bounds, and what is said of it."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from apportion import AssignmentProblem, LeadShare, MaxMin, OpportunityShare, RevenueShare, solve
from apportion.app.fairness import price_of_fairness
from apportion.reasons import Fairness
from tests.solver.oracle import best_plan

VALUE = np.array([[50.0, 20.0], [100.0, 20.0], [80.0, 60.0], [90.0, 10.0]])


def priced(equity: Any, *, value: Any = VALUE, gap: float = 0.0, seconds: float = 30.0, **arguments: Any) -> Fairness:
    problem = AssignmentProblem.from_arrays(value, capacity=[4.0, 4.0], equity=equity, **arguments)
    plan = solve(problem, gap=gap)
    found = price_of_fairness(problem, plan, gap=gap, seconds=seconds, seed=0)
    assert found is not None
    return found


def test_a_hard_rule_costs_what_the_best_plan_loses() -> None:
    """Half of the leads for each: 80 → 60 and 50 → 20 lost against 320, and that exactly."""
    found = priced([LeadShare(0.9, name="halves")])
    assert (found.without, found.objective) == (320.0, pytest.approx(270.0))
    assert (found.lost, found.given_up, found.paid) == (pytest.approx(50.0), pytest.approx(50.0), 0.0)
    assert found.least == pytest.approx(50.0) == found.most
    assert found.part == pytest.approx(50.0 / 320.0)
    assert (found.revenue, found.revenue_without) == (270.0, 320.0)
    [told] = found.words("EUR")
    assert told == (
        "The equity rule “halves” costs 50 EUR (16 %): without it the best plan that was found is worth 320 EUR. "
        "By the gaps of both plans the true cost lies between 50 EUR and 50 EUR."
    )


def test_a_soft_rule_costs_what_is_given_up_and_what_is_still_missing() -> None:
    """At 22 for each missing lead one lead moves at 20, the next would cost 30: 20 given up, and one still missing."""
    found = priced([LeadShare(1.0, price=22.0, name="halves")])
    assert found.given_up == pytest.approx(20.0)
    assert found.paid == pytest.approx(22.0)
    assert found.lost == pytest.approx(42.0)
    assert len(found.words("EUR")) == 2
    assert (
        "20 EUR is given up for more even shares, and 22 EUR is the price of what is still missing"
        in (found.words("EUR")[1])
    )


def test_no_rule_says_nothing() -> None:
    """Where there is no equity rule there is no price of it."""
    problem = AssignmentProblem.from_arrays(VALUE, capacity=[4.0, 4.0])
    assert price_of_fairness(problem, solve(problem), gap=0.0, seconds=9.0, seed=0) is None


def test_a_rule_that_does_not_bind_costs_nothing() -> None:
    """Said so, and not as an interval from zero to zero."""
    found = priced([RevenueShare(0.0, 9.0, name="wide")])
    assert found.words("EUR") == ("The equity rule “wide” costs nothing here: without it no plan is worth more.",)


def test_time_that_is_used_up_is_told() -> None:
    """No second solve after the limit: the reason stands in its place, and JSON has null for what is not known."""
    found = priced([LeadShare(0.9, name="halves")], seconds=0.0)
    assert found.words("EUR") == (
        "What equity (“halves”) costs was not worked out: the time limit was used up by the plan itself.",
    )
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["lost"] is None and document["rules"] == ["halves"]


@pytest.mark.parametrize("seed", range(15))
def test_the_interval_holds_whatever_the_gap(seed: int) -> None:
    """By brute force: the best without the rules less the best with them lies between least and most, also when both
    searches stop early."""
    rng = np.random.default_rng(seed)
    value = rng.uniform(0.0, 100.0, (5, 3))
    rule: Any = [
        LeadShare(float(rng.uniform(0.3, 1.0)), price=float(rng.uniform(1, 60))),
        OpportunityShare(float(rng.uniform(0.1, 0.8)), price=float(rng.uniform(0.1, 2))),
        RevenueShare(0.2, 2.0),
        MaxMin(0.9),
    ][seed % 4]
    problem = AssignmentProblem.from_arrays(value, capacity=[2.0, 3.0, 2.0], equity=[rule])
    plan = solve(problem, gap=0.3)
    if not plan.status.has_plan:
        return
    found = price_of_fairness(problem, plan, gap=0.3, seconds=30.0, seed=0)
    assert found is not None and not found.skipped
    best, free = best_plan(problem), best_plan(problem.replace(equity=()))
    assert best is not None and free is not None
    truth = free[1] - best[1]
    assert found.least - 1e-6 <= truth <= found.most + 1e-6
    assert found.least <= found.lost <= found.most
    assert found.without <= free[1] + 1e-6 <= found.without_bound + 2e-6
    assert found.lost == pytest.approx(found.given_up + found.paid, abs=1e-6)


def test_a_soft_max_min_is_measured_by_what_the_plan_is_worth() -> None:
    """Its reward is not money that another plan could earn: the cost is what is given up, never less than nothing."""
    found = priced([MaxMin(price=5.0, name="worst")])
    assert found.objective == pytest.approx(found.without - found.given_up)
    assert found.lost == pytest.approx(found.given_up) and found.lost > 0
    assert found.least == 0.0 and found.paid == 0.0
    assert math.isfinite(found.most)
