"""Large networks by a part of their arcs: the optimum, prices and proof of the flow over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from apportion import AssignmentProblem, LeadShare, Limit, Plan, Status, solve, verify
from apportion.engines import arcs, network
from apportion.engines.clock import Clock
from apportion.engines.formulate import formulate


@pytest.fixture(autouse=True)
def low_thresholds(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Every network goes by arcs, from a sample that is one."""
    for name, least in {"MANY_PAIRS": 0, "SAMPLE": 12, "SAMPLE_PER_SET": 0, "SAMPLES": 0}.items():
        monkeypatch.setattr(network, name, least)
    monkeypatch.setattr(arcs, "ARCS", 1)
    monkeypatch.setattr(arcs, "ARCS_PER_ROOM", 0.3)
    yield monkeypatch


def drawn(seed: int, n_leads: int = 60, n_reps: int = 8) -> AssignmentProblem:
    """Random nested counts: tiers within reps, teams over reps, hard and soft, territories, needs, minimum loads."""
    rng = np.random.default_rng(seed)
    shape, tier = (n_leads, n_reps), rng.integers(0, 3, n_leads)
    value = rng.integers(0, 5, shape).astype(float) if rng.random() < 0.2 else rng.lognormal(0, 1, shape)
    room = n_leads / n_reps
    arguments: dict[str, Any] = {"capacity": np.floor(rng.uniform(0.3, 2, n_reps) * room)}
    if rng.random() < 0.5:
        arguments["eligible"] = rng.random(shape) < 0.5
    if rng.random() < 0.4:
        arguments["nurture"] = rng.choice([-0.5, 0, 0.3, 1.0], n_leads)
    if rng.random() < 0.3:
        arguments["must_assign"] = rng.random(n_leads) < 0.3
    if rng.random() < 0.3:
        arguments["min_load"] = np.minimum(arguments["capacity"], rng.integers(0, 3, n_reps))
    if rng.random() < 0.3:
        arguments["effort"] = 0.5
    prices = [None, 0.0, 0.7, 5.0]
    limits = [Limit(low=int(rng.integers(0, 3)), high=int(room // 2), leads=tier == 0, price=prices[rng.integers(4)])]
    if rng.random() < 0.6:
        limits.append(Limit(high=int(1.6 * room), by="team", price=prices[rng.integers(4)]))
    if rng.random() < 0.4:
        limits.append(Limit(low=n_leads // 3, by="all", price=prices[rng.integers(4)]))
    return AssignmentProblem.from_arrays(value, team=np.arange(n_reps) // 2, limits=limits, **arguments)


def both(problem: AssignmentProblem, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, Plan]:
    """The plan by arcs, and the plan by the flow over all."""
    by_arcs = solve(problem, gap=0, engine="network")
    with monkeypatch.context() as patch:
        patch.setattr(network, "MANY_PAIRS", 10**9)
        return by_arcs, solve(problem, gap=0, engine="network")


@pytest.mark.parametrize("block", [*range(4), *(pytest.param(k, marks=pytest.mark.slow) for k in range(4, 40))])
def test_the_optimum_is_that_of_the_whole_flow(block: int, low_thresholds: pytest.MonkeyPatch) -> None:
    """Status, optimum, bound and proof, on random nested counts of every kind; and the plan verifies."""
    solved = 0
    for seed in range(40 * block, 40 * block + 40):
        problem = drawn(seed)
        plan, whole = both(problem, low_thresholds)
        assert plan.status is whole.status, seed
        if whole.status.has_plan:
            solved += 1
            assert plan.certificate.proof == "network"
            assert plan.objective == pytest.approx(whole.objective, rel=1e-9, abs=1e-9), seed
            assert plan.bound == pytest.approx(whole.bound, rel=1e-9, abs=1e-9), seed
            assert plan.certificate.resolution == whole.certificate.resolution
            assert verify(problem, plan).ok
    assert solved >= 15


def test_only_a_part_of_the_arcs_is_given_to_the_flow(low_thresholds: pytest.MonkeyPatch) -> None:
    """The flow over 800 leads and 10 reps sees less than half of the pairs, whatever the number of rounds."""
    seen, run = [], arcs.optimal_flow

    def watched(form: Any, tree: Any, scale: float) -> Any:
        seen.append(form.n_pairs)
        return run(form, tree, scale)

    low_thresholds.setattr(arcs, "optimal_flow", watched)
    rng = np.random.default_rng(3)
    value = rng.lognormal(0, 1, (800, 1)) * rng.lognormal(0, 0.3, (800, 10))
    limits = [Limit(high=20, leads=rng.random(800) < 0.3)]
    problem = AssignmentProblem.from_arrays(value, capacity=60, limits=limits)
    plan, whole = both(problem, low_thresholds)
    assert len(seen) >= 2
    assert max(seen) < 0.5 * value.size
    assert plan.objective == pytest.approx(whole.objective, rel=1e-12)
    assert plan.gap <= 1e-12


def test_the_order_of_rows_changes_nothing() -> None:
    """Leads and reps in another order, each under its own id: everybody gets the same rep."""
    rng = np.random.default_rng(5)
    value, tier = rng.integers(0, 6, (90, 6)).astype(float), rng.integers(0, 2, 90)
    names = [f"lead {i:03d}" for i in range(90)], [f"rep {j}" for j in range(6)]
    high = np.arange(6) + 2.0

    def placed(leads: Any, reps: Any) -> dict[str, str]:
        problem = AssignmentProblem.from_arrays(
            value[np.ix_(leads, reps)],
            capacity=12,
            limits=[Limit(high=high[reps], leads=tier[leads] == 0)],
            lead_ids=[names[0][i] for i in leads],
            rep_ids=[names[1][j] for j in reps],
        )
        rep = solve(problem, gap=0, engine="network").rep
        return {problem.lead_ids[i]: problem.rep_ids[rep[i]] if rep[i] >= 0 else "" for i in range(90)}

    assert placed(np.arange(90), np.arange(6)) == placed(rng.permutation(90), rng.permutation(6))


def test_known_prices_are_where_it_starts(low_thresholds: pytest.MonkeyPatch) -> None:
    """Warm from its own plan, no sample is looked at, and the optimum is the same."""
    problem = drawn(2)
    plan = solve(problem, gap=0, engine="network")

    def no(*_: Any) -> None:
        raise AssertionError("a sample was taken")

    low_thresholds.setattr(arcs, "_first_prices", no)
    again = solve(problem, gap=0, engine="network", warm=plan)
    assert again.objective == pytest.approx(plan.objective, rel=1e-12)


def test_out_of_time_is_an_honest_plan() -> None:
    """No time: the plan of the first flow, verified, with a bound above the optimum; or none, told as such."""
    found = 0
    for seed in range(30):
        problem = drawn(seed)
        best, plan = solve(problem, gap=0, engine="network"), solve(problem, gap=0, engine="network", time_limit=1e-9)
        if plan.status.has_plan:
            found += plan.status is Status.FEASIBLE
            assert plan.bound >= best.objective - 1e-9 * abs(best.objective)
            assert verify(problem, plan).ok
        else:
            assert plan.status in (Status.TIME_LIMIT, Status.INFEASIBLE)
    assert found


def test_progress_is_told() -> None:
    """Each flow tells its bound and objective; the last are those of the plan."""
    told: list[Any] = []
    plan = solve(drawn(2), gap=0, engine="network", on_progress=told.append)
    assert told
    assert told[-1].objective == pytest.approx(plan.objective)
    assert all(one.bound >= plan.objective - 1e-9 for one in told)


def test_it_is_taken_by_size_and_the_plan_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pairs, or few leads for the bounded sets, go by the whole flow; else the plan tells of prices first."""
    monkeypatch.undo()
    problem = AssignmentProblem.from_arrays(
        np.ones((300, 4)), capacity=[80.0] * 4, must_assign=True, equity=[LeadShare(0.8, 1.2)]
    )
    form = formulate(problem)
    assert "pairs are few" in str(network.by_arcs(form))
    monkeypatch.setattr(network, "MANY_PAIRS", 1_000)
    assert "leads are few" in str(network.by_arcs(form))
    monkeypatch.setattr(network, "SAMPLE", 100)
    monkeypatch.setattr(network, "SAMPLE_PER_SET", 10)
    assert network.by_arcs(form) is None
    assert "prices first" in solve(problem).certificate.why_engine
    assert network.solve(form, clock=Clock(60.0)).status is Status.OPTIMAL
