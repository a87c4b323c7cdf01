"""Charts of a problem and its plan, as plotly figures. Loaded only where somebody asks for one.

They bring a white paper along, so that they read the same in a light and in a dark notebook. The colours are those of
Okabe and Ito, which the colour-blind can tell apart.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from apportion.problem.pairs import Floats
from apportion.problem.plan import Plan
from apportion.problem.problem import AssignmentProblem
from apportion.problem.tables import rep_frame
from apportion_models.errors import UsageError

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#8A8F98"
HEIGHT = 380  # pixels


def plan_figure(problem: AssignmentProblem, plan: Plan, what: str = "load") -> Any:
    """A chart of the reps. what : "load" against capacity; "share" of opportunity and revenue against the fair share;
    "price" of one more effort unit. The largest come first.

    Raises UsageError for another word, or where the plan is not one of this problem.
    """
    if what not in CHARTS:
        raise UsageError(f"what must be one of {', '.join(CHARTS)}. Got {what!r}.")
    return CHARTS[what](rep_frame(problem, plan))


def problem_figure(problem: AssignmentProblem) -> Any:
    """What the leads are worth at best, the most valuable first, over the effort that they take together; a line where
    the capacity of all reps ends. Effort of a lead is its mean over the reps who may have it."""
    best = _best_by_lead(problem)
    effort = problem.pairs.mean_by_lead(problem.effort)
    order = np.argsort(-best, kind="stable")
    taken = np.cumsum(effort[order])
    curve = go.Scatter(x=taken.tolist(), y=best[order].tolist(), line={"color": BLUE, "shape": "hv"}, name="best value")
    figure = _figure([curve], "What is there to place, and for how much is there room?")
    end = float(problem.capacity.sum())
    figure.add_vline(x=end, line={"color": ORANGE, "width": 2}, annotation={"text": "all capacity"})
    figure.update_xaxes(title="effort units, the most valuable leads first", rangemode="tozero")
    return figure.update_yaxes(title="value of the lead's best pair", rangemode="tozero")


def _best_by_lead(problem: AssignmentProblem) -> Floats:
    """(L,) the largest value of a lead's pairs; 0 for a lead with none."""
    best, filled = np.zeros(problem.n_leads), problem.pairs.count > 0
    if filled.any():
        best[filled] = np.maximum.reduceat(problem.value, problem.pairs.start[:-1][filled])
    return best


def _load(reps: Any) -> Any:
    reps = reps.sort_values(["capacity", "rep_id"], ascending=[False, True], kind="stable")
    names = _names(reps["rep_id"])
    load = go.Bar(x=names, y=reps["load"].tolist(), name="load", marker={"color": BLUE})
    empty = {"color": "rgba(0,0,0,0)", "line": {"color": BLUE, "width": 1}}
    room = go.Bar(x=names, y=reps["room"].tolist(), name="room left", marker=empty)
    return _figure([load, room], "How full is each rep?", "effort units").update_layout(barmode="stack")


def _share(reps: Any) -> Any:
    reps = reps[reps["fair_share"] > 0]
    reps = reps.sort_values(["opportunity_share", "rep_id"], ascending=[False, True], kind="stable")
    names = _names(reps["rep_id"])
    dots = [
        go.Scatter(
            x=names,
            y=(100 * reps[column]).tolist(),
            name=name,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 8},
        )
        for column, name, colour, symbol in (
            ("opportunity_share", "offered (opportunity)", GREEN, "circle"),
            ("revenue_share", "expected revenue", ORANGE, "diamond"),
        )
    ]
    figure = _figure(dots, "Does each rep get a fair share?", "% of the fair share")
    figure.add_hline(y=100, line={"color": GREY, "dash": "dot"})
    return figure.update_yaxes(rangemode="tozero")


def _price(reps: Any) -> Any:
    reps = reps.sort_values(["price", "rep_id"], ascending=[False, True], kind="stable")
    bars = go.Bar(x=_names(reps["rep_id"]), y=reps["price"].tolist(), marker={"color": ORANGE}, name="price")
    return _figure([bars], "What is one more slot worth?", "currency for one more effort unit")


CHARTS: dict[str, Callable[[Any], Any]] = {"load": _load, "share": _share, "price": _price}


def _figure(traces: Sequence[Any], title: str, upright: str = "") -> Any:
    figure = go.Figure(list(traces))
    figure.update_layout(
        template="plotly_white",
        title={"text": title},
        height=HEIGHT,
        margin={"l": 60, "r": 20, "t": 60, "b": 50},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1.0, "xanchor": "right"},
    )
    return figure.update_yaxes(title=upright)


def _names(ids: Any) -> list[str]:
    """Plotly reads a little HTML in labels: data is never HTML."""
    return [html.escape(str(name)) for name in ids]
