"""Hostile numbers where brute force cannot follow: verified, near the bound, in bounded time."""

from __future__ import annotations

import itertools
import math
import threading
import time
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from apportion import AssignmentProblem, LeadShare, Plan, RevenueShare, solve, verify
from apportion.engines.ascent import ascend
from apportion.engines.formulate import formulate

N_LEADS, N_REPS = 600, 12


def problem(value: Any, *, seed: int = 1, **changes: Any) -> AssignmentProblem:
    """Revenue bands over reps of unlike capacity."""
    capacity = np.random.default_rng(seed).uniform(0.5, 1.5, N_REPS) * 0.9 * N_LEADS / N_REPS
    return AssignmentProblem.from_arrays(
        value, **({"capacity": capacity, "equity": [RevenueShare(0.8, 1.25)]} | changes)
    )


def solved(case: AssignmentProblem, **options: Any) -> Plan:
    """The plan, whose rules and numbers hold."""
    plan = solve(case, time_limit=30.0, **options)
    assert plan.status.has_plan
    assert verify(case, plan).ok
    assert all(np.isfinite(price).all() for price in (plan.prices.capacity, plan.prices.min_load))
    return plan


@pytest.mark.parametrize("rules", [[RevenueShare(0.8, 1.25)], [LeadShare(0.8, 1.25)]], ids=["revenue", "leads"])
def test_all_values_alike_with_bands(rules: list[Any]) -> None:
    """Where no pair is better than another, every unit has a choice among all reps, not all units of a few."""
    plan = solved(problem(np.full((N_LEADS, N_REPS), math.pi), equity=rules), engine="core")
    assert plan.gap <= 2e-3


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e-9, 1e12, 1e200])
def test_the_unit_of_money_does_not_matter(factor: float) -> None:
    """The same leads in other currencies: the same gap, whatever the size of the numbers."""
    value = np.random.default_rng(0).lognormal(3, 1, (N_LEADS, N_REPS))
    assert solved(problem(value * factor)).gap <= 1e-3


def test_whole_values_are_no_reason_to_go_on_beyond_the_gap() -> None:
    """Large problems with whole values end within the gap like any other, without an integer program to the end."""
    rng = np.random.default_rng(3)
    case = problem(np.rint(rng.lognormal(3, 1, (N_LEADS, N_REPS))), effort=rng.integers(1, 4, N_LEADS))
    plan = solved(case, gap=1e-2)
    assert plan.gap <= 1e-2
    assert plan.certificate.stopped_by == "gap"


@pytest.mark.parametrize("rounded", [False, True])
def test_the_clock_ends_linear_programs_too(rounded: bool) -> None:
    """At the limit there is a plan, if only the one that places nobody, and no linear program that still runs."""
    value = np.random.default_rng(0).lognormal(3, 1, (6_000, 40))
    case = AssignmentProblem.from_arrays(
        np.rint(value) if rounded else value, capacity=130.0, equity=[RevenueShare(0.8, 1.25)]
    )
    solve(problem(value[:N_LEADS, :N_REPS]))  # compiled before
    started, threads = time.process_time(), threading.active_count()
    plan = solve(case, time_limit=0.3, gap=1e-6)
    assert time.process_time() - started < 2.0
    assert threading.active_count() == threads
    assert plan.status.has_plan
    assert verify(case, plan).ok


@pytest.mark.parametrize("seed", range(4))
def test_called_off_at_any_moment(seed: int) -> None:
    """Called off after so many questions: a verified plan, and no thread left."""
    rng = np.random.default_rng(seed)
    case = problem(rng.lognormal(3, 1, (N_LEADS, N_REPS)))
    asked, threads, enough = itertools.count(), threading.active_count(), int(rng.integers(1, 40))
    plan = solve(case, gap=1e-6, cancelled=lambda: next(asked) >= enough)
    assert threading.active_count() == threads
    assert verify(case, plan).ok
    assert plan.certificate.stopped_by == "cancelled"


def test_the_number_of_threads_changes_no_price() -> None:
    """One thread of linear algebra or two: the same prices, to the last digit."""
    value = np.random.default_rng(1).lognormal(3, 1, (1_000, 50))
    form = formulate(AssignmentProblem.from_arrays(value, capacity=18.0, equity=[RevenueShare(0.8, 1.25)]))
    told = set()
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            told.add(b"".join(prices.low.tobytes() + prices.high.tobytes() for prices in ascend(form).multipliers))
    assert len(told) == 1
