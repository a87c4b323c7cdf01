"""What runs on large problems only (prices by Newton, annealing) agrees with brute force where that can tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apportion import AssignmentProblem, LeadShare, MaxMin, RevenueShare, Status, solve, verify
from apportion.engines import ascent, core, search
from tests.solver.engines.agreement import agree
from tests.solver.oracle import best_plan, worst_off
from tests.solver.random_problems import random_problem, with_rule

Lower = Callable[..., None]


@pytest.fixture
def lower(monkeypatch: pytest.MonkeyPatch) -> Lower:
    """Take small problems for large ones; with `sampled`, `mended` and `alone` those of the largest, whose hot stages
    look at a sample, whose search ends without a descent, and which branch and bound leaves alone."""

    def set_limits(*, sampled: bool = False, mended: bool = False, alone: bool = False) -> None:
        monkeypatch.setattr(core, "ALL_PAIRS", 0)
        monkeypatch.setattr(core, "TINY", 0)
        if sampled:
            monkeypatch.setattr(ascent, "SAMPLE", 1)
            monkeypatch.setattr(ascent, "SAMPLE_PER_REP", 0)
        if mended:
            monkeypatch.setattr(search, "DESCENDED", -1)
        if alone:
            monkeypatch.setattr(core, "SEARCHABLE", -1)

    return set_limits


def honest(problem: AssignmentProblem, *, gap: float) -> None:
    """Neither objective, bound nor status says more than brute force finds to be so."""
    plan, best = solve(problem, gap=gap, engine="core"), best_plan(problem)
    if best is None:
        assert plan.status in (Status.INFEASIBLE, Status.TIME_LIMIT)
        return
    rep, worth = best
    noise = 1e-7 * (1 + abs(worth))
    assert plan.status is not Status.INFEASIBLE
    assert not plan.status.has_plan or verify(problem, plan).ok
    first = next((rule for rule in problem.rules if isinstance(rule, MaxMin) and rule.price is None), None)
    if first is not None:
        reached, most = plan.certificate.worst_off, plan.certificate.worst_off_bound
        wanted = worst_off(problem, first, rep.tolist())
        assert most is None or most >= wanted - 3e-6 * (1 + abs(wanted))
        assert reached is None or reached <= (most or 0.0) + 1e-9 * abs(reached)
        return
    assert plan.bound >= worth - noise
    assert not plan.status.has_plan or plan.objective <= worth + noise
    assert plan.status is not Status.OPTIMAL or worth - plan.objective <= gap * abs(plan.bound) + noise


@pytest.mark.parametrize("block", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 100))])
def test_mixtures_as_if_large(lower: Lower, block: int) -> None:
    """Any mixture of rules: plan, bound and status are true."""
    lower()
    for seed in range(12 * block, 12 * block + 12):
        honest(random_problem(seed, n_leads=4), gap=1e-3)


@pytest.mark.parametrize("block", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 40))])
def test_mixtures_as_if_of_the_largest(lower: Lower, block: int) -> None:
    """The same on the path of the largest, where nothing mends a poor plan."""
    lower(sampled=True, mended=True, alone=True)
    for seed in range(20_000 + 30 * block, 20_030 + 30 * block):
        honest(random_problem(seed, n_leads=4), gap=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_mixtures_as_if_large_to_the_end(lower: Lower, block: int) -> None:
    """Asked for the optimum itself, it is found."""
    lower()
    for seed in range(40_000 + 30 * block, 40_030 + 30 * block):
        agree(random_problem(seed, n_leads=5), engine="core")


@pytest.mark.parametrize("kind", ["max_min_soft", "revenue_share", "tier_share", "limit_effort"])
def test_each_kind_as_if_large(lower: Lower, kind: str) -> None:
    """A soft worst-off group needs its reward in every bound, that of no prices too; a rule whose violation costs
    nothing has no price at all."""
    lower()
    for seed in range(6):
        honest(with_rule(seed, kind, soft=True), gap=1e-3)


def test_a_reward_stays_in_the_bound_where_no_price_helps(lower: Lower) -> None:
    """One group, worst-off by itself: the bound of no prices left its reward out, and was too low."""
    lower()
    problem = AssignmentProblem.from_arrays(
        [[1.0, 2.0, 9.0], [3.0, 4.0, 0.0]], capacity=[1, 2, 1], team=[0, 0, 0],
        equity=[MaxMin(price=1.0, by="team"), RevenueShare(0.5, price=0.0)],
    )  # fmt: skip
    assert agree(problem, engine="core").bound == pytest.approx(26.0)


@pytest.mark.parametrize("price", [0.0, 1e-300, 1e-12, 1e15])
def test_prices_of_soft_rules_of_any_size(lower: Lower, price: float) -> None:
    """From nothing to as good as hard."""
    lower()
    honest(
        AssignmentProblem.from_arrays(
            [[5.0, 1.0], [4.0, 1.0], [3.0, 0.5]], capacity=[3, 3], equity=[LeadShare(0.9, 1.1, price=price)]
        ),
        gap=1e-3,
    )
