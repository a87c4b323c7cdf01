"""The engine over partitions on this machine: the same numbers wherever the leads are cut."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apportion import AssignmentProblem, MaxMin, Status, solve, verify
from apportion.engines import distributed
from apportion.engines.ascent import legal_all
from apportion.engines.contest import contest
from apportion.engines.distributed.crew import Threads
from apportion.engines.distributed.part import exact_sum
from apportion.engines.distributed.solve import WIDTH, _slices, _with_scales, even_cuts
from apportion.engines.distributed.spread import Spread
from apportion.engines.formulate import formulate
from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import FamilyPrices, price_out
from apportion.engines.layout import Layout
from apportion.engines.partitions import Whole
from apportion_models.errors import UsageError
from tests.solver.engines.distributed.cases import banded, said
from tests.solver.oracle import best_plan
from tests.solver.random_problems import random_problem


def spread_of(form: Formulation, parts: int) -> Spread:
    cuts = even_cuts(form, parts)
    return Spread(form, cuts, Threads(_slices(form, cuts)))


def some_prices(form: Formulation, seed: int) -> tuple[FamilyPrices, ...]:
    rng = np.random.default_rng(seed)
    prices = [FamilyPrices(*(rng.random((2, f.n_groups)) * form.scale / f.scale)) for f in form.families]
    return legal_all(form, tuple(prices))


@given(st.lists(st.floats(-1e300, 1e300), max_size=40), st.integers(0, 40))
def test_sums_of_parts_are_the_sum_of_all(amounts: list[float], cut: int) -> None:
    """A sum of sums has the last digit of the sum, wherever it was cut."""
    parts = exact_sum(np.array(amounts[:cut])) + exact_sum(np.array(amounts[cut:]))
    assert math.fsum(parts) == math.fsum(amounts)


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 5_000])
def test_the_bound_is_the_same_to_the_last_digit(parts: int) -> None:
    """What prices prove does not depend on where the leads are cut."""
    form = _with_scales(formulate(banded()))
    for seed in range(5):
        prices = some_prices(form, seed)
        assert spread_of(form, parts).priced(prices).bound == price_out(form, prices).bound


@pytest.mark.parametrize("parts", [1, 3, 8])
def test_soft_sums_add_up(parts: int) -> None:
    """Totals, sums and curvature of the parts are those of the whole, for all units and for a sample."""
    form = _with_scales(formulate(banded()))
    layout = Layout(form)
    charge = layout.charge(np.random.default_rng(1).random(layout.size))
    for units in (np.arange(form.n_units), np.arange(3, form.n_units, 11)):
        asked = units, layout.cell, layout.n_cells, charge, 0.02
        whole, added = Whole(form).smoothed(*asked), spread_of(form, parts).smoothed(*asked)
        assert added.total == pytest.approx(whole.total, rel=1e-12)
        np.testing.assert_allclose(added.sums, whole.sums, rtol=1e-10)
        np.testing.assert_allclose(added.curvature, whole.curvature, rtol=1e-8, atol=1e-9 * whole.curvature.max())


@pytest.mark.parametrize("parts", [1, 3, 8])
def test_all_that_is_contested_is_gathered(parts: int) -> None:
    """Every option that a contest over all pairs would look at is among the gathered pairs."""
    form = _with_scales(formulate(banded(n_leads=3_000)))
    prices = some_prices(form, 4)
    gathered = spread_of(form, parts).gather(prices, WIDTH)
    assert gathered.form.n_pairs < 0.7 * form.n_pairs
    wanted = contest(form, price_out(form, prices), WIDTH)
    options = np.concatenate([wanted.settled, wanted.option])
    pairs = options[options < form.n_pairs]
    there = set(zip(gathered.form.unit.tolist(), gathered.form.rep.tolist(), strict=True))
    assert set(zip(form.unit[pairs].tolist(), form.rep[pairs].tolist(), strict=True)) <= there
    again = spread_of(form, parts).cuts[gathered.part]
    np.testing.assert_array_equal(form.rep[form.start[again] + gathered.pair], gathered.form.rep)
    np.testing.assert_array_equal(form.value[form.start[again] + gathered.pair], gathered.form.value)


def test_a_plan_is_within_the_gap_and_proved_by_prices() -> None:
    """The certificate is that of every engine: the verifier re-derives the bound from the prices."""
    problem = banded()
    plan, other = distributed.solve(problem), solve(problem, engine="core")
    assert plan.status is Status.OPTIMAL and plan.gap <= 1e-3
    assert plan.certificate.engine == "distributed" and plan.certificate.proof == "prices"
    assert verify(problem, plan).ok
    assert not verify(problem, plan.replace(bound=0.9 * plan.objective)).ok
    assert plan.objective <= other.bound * (1 + 1e-12) and other.objective <= plan.bound * (1 + 1e-12)


def test_threads_change_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread or three: the same bytes."""
    plans = []
    for count in (1, 3):
        monkeypatch.setattr("apportion.engines.distributed.crew.workers", lambda count=count: count)
        plans.append(said(distributed.solve(banded(3))))
    assert plans[0] == plans[1]


@pytest.mark.parametrize("seed", [*range(14), *(pytest.param(k, marks=pytest.mark.slow) for k in range(14, 60))])
def test_brute_force_agrees(seed: int) -> None:
    """Whatever the rules are, and with parts of a lead or two: the optimum lies between objective and bound."""
    problem = random_problem(1_000 + seed)
    plan = distributed.solve(problem, parts=1 + seed % 4)
    best = best_plan(problem)
    if any(isinstance(rule, MaxMin) and rule.price is None for rule in problem.rules):
        return  # the optimum is of another objective; that the plan verifies was seen by solve
    if plan.status.has_plan:
        assert best is not None
        tolerance = 1e-6 * max(1.0, abs(best[1]))
        assert plan.objective - tolerance <= best[1] <= plan.bound + tolerance
    elif plan.status is Status.INFEASIBLE:
        assert best is None


def test_nothing_to_place() -> None:
    """No lead, no eligible pair, no room: a plan all the same."""
    nobody = AssignmentProblem.from_arrays(np.ones((5, 2)), capacity=[1, 1], eligible=np.zeros((5, 2), dtype=bool))
    empty = AssignmentProblem.from_arrays(np.ones((0, 2)), capacity=[1, 1])
    full = banded(n_leads=40, capacity=np.zeros(12))
    for problem in (nobody, empty, full):
        plan = distributed.solve(problem)
        assert plan.status is Status.OPTIMAL and plan.n_placed == 0


def test_a_warm_start_is_taken() -> None:
    """Prices of a similar problem are a start, as for the other engines."""
    problem = banded(5)
    moved = problem.replace(capacity=problem.capacity + 1)
    plan = distributed.solve(moved, warm=distributed.solve(problem))
    assert plan.status is Status.OPTIMAL


def test_arguments_out_of_range() -> None:
    """No parts and no workers are refused before anything starts."""
    for wrong in ({"parts": 0}, {"workers": 0}):
        with pytest.raises(UsageError, match="1 or more"):
            distributed.solve(banded(n_leads=10), **wrong)


def test_cuts_cover_all_units_once() -> None:
    """Every unit is in one part, also where most have no pair."""
    form = formulate(banded(n_leads=50))
    bare = replace(form, start=np.zeros(51, dtype=np.int64))
    for one in (form, bare):
        for parts in (1, 2, 49, 50, 500):
            cuts = even_cuts(one, parts)
            assert cuts[0] == 0 and cuts[-1] == 50 and (np.diff(cuts) > 0).all() and len(cuts) <= parts + 1
