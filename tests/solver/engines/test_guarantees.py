"""The design's guarantees on the solve: order changes nothing, bytes are equal, hostile numbers raise nothing."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from apportion import (
    AssignmentProblem,
    LeadShare,
    Limit,
    MaxMin,
    OpportunityShare,
    Plan,
    RevenueShare,
    Status,
    solve,
    verify,
)
from apportion.problem import MaxMin as MaxMinRule
from apportion_models.errors import UsageError
from tests.conftest import ROOT
from tests.solver.engines.agreement import agree
from tests.solver.random_problems import random_problem

# --- the order of rows


def shuffled(problem: AssignmentProblem, leads: np.ndarray, reps: np.ndarray) -> AssignmentProblem:
    """The same problem with its rows in another order: ids, labels, masks and arrays of each rep go along."""

    def rule(one: Any) -> Any:
        changes: dict[str, Any] = {}
        if not isinstance(one.by, str):
            changes["by"] = np.asarray(one.by)[reps]
        if getattr(one, "leads", None) is not None:
            changes["leads"] = np.asarray(one.leads)[leads]
        if getattr(one, "weights", None) is not None:
            changes["weights"] = np.asarray(one.weights)[reps]
        if isinstance(one.by, str) and one.by == "rep" and not isinstance(one, MaxMinRule):
            for name in ("low", "high", "earlier"):
                held = getattr(one, name, None)
                if held is not None and np.ndim(held):
                    changes[name] = np.asarray(held)[reps]
        return dataclasses.replace(one, **changes)

    cells = np.ix_(leads, reps)
    eligible = problem.pairs.dense(np.ones(problem.pairs.n_pairs), 0.0) > 0

    def dense(entries: np.ndarray) -> np.ndarray:
        return problem.pairs.dense(entries, 0.0)[cells]

    return AssignmentProblem.from_arrays(
        dense(problem.value),
        revenue=dense(problem.revenue),
        effort=dense(problem.effort),
        eligible=eligible[cells],
        capacity=problem.capacity[reps],
        min_load=problem.min_load[reps],
        nurture=problem.nurture[leads],
        must_assign=problem.must_assign[leads],
        tier=None if problem.tier is None else problem.tier[leads],
        team=None if problem.team is None else problem.team[reps],
        parcel=None if problem.parcel is None else problem.parcel[leads],
        opportunity=problem.opportunity[leads],
        equity=[rule(one) for one in problem.equity],
        limits=[rule(one) for one in problem.limits],
        lead_ids=[problem.lead_ids[i] for i in leads],
        rep_ids=[problem.rep_ids[j] for j in reps],
    )


def told(problem: AssignmentProblem, plan: Plan) -> dict[str, Any]:
    """All that a plan says, by id: rep of each lead, and the bytes of its numbers and prices."""
    who = {
        lead: problem.rep_ids[rep] if rep >= 0 else None for lead, rep in zip(problem.lead_ids, plan.rep, strict=True)
    }
    prices = {
        rep: (plan.prices.capacity[j].tobytes(), plan.prices.min_load[j].tobytes())
        for j, rep in enumerate(problem.rep_ids)
    }
    for rule in problem.rules:
        priced = plan.prices.rules.get(str(rule.name))
        names = problem.groups(rule.by)[1]
        for at, group in enumerate(names if priced is not None else ()):
            assert priced is not None
            prices[f"{rule.name} {group}"] = (priced.low[at].tobytes(), priced.high[at].tobytes())
    numbers = np.array([plan.objective, plan.bound]).tobytes()
    return {"who": who, "status": plan.status, "numbers": numbers, "prices": prices}


def _order_does_not_matter(problem: AssignmentProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"l{n}" for n in rng.permutation(problem.n_leads)], [f"r{n}" for n in rng.permutation(problem.n_reps)]
    problem = problem.replace(lead_ids=names[0], rep_ids=names[1])
    first = told(problem, solve(problem, gap=0))
    for _ in range(2):
        other = shuffled(problem, rng.permutation(problem.n_leads), rng.permutation(problem.n_reps))
        assert told(other, solve(other, gap=0)) == first


@pytest.mark.parametrize("block", [*range(4), *(pytest.param(k, marks=pytest.mark.slow) for k in range(4, 50))])
def test_the_order_of_rows_changes_nothing(block: int) -> None:
    """Leads and reps in any order: the same plan by id, and the same bytes of objective, bound and prices."""
    for seed in range(15 * block, 15 * block + 15):
        _order_does_not_matter(random_problem(seed, n_leads=9, n_reps=4), seed)


def test_the_order_of_rows_changes_nothing_where_annealing_is_needed() -> None:
    """The same where the plan comes from the compiled search."""
    rng = np.random.default_rng(5)
    problem = AssignmentProblem.from_arrays(
        rng.lognormal(3, 1, (60, 9)), capacity=rng.uniform(3, 9, 9), effort=rng.uniform(0.5, 2, 60),
        equity=[RevenueShare(0.7, 1.4)],
    )  # fmt: skip
    assert problem.pairs.n_pairs > 400
    lead, rep = rng.permutation(60), rng.permutation(9)
    named = problem.replace(lead_ids=[f"l{n:02d}" for n in lead], rep_ids=[f"r{n}" for n in rep])
    first = told(named, solve(named, gap=0.05))
    other = shuffled(named, rng.permutation(60), rng.permutation(9))
    assert told(other, solve(other, gap=0.05)) == first


# --- bytes

PRINT = """
import sys
sys.path[:0] = [{models!r}, {solver!r}, {root!r}]
import hashlib
import numpy as np
from apportion import AssignmentProblem, RevenueShare, solve
from tests.solver.random_problems import random_problem
digest = hashlib.sha256()
rng = np.random.default_rng(0)
larger = AssignmentProblem.from_arrays(
    rng.lognormal(3, 1, (60, 9)), capacity=rng.uniform(3, 9, 9), effort=rng.uniform(0.5, 2, 60),
    equity=[RevenueShare(0.8, 1.25)], team=rng.integers(0, 3, 9))
