"""Online routing against hindsight: 100,000 arrivals, 200 reps, in five orders, beside greedy and round robin.

`run(scale)` gives one row a router and order. Ratios are against the proved upper bound of all arrivals solved as one
batch, so they are never flattering.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion import AssignmentProblem, Plan, solve
from apportion.online import Router

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEADS, REPS = 100_000, 200
TERRITORIES, COVERED = 20, 5  # of them by each rep: a quarter of the pairs
ROOM = 0.6  # capacity for so many of the leads
HISTORY = 10_000  # leads of the past window that first prices come from
BURSTS = 50


def run(scale: float = 1.0) -> list[dict[str, Any]]:
    """Measure everything. scale : of the number of arrivals; reps shrink with its root."""
    n_leads, n_reps = max(int(LEADS * scale), 200), max(int(REPS * scale**0.5), 5)
    rows: list[dict[str, Any]] = []
    for drifting in (False, True):
        value, eligible, capacity, kind = world(n_leads, n_reps, seed=1, drifting=drifting)
        past = world(min(HISTORY, n_leads), n_reps, seed=2, drifting=drifting)
        bound = _bound(value, eligible, capacity, rows, "drifting" if drifting else "stationary")
        plan, problem = _history_plan(past, capacity, n_leads)
        orders = {"drifting": np.arange(n_leads)} if drifting else _orders(value, eligible, kind)
        for name, order in orders.items():
            arrivals = (np.ascontiguousarray(value[order]), np.ascontiguousarray(eligible[order]))
            rows += _routers(name, arrivals, capacity, bound, plan, problem, one_by_one=name == "stationary")
    return rows


def world(n_leads: int, n_reps: int, *, seed: int, drifting: bool) -> tuple[Floats, Bools, Floats, NDArray[np.int64]]:
    """Values, eligible pairs, capacities and territory of the leads, in order of arrival. One seed, one market; the
    reps are the same for all seeds. drifting : the mix of leads shifts half way."""
    reps, rng = np.random.default_rng(0), np.random.default_rng(seed)
    skill, talent = reps.normal(0, 0.6, (n_reps, 4)), reps.normal(0, 0.4, n_reps)
    covers = np.argsort(reps.random((n_reps, TERRITORIES)), axis=1) < COVERED
    covers[np.arange(TERRITORIES) % n_reps, np.arange(TERRITORIES)] = True
    weights = reps.dirichlet(np.full(n_reps, 6.0))
    needs = rng.normal(0, 1, (n_leads, 4))
    if drifting:
        needs[n_leads // 2 :] += np.array([1.2, -1.0, 0.8, 0.0])
    territory = rng.integers(0, TERRITORIES, n_leads)
    quality, deal = rng.normal(-2.0, 0.7, n_leads), rng.lognormal(np.log(10_000), 0.8, n_leads)
    fit = 1 / (1 + np.exp(-(quality[:, None] + talent + needs @ skill.T)))
    capacity = np.maximum(1.0, np.round(weights * ROOM * n_leads))
    return fit * deal[:, None], np.ascontiguousarray(covers.T[territory]), capacity, territory


def _orders(value: Floats, eligible: Bools, territory: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """The same leads, as they come: mixed, in bursts of one territory after the other, and the best last."""
    n_leads = len(value)
    block = np.arange(n_leads) * BURSTS // n_leads
    best = np.where(eligible, value, 0.0).max(axis=1)
    return {
        "stationary": np.arange(n_leads),
        "bursts": np.lexsort((np.arange(n_leads), territory, block)),
        "best last": np.argsort(best, kind="stable"),
    }


def _problem(value: Floats, eligible: Bools, capacity: Floats) -> AssignmentProblem:
    return AssignmentProblem.from_arrays(value, eligible=eligible, capacity=capacity)


def _bound(value: Floats, eligible: Bools, capacity: Floats, rows: list[dict[str, Any]], name: str) -> float:
    """The proved upper bound in hindsight; its solve is a row of its own."""
    began = _now()
    plan = solve(_problem(value, eligible, capacity), gap=1e-3, time_limit=600.0)
    rows.append(_row(name, "hindsight", value.shape, _since(began), plan.objective, plan.bound))
    return plan.bound


def _history_plan(
    past: tuple[Floats, Bools, Floats, Any], capacity: Floats, n_leads: int
) -> tuple[Plan, AssignmentProblem]:
    """The plan of a past window, a sample of the size of this one: its capacities in proportion."""
    value, eligible, _, _ = past
    problem = _problem(value, eligible, np.round(capacity * len(value) / n_leads))
    return solve(problem), problem


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    """Seconds by the clock, and of this process: a busy machine inflates the first."""
    return time.perf_counter() - began[0], time.process_time() - began[1]


def _row(
    order: str, router: str, size: tuple[int, ...], took: tuple[float, float], value: float, bound: float
) -> dict[str, Any]:
    return {
        "name": f"online, {order}: {router}", "size": f"{size[0]}x{size[1]}", "seconds": took[0],
        "cpu_seconds": took[1], "per_second": size[0] / took[0], "per_cpu_second": size[0] / took[1],
        "value": value, "bound": bound, "ratio": value / bound,
    }  # fmt: skip


def _routers(
    order: str, arrivals: tuple[Floats, Bools], capacity: Floats, bound: float, plan: Plan,
    problem: AssignmentProblem, *, one_by_one: bool,
) -> list[dict[str, Any]]:  # fmt: skip
    value, eligible = arrivals
    n_leads = len(value)
    lead_ids = [str(lead) for lead in range(n_leads)]
    makers: dict[str, Callable[[], Router]] = {
        "first prices from a plan": lambda: Router.from_plan(plan, problem, capacity=capacity, horizon=n_leads),
        "the plan's pace as well": lambda: Router.from_plan(
            plan, problem, capacity=capacity, horizon=n_leads, in_order=True
        ),
        "cold": lambda: Router(capacity=capacity, horizon=n_leads),
        "plan, horizon 20 % too long": lambda: Router.from_plan(
            plan, problem, capacity=capacity, horizon=n_leads * 6 // 5
        ),
        "plan, horizon unknown": lambda: Router.from_plan(plan, problem, capacity=capacity),
        "cold, horizon unknown": lambda: Router(capacity=capacity),
    }
    Router(capacity=capacity).route_many(["0"], value=value[:1], eligible=eligible[:1], compiled=True)  # compile
    rows = []
    for name, make in makers.items():
        router, began = make(), _now()
        router.route_many(lead_ids, value=value, eligible=eligible, compiled=True)
        took = _since(began)
        rows.append(_row(order, f"{name} (compiled)", value.shape, took, router.report().value, bound))
    if one_by_one:
        router, began = makers["first prices from a plan"](), _now()
        for row, lead in enumerate(lead_ids):
            router.route(lead, value=value[row], eligible=eligible[row])
        took = _since(began)
        rows.append(_row(order, "first prices from a plan (one call a lead)", value.shape, took,
                         router.report().value, bound))  # fmt: skip
    for name, choose in {"greedy": greedy, "round robin": round_robin}.items():
        began = _now()
        earned = choose(value, eligible, capacity)
        rows.append(_row(order, name, value.shape, _since(began), earned, bound))
    return rows


def greedy(value: Floats, eligible: Bools, capacity: Floats) -> float:
    """The best rep with room, for each lead as it comes."""
    left, earned = capacity.copy(), 0.0
    for worth, allowed in zip(value, eligible, strict=True):
        free = np.where(allowed & (left >= 1), worth, 0.0)
        rep = int(free.argmax())
        if free[rep] > 0:
            left[rep] -= 1
            earned += float(free[rep])
    return earned


def round_robin(value: Floats, eligible: Bools, capacity: Floats) -> float:
    """The next eligible rep with room after the last one who got a lead."""
    left, earned, turn = capacity.copy(), 0.0, 0
    for worth, allowed in zip(value, eligible, strict=True):
        free = np.flatnonzero(allowed & (left >= 1))
        if len(free):
            rep = int(free[np.searchsorted(free, turn) % len(free)])
            left[rep] -= 1
            earned += float(worth[rep])
            turn = rep + 1
    return earned


if __name__ == "__main__":
    import sys

    for row in run(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0):
        print(
            f"{row['name']:65s} {row['ratio']:.4f} {row['seconds']:8.2f} s {row['per_second']:10,.0f}/s"
            f" {row['cpu_seconds']:8.2f} CPU s {row['per_cpu_second']:10,.0f}/CPU s"
        )
