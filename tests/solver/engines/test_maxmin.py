"""Hard max-min: the bound on the worst-off group that the certificate states is proved, or it is not stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from apportion import AssignmentProblem, MaxMin, Status, solve
from apportion.engines.formulate import formulate
from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import no_prices, price_out
from apportion.engines.maxmin import solve_max_min
from apportion.engines.outcome import Outcome
from tests.solver.oracle import best_plan, worst_off
from tests.solver.random_problems import with_rule


def test_the_bound_on_the_worst_off_is_a_bound() -> None:
    """No plan that keeps enough has a worst-off group above the certificate's bound."""
    told = 0
    for seed in range(25):
        problem = with_rule(seed, "max_min_hard")
        plan, best = solve(problem, gap=0), best_plan(problem)
        rule = next(rule for rule in problem.rules if isinstance(rule, MaxMin))
        if best is None or plan.certificate.worst_off_bound is None:
            continue
        told += 1
        level = worst_off(problem, rule, best[0].tolist())
        assert plan.certificate.worst_off is not None
        assert plan.certificate.worst_off <= plan.certificate.worst_off_bound
        assert plan.certificate.worst_off_bound >= level - 1e-9 * (1 + abs(level))
    assert told > 10


def test_a_floor_that_was_only_not_reached_is_not_proved_impossible() -> None:
    """A search that falls short while its bound allows more proves nothing about the floor it tried."""
    problem = AssignmentProblem.from_arrays(
        [[4.0, 4.0], [4.0, 4.0], [1.0, 1.0]], capacity=[3, 3], equity=[MaxMin(keep=0.9)]
    )
    form, rule = formulate(problem), problem.equity[0]
    assert isinstance(rule, MaxMin)

    def weak(one: Formulation) -> Outcome:
        """Find everything with the first rep, or, asked for a floor, nearly nothing; bound it far above."""
        floored = any(family.name == rule.name for family in one.families)
        chosen = np.array([0, 2, 6 + 2]) if not floored else np.array([6, 6 + 1, 4])
        outcome = Outcome(Status.FEASIBLE, chosen, 9.0, price_out(one, no_prices(one)), "search")
        return replace(outcome)

    outcome = solve_max_min(form, rule, weak)
    assert outcome.worst_off_bound is not None
    assert outcome.worst_off_bound >= 8.0  # one lead of 4 each, for half a fair share: there is such a plan