for problem in [larger, *(random_problem(seed, n_leads=10, n_reps=4) for seed in range(15))]:
    plan = solve(problem, seed=3, gap=0.05)
    digest.update(plan.rep.tobytes() + np.array([plan.objective, plan.bound]).tobytes() + plan.status.encode())
    digest.update(plan.prices.capacity.tobytes() + plan.prices.min_load.tobytes())
    for name, price in plan.prices.rules.items():
        digest.update(name.encode() + price.low.tobytes() + price.high.tobytes())
print(digest.hexdigest())
"""


def test_two_processes_give_identical_bytes() -> None:
    """The same problems and seed in two interpreters with different hash seeds: the same plans, byte for byte."""
    code = PRINT.format(models=str(ROOT / "models"), solver=str(ROOT / "solver"), root=str(ROOT))
    digests = set()
    for hash_seed in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == 64


def test_ties_are_broken_by_id_and_not_by_row() -> None:
    """When all pairs are alike, who gets what depends on the ids alone."""
    for rules in ([], [LeadShare(0.5)]):
        plans = set()
        for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
            problem = AssignmentProblem.from_arrays(
                np.ones((4, 2)), capacity=[1, 2], equity=rules, lead_ids=[f"lead {n}" for n in order]
            )
            plan = agree(problem)
            plans.add(tuple(sorted(zip(problem.lead_ids, plan.rep.tolist(), strict=True))))
        assert len(plans) == 1


# --- hostile numbers

RULES: dict[str, dict[str, Any]] = {
    "none": {},
    "efforts": {"effort": [1.0, 0.5, 2.0, 1.5]},
    "revenue share": {"equity": [RevenueShare(0.5, 1.5)]},
    "opportunity share": {"equity": [OpportunityShare(0.7, price=2.0)]},
    "max-min": {"equity": [MaxMin()]},
    "soft max-min": {"equity": [MaxMin(price=1.0)]},
    "limits": {"limits": [Limit(measure="revenue", high=5.0), Limit(low=1.0, price=3.0)]},
    "parcels": {"parcel": [0, 0, 1, 2]},
}
RNG = np.random.default_rng(11)
HOSTILE: dict[str, dict[str, Any]] = {
    "zeros": {"value": np.zeros((4, 2))},
    "all ties": {"value": np.full((4, 2), 3.0)},
    "a million-fold range": {"value": 10.0 ** RNG.uniform(-3, 3, (4, 2))},
    "negative": {"value": -RNG.random((4, 2))},
    "negative and positive": {"value": RNG.normal(0, 5, (4, 2))},
    "negative nurture": {"value": -RNG.random((4, 2)), "nurture": -0.5},
    "no eligible pair": {"value": np.ones((4, 2)), "eligible": np.zeros((4, 2), bool)},
    "one eligible pair": {"value": np.ones((4, 2)), "eligible": np.eye(4, 2) * [[1, 0]] > 0},
    "capacities zero": {"value": np.ones((4, 2)), "capacity": [0, 0]},
    "one capacity zero": {"value": np.ones((4, 2)), "capacity": [0, 3]},
    "capacities huge": {"value": RNG.random((4, 2)), "capacity": [1e12, 1e300]},
    "capacity huge beside small": {"value": RNG.random((4, 2)), "capacity": [1e12, 1.0]},
    "tiny": {"value": RNG.random((4, 2)) * 1e-9},
    "huge": {"value": RNG.random((4, 2)) * 1e12},
    "must assign": {"value": RNG.random((4, 2)), "must_assign": True},
    "must assign, none eligible": {"value": np.ones((4, 2)), "must_assign": True, "eligible": np.zeros((4, 2), bool)},
    "must assign, no capacity": {"value": np.ones((4, 2)), "must_assign": True, "capacity": [1, 1]},
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("numbers", HOSTILE)
def test_hostile_numbers_are_solved_exactly(numbers: str, rule: str) -> None:
    """Whatever the numbers and the rule, the solver agrees with brute force and raises nothing."""
    agree(AssignmentProblem.from_arrays(**({"capacity": [2.0, 2.0]} | HOSTILE[numbers] | RULES[rule])))


@pytest.mark.parametrize("rule", [name for name in RULES if name not in ("efforts", "parcels")])
@pytest.mark.parametrize("shape", [(0, 1), (0, 2), (1, 1), (1, 2), (3, 1)], ids=str)
def test_small_shapes(shape: tuple[int, int], rule: str) -> None:
    """No lead, one lead, one rep."""
    agree(AssignmentProblem.from_arrays(np.ones(shape), capacity=1.0, **RULES[rule]))


def test_efforts_of_very_different_size() -> None:
    """A rep with room for millions excuses no overload of one with room for one."""
    effort = np.array([[1e6, 1e9], [1e6, 0.3335], [1e6, 0.3335], [1e6, 0.3335]])
    for factor in (1.0, 1e6):
        problem = AssignmentProblem.from_arrays(
            [[1.0, 1], [1, 9], [1, 9], [1, 9]], capacity=[1e6 * factor, 1.0], effort=effort * [factor, 1.0]
        )
        assert agree(problem).objective == 19.0


# --- limits of time and gap


@pytest.mark.parametrize("time_limit", [1e-9, 1e-3, 0.05])
def test_a_tiny_time_limit_is_no_exception(time_limit: float) -> None:
    """Out of time: a verified plan, or none, honestly told; a proof only where there is one."""
    rng = np.random.default_rng(1)
    larger = AssignmentProblem.from_arrays(
        rng.lognormal(3, 1, (150, 12)), capacity=rng.uniform(5, 15, 12), effort=rng.uniform(0.5, 2, 150),
        equity=[RevenueShare(0.9, 1.1), MaxMin(keep=0.95)],
    )  # fmt: skip
    for problem in [larger, *(random_problem(seed, n_leads=20, n_reps=5) for seed in range(30))]:
        plan = solve(problem, time_limit=time_limit)
        if plan.status.has_plan:
            assert verify(problem, plan)
            assert plan.status is Status.FEASIBLE or plan.gap <= 1e-3
        else:
            assert plan.status in (Status.TIME_LIMIT, Status.INFEASIBLE)
            assert np.isnan(plan.objective)
            assert (plan.rep == -1).all()


def test_time_runs_out_only_on_what_could_not_be_settled() -> None:
    """INFEASIBLE within no time is still a proof: brute force agrees."""
    for seed in range(60):
        problem = random_problem(seed, n_leads=4)
        plan = solve(problem, gap=0, time_limit=1e-9)
        if plan.status is Status.INFEASIBLE:
            agree(problem)


@pytest.mark.parametrize("gap", [0.0, 1e-4, 1e-2, 0.2])
def test_the_gap_is_respected(gap: float) -> None:
    """OPTIMAL means within the gap that was asked for, and the bound is one."""
    for seed in range(15):
        problem = random_problem(seed, n_leads=12, n_reps=4)
        plan = solve(problem, gap=gap)
        if plan.status is Status.OPTIMAL:
            assert plan.gap <= gap + 1e-9
            exact = solve(problem, gap=0)
            assert plan.bound >= exact.objective - 1e-7 * (1 + abs(exact.objective)) or plan.certificate.worst_off


@pytest.mark.parametrize(
    "options",
    [
        {"gap": -0.1}, {"gap": 1.0}, {"gap": float("nan")}, {"time_limit": 0}, {"time_limit": -1.0},
        {"time_limit": float("nan")}, {"seed": -1}, {"engine": "magic"},
    ],
    ids=str,
)  # fmt: skip
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    """A UsageError that names the option and what was got."""
    with pytest.raises(UsageError, match=next(iter(options))):
        solve(random_problem(0), **options)


def test_progress_is_told() -> None:
    """Bounds only fall, objectives only rise, and the last report is the plan's."""
    heard: list[tuple[float, float]] = []
    problem = random_problem(4, n_leads=12, n_reps=4, kinds=("opportunity_share",))
    plan = solve(problem, gap=0, on_progress=lambda progress: heard.append((progress.bound, progress.objective)))
    assert heard
    bounds, objectives = zip(*heard, strict=True)
    assert list(bounds) == sorted(bounds, reverse=True)
    assert list(objectives) == sorted(objectives)
    assert objectives[-1] == pytest.approx(plan.objective)
