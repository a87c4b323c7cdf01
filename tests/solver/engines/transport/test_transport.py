"""The engine for pure counts: exact against brute force and the network engine, whatever the numbers, order and
threads."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion import AssignmentProblem, LeadShare, Limit, Plan, Status, solve, verify
from apportion.engines.transport import supports, worthwhile
from apportion.problem import price_bound
from apportion_models.errors import UsageError
from tests.solver.oracle import best_plan


def drawn(seed: int, *, n_leads: int | None = None, n_reps: int | None = None) -> AssignmentProblem:
    """A random problem of pure counts, with ties, huge ranges, masks, needs and minimum loads now and then."""
    rng = np.random.default_rng(seed)
    L = int(rng.integers(1, 40)) if n_leads is None else n_leads
    R = int(rng.integers(1, 25)) if n_reps is None else n_reps
    value = [
        lambda: rng.lognormal(0, 1, (L, R)),
        lambda: rng.integers(0, 4, (L, R)).astype(float),
        lambda: rng.normal(0, 2, (L, R)),
        lambda: 10.0 ** rng.uniform(-3, 12, (L, R)),
        lambda: np.full((L, R), 3.0),
    ][rng.integers(0, 5)]()
    arguments: dict[str, Any] = {"capacity": rng.uniform(0, 2.5 * L / R, R)}
    if rng.random() < 0.3:
        value = value.astype(np.float32)
    if rng.random() < 0.4:
        arguments["eligible"] = rng.random((L, R)) < rng.choice([0.1, 0.5, 0.9])
    if rng.random() < 0.4:
        arguments["nurture"] = rng.choice([-0.5, 0, 0.3, 1.0], L)
    if rng.random() < 0.3:
        arguments["must_assign"] = rng.random(L) < rng.choice([0.2, 0.6, 1.0])
    if rng.random() < 0.3:
        arguments["min_load"] = rng.choice([0, 0.4, 1, 1.0, 2], R)
    if rng.random() < 0.2:
        arguments["effort"] = 0.5
    return AssignmentProblem.from_arrays(value, **arguments)


def same_as_network(problem: AssignmentProblem) -> Plan:
    """Both engines: the same status, optimum and prices, and a bound that is met."""
    plan = solve(problem, gap=0, engine="transport")
    other = solve(problem, gap=0, engine="network")
    assert plan.status is other.status
    assert plan.certificate.engine == "transport"
    if other.status.has_plan:
        size = float(np.abs(problem.value).max(initial=0.0))
        assert plan.objective == pytest.approx(other.objective, rel=1e-9, abs=1e-9 * size)
        assert plan.bound - plan.objective <= max(1e-9 * abs(plan.bound), 1.01 * (other.bound - other.objective))
        assert plan.prices.capacity == pytest.approx(other.prices.capacity, rel=1e-6, abs=1e-9 * size)
        assert verify(problem, plan)
    return plan


@pytest.mark.parametrize("block", [*range(4), *(pytest.param(k, marks=pytest.mark.slow) for k in range(4, 40))])
def test_it_agrees_with_the_network_engine(block: int) -> None:
    """Status, optimum, bound and prices of capacity, on random counts of every kind."""
    for seed in range(100 * block, 100 * block + 100):
        same_as_network(drawn(seed))


@pytest.mark.parametrize("block", range(2))
def test_it_agrees_with_brute_force(block: int) -> None:
    """No plan of all that there are is better, and infeasible means that there is none."""
    for seed in range(40 * block, 40 * block + 40):
        problem = drawn(seed, n_leads=5, n_reps=3)
        plan, best = solve(problem, gap=0, engine="transport"), best_plan(problem)
        if best is None:
            assert plan.status is Status.INFEASIBLE
        else:
            assert plan.objective == pytest.approx(best[1], rel=1e-9, abs=1e-6)


def market(seed: int = 1, n_leads: int = 3_000, n_reps: int = 30, dtype: Any = np.float32) -> np.ndarray:
    """Values as they are in life: leads and reps differ, and every pair a little."""
    rng = np.random.default_rng(seed)
    value = rng.lognormal(0, 0.5, (n_leads, n_reps)) * rng.lognormal(0, 1, (n_leads, 1))
    return np.asarray(value * rng.lognormal(0, 0.3, (1, n_reps)), dtype=dtype)


LARGER: dict[str, dict[str, Any]] = {
    "float32": {},
    "float64": {"value": market(dtype=np.float64)},
    "tight": {"capacity": np.full(30, 5)},
    "roomy": {"capacity": np.full(30, 200)},
    "uneven": {"capacity": np.arange(30) * 6},
    "nurture": {"nurture": np.random.default_rng(3).random(3_000)},
    "all must": {"capacity": np.full(30, 100), "must_assign": True},
    "some must": {"must_assign": np.random.default_rng(3).random(3_000) < 0.5},
    "minimum loads": {"min_load": np.arange(30) * 2.0, "capacity": np.full(30, 80)},
    "ineligible": {"eligible": np.random.default_rng(4).random((3_000, 30)) < 0.2},
    "few values": {"value": np.random.default_rng(5).integers(0, 6, (3_000, 30)).astype(np.float32)},
    "zeros": {"value": np.zeros((3_000, 30), np.float32)},
    "negative": {"value": -market()},
    "no capacity": {"capacity": np.zeros(30)},
    "one pair a lead": {"eligible": np.arange(30)[None, :] == (np.arange(3_000) % 30)[:, None]},
    "nobody": {"eligible": np.zeros((3_000, 30), bool)},
    "one rep": {"value": market()[:, :1], "capacity": [700]},
    "two sorts of lead": {"value": np.repeat([[5.0] * 30, [1.0] * 30], 1_500, axis=0)},
    "a trillion and a thousandth": {"value": np.where(market() > 3, 1e12, 1e-3)},
}


@pytest.mark.parametrize("case", LARGER)
def test_larger_and_hostile_problems_are_exact(case: str) -> None:
    """Samples, options, Newton steps and pricing out all come into play, and the flow gets no more."""
    arguments = {"value": market(), "capacity": np.full(30, 80)} | LARGER[case]
    same_as_network(AssignmentProblem.from_arrays(**arguments))


def test_sparse_and_masked_and_dense_are_one_problem() -> None:
    """However the pairs are stored, the plan is the same."""
    value, allowed = market(), np.random.default_rng(4).random((3_000, 30)) < 0.3
    masked = AssignmentProblem.from_arrays(value, capacity=80, eligible=allowed)
    sparse = AssignmentProblem.from_arrays(sp.csr_array(np.where(allowed, value, 0)), capacity=80)
    plans = [solve(problem, gap=0, engine="transport") for problem in (masked, sparse)]
    assert np.array_equal(plans[0].rep, plans[1].rep)
    full = AssignmentProblem.from_arrays(value, capacity=80)
    stored = AssignmentProblem.from_arrays(sp.csr_array(value), capacity=80)
    assert np.array_equal(*(solve(problem, gap=0, engine="transport").rep for problem in (full, stored)))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), ties=st.booleans(), sparse=st.booleans())
def test_the_order_of_rows_changes_nothing(seed: int, ties: bool, sparse: bool) -> None:
    """Leads and reps in any order: the same rep for each lead by id, and the same bytes of bound and prices."""
    rng = np.random.default_rng(seed)
    L, R = 400, 25
    value = rng.integers(0, 5, (L, R)).astype(float) if ties else rng.lognormal(0, 1, (L, R))
    allowed = rng.random((L, R)) < 0.5 if sparse else np.ones((L, R), bool)
    capacity, need = rng.integers(0, 25, R), rng.random(L) < 0.1
    names = [f"l{n:03d}" for n in rng.permutation(L)], [f"r{n:02d}" for n in rng.permutation(R)]
    told = []
    for _ in range(3):
        leads, reps = rng.permutation(L), rng.permutation(R)
        cells = np.ix_(leads, reps)
        problem = AssignmentProblem.from_arrays(
            value[cells], capacity=capacity[reps], eligible=allowed[cells] if sparse else None,
            must_assign=need[leads], lead_ids=[names[0][i] for i in leads], rep_ids=[names[1][j] for j in reps],
        )  # fmt: skip
        plan = solve(problem, gap=0, engine="transport")
        who = {name: problem.rep_ids[r] if r >= 0 else "" for name, r in zip(problem.lead_ids, plan.rep, strict=True)}
        price = {name: plan.prices.capacity[j].tobytes() for j, name in enumerate(problem.rep_ids)}
        told.append((plan.status, who, price, np.array([plan.objective, plan.bound]).tobytes()))
    assert told[0] == told[1] == told[2]


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread or three: the same bytes, where there is enough to share."""
    value = market(n_leads=60_000, n_reps=40)
    problem = AssignmentProblem.from_arrays(value, capacity=1_200)
    bytes_of = []
    for threads in (1, 3):
        for room in ("apportion.problem.blocks", "apportion.engines.transport.passes"):
            monkeypatch.setattr(f"{room}.workers", lambda threads=threads: threads)
        plan = solve(problem, gap=0, engine="transport")
        bytes_of.append(plan.rep.tobytes() + plan.prices.capacity.tobytes() + np.array([plan.bound]).tobytes())
    assert bytes_of[0] == bytes_of[1]


