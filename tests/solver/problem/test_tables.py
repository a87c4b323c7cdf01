"""Tidy frames of a problem and its plan: their sums are the plan's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion import AssignmentProblem, OpportunityShare, Plan, Prices, Status, solve
from apportion.problem.tables import of_fair_share
from apportion_models.errors import UsageError
from tests.solver.problem.plans import claimed


def small() -> tuple[AssignmentProblem, Plan]:
    """5 leads, 3 reps (one without capacity), one lead that nobody may have."""
    value = np.array([[90.0, 40, 9], [80, 70, 9], [30, 20, 9], [25, 24, 9], [99, 99, 99]])
    eligible = np.array([[True, True, False]] * 4 + [[False] * 3])
    problem = AssignmentProblem.from_arrays(
        value,
        capacity=[2.0, 3.0, 0.0],
        effort=[1.0, 1.0, 2.0, 1.0, 1.0],
        eligible=eligible,
        nurture=5.0,
        tier=[0, 0, 1, 1, 1],
        team=[7, 7, 8],
        equity=[OpportunityShare(low=0.5)],
        lead_ids=list("abcde"),
        rep_ids=["Ann", "Ben", "Cem"],
    )
    return problem, claimed(problem, [0, 1, -1, 1, -1])


def test_a_row_for_each_lead() -> None:
    """In the problem's order, nurture without a rep, and the values add up to the plan's objective."""
    problem, plan = small()
    table = plan.to_frame(problem)
    assert list(table.columns) == ["lead_id", "rep_id", "value", "revenue", "effort", "opportunity", "tier"]
    assert table["lead_id"].tolist() == list("abcde")
    assert table["rep_id"].tolist() == ["Ann", "Ben", None, "Ben", None]
    assert table["value"].tolist() == [90, 70, 5, 24, 5]
    assert table["revenue"].tolist() == [90, 70, 0, 24, 0]
    assert table["effort"].tolist() == [1, 1, 0, 1, 0]
    assert table["value"].sum() == plan.objective


def test_a_row_for_each_rep() -> None:
    """Loads, shares and prices by hand; a rep without capacity has no fair share."""
    problem, plan = small()
    plan = plan.replace(prices=Prices(np.array([3.0, -0.0, 1.5]), np.zeros(3)))
    table = plan.by_rep(problem).set_index("rep_id")
    assert table.index.tolist() == ["Ann", "Ben", "Cem"]
    assert table["team"].tolist() == [7, 7, 8]
    assert table["leads"].tolist() == [1, 2, 0]
    assert table["load"].tolist() == [1, 2, 0]
    assert table["room"].tolist() == [1, 1, 0]
    assert table["revenue"].tolist() == [90, 94, 0]
    assert table["opportunity"].tolist() == [65, 75 + 24.5, 0]
    np.testing.assert_allclose(table["opportunity_share"], [65 / 0.4 / 164.5, 99.5 / 0.6 / 164.5, np.nan])
    np.testing.assert_allclose(table["revenue_share"], [90 / 0.4 / 184, 94 / 0.6 / 184, np.nan])
    assert table["price"].tolist() == [3, 0, 1.5]


def test_a_row_for_each_pair() -> None:
    """Only eligible pairs, lead by lead, with what they are worth."""
    problem, _ = small()
    table = problem.to_frame()
    assert len(table) == problem.pairs.n_pairs == 8
    assert table["lead_id"].tolist() == list("aabbccdd")
    assert table["rep_id"].tolist() == ["Ann", "Ben"] * 4
    assert table["value"].tolist() == [90, 40, 80, 70, 30, 20, 25, 24]
    assert table["effort"].tolist() == [1, 1, 1, 1, 2, 2, 1, 1]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(1, 5))
def test_sums_are_the_plans_own(seed: int, n_leads: int, n_reps: int) -> None:
    """Whatever the plan: leads, loads and revenue by lead and by rep are the same, and shares of all average to one."""
    random = np.random.default_rng(seed)
    problem = AssignmentProblem.from_arrays(
        random.uniform(0, 9, (n_leads, n_reps)),
        capacity=random.integers(0, 4, n_reps),
        effort=random.uniform(0.5, 2, n_leads),
    )
    plan = solve(problem, gap=0.1)
    leads, reps = plan.to_frame(problem), plan.by_rep(problem)
    assert len(leads) == n_leads and len(reps) == n_reps
    assert leads["value"].sum() == pytest.approx(plan.objective)
    assert reps["leads"].sum() == plan.n_placed == leads["rep_id"].notna().sum()
    for column, name in (("effort", "load"), ("revenue", "revenue")):
        assert reps[name].sum() == pytest.approx(leads[column].sum())
    assert (reps["load"] <= reps["capacity"] + 1e-6).all()
    if plan.n_placed:
        assert (reps["fair_share"] * reps["revenue_share"].fillna(0)).sum() == pytest.approx(1)


def test_only_the_plans_own_problem_will_do() -> None:
    """A plan of another problem, with a pair that is not eligible, or without leads is refused, and told why."""
    problem, plan = small()
    other = AssignmentProblem.from_arrays(np.ones((5, 2)), capacity=[3, 3])
    for wrong, of in (
        (plan, other),
        (plan, problem.replace(value=np.ones((5, 3)), eligible=np.zeros((5, 3), dtype=bool), equity=())),
        (plan.replace(rep=plan.rep[:4]), problem),
        (plan.replace(rep=np.array([0, 1, -1, 1, 3])), problem),
        (plan.replace(status=Status.INFEASIBLE), problem),
    ):
        for show in (wrong.to_frame, wrong.by_rep, wrong.chart):
            with pytest.raises(UsageError, match="must"):
                show(of)


def test_of_fair_share() -> None:
    """1 is exactly fair; nothing to share, and nobody to share it, have no answer."""
    assert of_fair_share(np.array([2.0, 6.0]), np.array([0.25, 0.75])).tolist() == [1, 1]
    assert np.isnan(of_fair_share(np.zeros(2), np.array([0.5, 0.5]))).all()
    assert np.isnan(of_fair_share(np.ones(2), np.zeros(2))).all()


def test_frames_are_frames_of_text_ids() -> None:
    """Ids are text in every frame, so that they join."""
    problem, plan = small()
    joined = plan.to_frame(problem).merge(plan.by_rep(problem), on="rep_id", how="inner")
    assert len(joined) == plan.n_placed
    assert isinstance(problem.to_frame()["lead_id"].dtype, pd.CategoricalDtype)
