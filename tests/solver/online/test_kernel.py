from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from apportion.online import Router
from tests.solver.online.cases import random_case


@pytest.mark.parametrize("seed", range(60))
def test_compiled_decides_as_one_at_a_time(seed: int) -> None:
    """Many leads through the compiled way, in parts, give the same decisions and the same state, bit for bit, as one
    call a lead."""
    case = random_case(seed)
    one, many, plain = case.make(), case.make(), case.make()
    decisions = [one.route(lead, **case.lead(row)) for row, lead in enumerate(case.lead_ids)]
    cut = len(case.lead_ids) // 3
    compiled = [*_part(many, case, slice(0, cut), True), *_part(many, case, slice(cut, None), True)]
    uncompiled = [*_part(plain, case, slice(None), False)]
    assert compiled == decisions == uncompiled
    for name, array in one.state()[1].items():
        assert np.array_equal(array, many.state()[1][name]), name
        assert np.array_equal(array, plain.state()[1][name]), name


def _part(router: Router, case, rows, compiled: bool):  # type: ignore[no-untyped-def]
    arrivals = {name: given[rows] for name, given in case.arrivals.items() if name != "counts"}
    if "counts" in case.arrivals:
        arrivals["counts"] = {rule: flags[rows] for rule, flags in case.arrivals["counts"].items()}
    return router.route_many(case.lead_ids[rows], **arrivals, compiled=compiled)


def test_sparse_and_float32_and_named_values_mean_the_same() -> None:
    """Stored entries of a sparse matrix, and the reps that a mapping names, are the eligible pairs."""
    rng = np.random.default_rng(0)
    value = rng.integers(1, 64, (40, 4)).astype(np.float32)
    eligible = rng.random((40, 4)) < 0.6
    ids = [str(i) for i in range(40)]
    routers = [Router(capacity=[3, 4, 5, 6], rep_ids=list("dbca"), horizon=40) for _ in range(5)]
    dense = list(routers[0].route_many(ids, value=value, eligible=eligible))
    coo = sp.coo_matrix(eligible)
    stored = sp.csr_matrix((value[coo.row, coo.col], (coo.row, coo.col)), shape=value.shape)
    assert list(routers[1].route_many(ids, value=stored)) == dense
    named = [{rep: float(value[i, j]) for j, rep in enumerate("dbca") if eligible[i, j]} for i in range(40)]
    assert [routers[2].route(lead, value=row) for lead, row in zip(ids, named, strict=True)] == dense
    masked = [routers[3].route(lead, value=value[i], eligible=eligible[i]) for i, lead in enumerate(ids)]
    assert masked == dense
    holes = np.where(eligible, value, np.nan)
    assert [routers[4].route(lead, value=holes[i], eligible=eligible[i]) for i, lead in enumerate(ids)] == dense


def test_paced_router_is_the_same_compiled() -> None:
    """The pace of a plan moves the prices alike in both ways."""
    from apportion import AssignmentProblem, solve

    rng = np.random.default_rng(4)
    value = rng.lognormal(0, 1, (200, 4)) * np.where(np.arange(200) < 100, 1.0, 3.0)[:, None]
    problem = AssignmentProblem.from_arrays(value, capacity=[20, 30, 30, 20])
    plan = solve(problem)
    make = [Router.from_plan(plan, problem, horizon=150, in_order=True) for _ in range(2)]
    ids = [str(i) for i in range(200)]
    one = [make[0].route(lead, value=value[i]) for i, lead in enumerate(ids)]
    assert one == list(make[1].route_many(ids, value=value, compiled=True))
