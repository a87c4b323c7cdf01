"""The charts.

Colours are those of Okabe and Ito, which the colour-blind can tell apart; text and grid take the page's colours in
the browser. Long charts scroll in a box, so their axis stands on top.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from apportion.reasons.report.view import Measured
from apportion.reasons.words import money, number

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#8A8F98"
ROW_HEIGHT = 24  # pixels a bar
LONG = 20  # bars, beyond which the axis goes to the top


def baseline_chart(baselines: Sequence[Measured], revenue: float, currency: str) -> str:
    """Expected revenue of the plan and of each baseline, best first."""
    rows = sorted([(result.expected_revenue, result.title) for result in baselines], reverse=True)
    names, amounts = ["This plan", *[name for _, name in rows]], [revenue, *[amount for amount, _ in rows]]
    bars = go.Bar(
        x=_numbers(amounts),
        y=_labels(names),
        orientation="h",
        marker={"color": [BLUE] + [GREY] * len(rows)},
        text=[money(amount, currency) for amount in amounts],
        textposition="auto",
        hoverinfo="skip",
    )
    return _json([bars], len(names), x_title=f"Expected revenue, {currency}")


def load_chart(reps: pd.DataFrame) -> str:
    """Load against capacity, rep by rep."""
    load, capacity = reps["load"].to_numpy(), reps["capacity"].to_numpy()
    free = np.maximum(capacity - load, 0.0)
    words = [f"{number(a)} of {number(b)}" for a, b in zip(load, capacity, strict=True)]
    shared = {"y": _labels(reps["name"]), "orientation": "h", "customdata": words}
    bars = [
        go.Bar(
            x=_numbers(load),
            name="Load",
            marker={"color": BLUE},
            hovertemplate="%{customdata}<extra></extra>",
            **shared,
        ),
        go.Bar(
            x=_numbers(free),
            name="Room left",
            marker={"color": "rgba(0,0,0,0)", "line": {"color": BLUE, "width": 1}},
            hovertemplate="%{customdata}<extra></extra>",
            **shared,
        ),
    ]
    return _json(bars, len(reps), x_title="Effort units", barmode="stack", legend=True)


def share_chart(reps: pd.DataFrame) -> str:
    """Opportunity against fair share, with the floor of the policy; the worst off first."""
    known = reps[reps["opportunity_share"].notna()].sort_values(["opportunity_share", "rep_id"], kind="stable")
    names = _labels(known["name"])
    traces: list[Any] = [
        go.Bar(
            x=_numbers(known["opportunity_share"] * 100),
            y=names,
            orientation="h",
            name="Share of opportunity",
            marker={"color": GREEN},
            hovertemplate="%{x:.0f} % of the fair share<extra></extra>",
        )
    ]
    floor = known["opportunity_floor"]
    if floor.notna().any():
        traces.append(
            go.Scatter(
                x=_numbers(floor * 100),
                y=names,
                mode="markers",
                name="Floor of the policy",
                marker={"symbol": "line-ns-open", "size": 16, "color": ORANGE, "line": {"width": 3}},
                hovertemplate="floor %{x:.0f} %<extra></extra>",
            )
        )
    line = {"type": "line", "x0": 100, "x1": 100, "yref": "paper", "y0": 0, "y1": 1}
    shapes = [{**line, "line": {"color": GREY, "width": 1, "dash": "dot"}}]
    return _json(
        traces, len(known), x_title="Percent of the fair share (100 is exactly fair)", legend=True, shapes=shapes
    )


def price_chart(reps: pd.DataFrame, currency: str) -> str:
    """What one more slot of each rep is worth, the dearest first; without the reps where it is worth nothing."""
    dear = reps[reps["slot_price"] > 0].sort_values(["slot_price", "rep_id"], ascending=[False, True], kind="stable")
    bars = go.Bar(
        x=_numbers(dear["slot_price"]),
        y=_labels(dear["name"]),
        orientation="h",
        marker={"color": ORANGE},
        customdata=[money(price, currency) for price in dear["slot_price"]],
        hovertemplate="%{customdata} for one more effort unit<extra></extra>",
    )
    return _json([bars], len(dear), x_title=f"{currency} for one more effort unit")


def _json(traces: list[Any], n_rows: int, *, x_title: str, legend: bool = False, **layout: Any) -> str:
    """The figure as JSON that is safe inside a script element."""
    on_top = n_rows > LONG
    above, below = (30 if legend else 8) + (44 if on_top else 0), 8 if on_top else 44
    x_axis = {"automargin": True, "zeroline": False, "fixedrange": True, "side": "top" if on_top else "bottom"}
    y_axis = {"automargin": True, "type": "category", "fixedrange": True, "ticksuffix": "  "}
    figure = go.Figure(
        data=traces,
        layout={
            "template": "none",
            "height": above + below + 20 + ROW_HEIGHT * max(n_rows, 2),
            "margin": {"l": 10, "r": 20, "t": above, "b": below},
            "xaxis": {**x_axis, "title": {"text": x_title, "standoff": 8}, "showgrid": True},
            "yaxis": {**y_axis, "range": [n_rows - 0.5, -0.5]},
            "showlegend": legend,
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top"},
            "bargap": 0.3,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            **layout,
        },
    )
    plain = json.dumps(json.loads(figure.to_json()), sort_keys=True, separators=(",", ":"))
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _numbers(amounts: Any) -> list[float | None]:
    return [round(float(amount), 6) if np.isfinite(amount) else None for amount in amounts]


def _labels(names: Any) -> list[str]:
    """Plotly reads a little HTML in labels: data is never HTML."""
    return [html.escape(str(name)) for name in names]