@pytest.mark.parametrize("seed", range(6))
def test_a_price_is_the_gain_of_one_more_slot(seed: int) -> None:
    """Solved again with room for one lead more, the objective rises by the price of the rep."""
    problem = AssignmentProblem.from_arrays(market(seed, 300, 6, np.float64), capacity=np.arange(6) * 12)
    plan = solve(problem, gap=0, engine="transport")
    for rep in range(6):
        capacity = problem.capacity.copy()
        capacity[rep] += 1
        gain = solve(problem.replace(capacity=capacity), gap=0, engine="transport").objective - plan.objective
        assert plan.prices[rep] == pytest.approx(gain, abs=1e-9)


def test_infeasible_is_told() -> None:
    """More leads that need a rep than there is room, or more minimum load than leads: INFEASIBLE, no exception."""
    full = AssignmentProblem.from_arrays(market(), capacity=99, must_assign=True)
    short = AssignmentProblem.from_arrays(market(), capacity=3_000, min_load=101)
    crossed = AssignmentProblem.from_arrays(market(), capacity=[0.5] + [200] * 29, min_load=[0.4] + [0] * 29)
    apart = AssignmentProblem.from_arrays(
        market(), capacity=3_000, must_assign=True, eligible=np.arange(3_000)[:, None] > np.zeros(30)
    )
    for problem in (full, short, crossed, apart):
        plan = solve(problem, engine="transport")
        assert plan.status is Status.INFEASIBLE
        assert math.isnan(plan.objective)


