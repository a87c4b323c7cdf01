"""The price of a slot of a rep who has none."""

from __future__ import annotations

import numpy as np
import pytest

from apportion import AssignmentProblem, OpportunityShare, solve


@pytest.mark.parametrize("seed", range(10))
def test_a_first_slot_costs_no_more_than_the_best_lead_would_bring(seed: int) -> None:
    """A rep without capacity is priced at what a first slot would bring at the other prices, not at any height."""
    rng = np.random.default_rng(seed)
    value = rng.lognormal(3, 1, (30, 4))
    problem = AssignmentProblem.from_arrays(value, capacity=[0, 6, 6, 6], equity=[OpportunityShare(0.5, price=2.0)])
    plan = solve(problem)
    assert 0.0 <= plan.prices[0] <= value[:, 0].max()
    opened = solve(problem.replace(capacity=[1, 6, 6, 6], equity=()))
    shut = solve(problem.replace(equity=()))
    assert shut.prices[0] == pytest.approx(opened.objective - shut.objective, rel=1e-6, abs=1e-6)
