"""Charts of a problem and its plan show the numbers of their frames."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from apportion import AssignmentProblem, Prices, solve
from apportion_models.errors import UsageError
from tests.solver.problem.test_tables import small


def drawn(figure: Any) -> Any:
    """The figure as plain JSON, as a page gets it."""
    return json.loads(figure.to_json())


def test_load_against_capacity() -> None:
    """Bars of load and room, the largest capacity first; together they are the capacity."""
    problem, plan = small()
    load, room = drawn(plan.chart(problem))["data"]
    assert load["x"] == ["Ben", "Ann", "Cem"]
    assert load["y"] == [2, 1, 0] and room["y"] == [1, 1, 0]


def test_shares_leave_out_whom_nothing_is_due() -> None:
    """In per cent of the fair share; 100 is marked."""
    problem, plan = small()
    figure = drawn(plan.chart(problem, "share"))
    offered, earned = figure["data"]
    reps = plan.by_rep(problem).set_index("rep_id")
    assert offered["x"] == ["Ben", "Ann"]
    np.testing.assert_allclose(offered["y"], 100 * reps.loc[offered["x"], "opportunity_share"])
    np.testing.assert_allclose(earned["y"], 100 * reps.loc[earned["x"], "revenue_share"])
    assert figure["layout"]["shapes"][0]["y0"] == 100


def test_prices_dearest_first() -> None:
    """One bar a rep."""
    problem, plan = small()
    plan = plan.replace(prices=Prices(np.array([3.0, 9.0, 0.0]), np.zeros(3)))
    (bars,) = drawn(plan.chart(problem, "price"))["data"]
    assert (bars["x"], bars["y"]) == (["Ben", "Ann", "Cem"], [9, 3, 0])


def test_a_chart_that_there_is_not() -> None:
    """The error names those that there are."""
    problem, plan = small()
    with pytest.raises(UsageError, match="load, share, price"):
        plan.chart(problem, "pie")


def test_what_there_is_to_place() -> None:
    """The leads' best values, the most valuable first, over the effort they take; the line stands at all capacity."""
    problem, _ = small()
    figure = drawn(problem.chart())
    (curve,) = figure["data"]
    assert curve["y"] == [90, 80, 30, 25, 0]  # nobody may have the last
    assert curve["x"] == [1, 2, 4, 5, 5]
    assert figure["layout"]["shapes"][0]["x0"] == 5


def test_names_are_no_html() -> None:
    """Plotly reads a little HTML in labels: ids are escaped."""
    problem = AssignmentProblem.from_arrays(np.ones((2, 2)), capacity=[1, 1], rep_ids=["<b>Ann</b>", "Ben"])
    plan = solve(problem)
    for what in ("load", "share", "price"):
        assert "&lt;b&gt;Ann&lt;/b&gt;" in drawn(plan.chart(problem, what))["data"][0]["x"]


def test_nothing_to_draw() -> None:
    """A batch without leads has a chart without leads."""
    problem = AssignmentProblem.from_arrays(np.zeros((0, 2)), capacity=[0, 0])
    plan = solve(problem)
    for figure in (problem.chart(), *(plan.chart(problem, what) for what in ("load", "share", "price"))):
        assert drawn(figure)["layout"]["title"]["text"]