@pytest.mark.parametrize("must", [False, True])
def test_out_of_time_is_an_honest_plan_or_none(must: bool) -> None:
    """A plan that verifies, whose bound is what its prices prove; OPTIMAL only within the gap asked for."""
    problem = AssignmentProblem.from_arrays(market(n_reps=40), capacity=76, must_assign=must)
    for gap in (0.0, 0.5):
        plan = solve(problem, gap=gap, time_limit=1e-9, engine="transport")
        if plan.status.has_plan:
            assert verify(problem, plan)
            assert plan.bound >= solve(problem, gap=0, engine="transport").objective - 1e-6
            assert (plan.status is Status.OPTIMAL) == (plan.gap <= gap)
            assert plan.gap < 0.05
        else:
            assert must and plan.status is Status.TIME_LIMIT


@pytest.mark.parametrize("changes", ["all must", "some must", "minimum loads"])
def test_out_of_time_there_is_a_plan_where_a_simple_one_can_be_had(
    changes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leads that need a rep, and reps that need leads, have them even when no time was given: no empty answer."""
    monkeypatch.setattr("apportion.engines.transport.exact.PATHS_AT_ONCE", 1)
    needs: dict[str, Any] = {
        "all must": {"must_assign": True},
        "some must": {"must_assign": np.arange(3_000) % 2 == 0},
        "minimum loads": {"min_load": 60.0},
    }[changes]
    problem = AssignmentProblem.from_arrays(market(n_reps=40), capacity=76, **needs)
    plan = solve(problem, gap=0, time_limit=1e-9, engine="transport")
    assert plan.status is Status.FEASIBLE
    assert plan.certificate.stopped_by == "time"
    assert verify(problem, plan).ok
    assert plan.bound >= solve(problem, gap=0, engine="transport").objective - 1e-6


def test_a_gap_that_is_asked_for_stops_large_problems_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are many pairs, a plan proved to be within the gap is enough; at gap 0, and where pairs are few, it
    goes on to the optimum."""
    problem = AssignmentProblem.from_arrays(market(n_reps=40), capacity=60)
    best = solve(problem, gap=0, engine="transport")
    assert solve(problem, gap=1e-2, engine="transport").objective == best.objective
    monkeypatch.setattr("apportion.engines.transport.solve.EARLY", 0)
    near = solve(problem, gap=1e-2, engine="transport")
    assert (near.status, near.certificate.proof, near.certificate.stopped_by) == (Status.OPTIMAL, "prices", "gap")
    assert near.gap <= 1e-2
    assert near.objective <= best.objective <= near.bound
    assert near.bound == near.certificate.price_bound == price_bound(problem, near.prices)
    assert solve(problem, gap=0, engine="transport").rep.tolist() == best.rep.tolist()


def test_progress_is_told_at_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that hold, plans that are no better than the best, and the last is the plan's own."""
    told: list[Any] = []
    problem = AssignmentProblem.from_arrays(market(n_reps=40), capacity=60)
    monkeypatch.setattr("apportion.engines.transport.solve.EARLY", 0)
    plan = solve(problem, gap=1e-9, engine="transport", on_progress=told.append)
    assert len(told) >= 2
    for one in told:
        assert one.bound >= plan.objective * (1 - 1e-9)
        assert one.objective <= plan.objective * (1 + 1e-9)
    assert told[-1].objective == pytest.approx(plan.objective)


def test_the_bound_is_what_the_prices_prove() -> None:
    """One pass over the pairs derives the plan's bound anew, to the last digit."""
    problem = AssignmentProblem.from_arrays(market(), capacity=80)
    plan = solve(problem, gap=0, engine="transport")
    assert plan.certificate.price_bound == price_bound(problem, plan.prices) == plan.bound
    assert plan.certificate.proof == "network"
    assert plan.gap <= 1e-12


def test_no_score_vanishes() -> None:
    """Below the resolution a value still counts as something, and the resolution is told."""
    value = np.array([[1e18, 0.0], [1e-9, 0.0], [-1e-9, -1e-9]])
    plan = solve(AssignmentProblem.from_arrays(value, capacity=[2, 2]), gap=0, engine="transport")
    assert plan.rep.tolist() == [0, 0, -1]
    assert plan.certificate.resolution is not None
    assert plan.certificate.resolution > 1e-9


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"effort": [1.0, 2.0, 1.0]}, "not one and the same"),
        ({"effort": 0.0}, "not one and the same"),
        ({"parcel": [0, 0, 1]}, "stay together"),
        ({"limits": [Limit(high=1)]}, "limit on leads"),
        ({"equity": [LeadShare(0.5)]}, "lead share"),
    ],
)
def test_it_says_what_it_cannot_do(changes: dict[str, Any], reason: str) -> None:
    """Named, it refuses with the reason; left to choose, another engine solves and says why."""
    problem = AssignmentProblem.from_arrays(np.ones((3, 2)), capacity=2, **changes)
    assert reason in str(supports(problem))
    with pytest.raises(UsageError, match=reason):
        solve(problem, engine="transport")
    assert reason in solve(problem).certificate.why_engine


def test_it_is_chosen_where_it_pays() -> None:
    """Small problems go to the flow without loading a compiler; large ones come here, and the plan says why."""
    small = AssignmentProblem.from_arrays(market(n_leads=200), capacity=5)
    assert solve(small).certificate.engine == "network"
    assert "compiled code" in str(worthwhile(small))
    large = AssignmentProblem.from_arrays(market(n_leads=10_000), capacity=200)
    plan = solve(large)
    assert plan.certificate.engine == "transport"
    assert "counts" in plan.certificate.why_engine
    assert worthwhile(AssignmentProblem.from_arrays(np.ones((1_000, 1_000), np.float32), capacity=1)) is not None


def test_nothing_is_written_out_for_each_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """No formulation, and no array of pairs, is made on the way to the plan."""

    def no(*_: Any) -> None:
        raise AssertionError("written out for each pair")

    monkeypatch.setattr(importlib.import_module("apportion.engines.solve"), "formulate", no)
    problem = AssignmentProblem.from_arrays(market(n_leads=10_000), capacity=200)
    monkeypatch.setattr("apportion.problem.entries.Entries.whole", no)
    assert solve(problem).status is Status.OPTIMAL
    assert not {"rep", "lead"} & set(vars(problem.pairs))
