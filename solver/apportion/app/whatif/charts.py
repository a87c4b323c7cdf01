"""The charts of the page, in the colours and manner of the report's."""

from __future__ import annotations

import html
import json
from typing import Any

import numpy as np
import plotly.graph_objects as go

from apportion.reasons.report.charts import BLUE, GREEN, GREY, ORANGE, ROW_HEIGHT
from apportion.whatif import Comparison
from apportion.whatif.compare import PARTS
from apportion.whatif.frontier import Curve

SKY = "#56B4E9"
PART_WORDS = {
    "values": ("values restated", GREY),
    "slack": ("room for leads", SKY),
    "reps": ("best reps on most valuable leads", BLUE),
    "fit": ("this rep for this lead", GREEN),
    "rules": ("rules", ORANGE),
}
CLEAR, UNCLEAR = BLUE, GREY


def difference_chart(comparison: Comparison) -> str | None:
    """Each scenario's difference of revenue with its interval; hollow where it is within noise or gap."""
    rows = [(name, between) for name, between in comparison.differences.items()]
    if not rows:
        return None
    values = [between.revenue.value for _, between in rows]
    clear = [between.verdict in ("more", "less") for _, between in rows]
    points = go.Scatter(
        x=values,
        y=[html.escape(name) for name, _ in rows],
        mode="markers",
        marker={
            "size": 11,
            "color": [CLEAR if sure else UNCLEAR for sure in clear],
            "symbol": ["circle" if sure else "circle-open" for sure in clear],
            "line": {"width": 2},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [between.revenue.high - between.revenue.value for _, between in rows],
            "arrayminus": [between.revenue.value - between.revenue.low for _, between in rows],
            "color": GREY,
            "thickness": 1.5,
        },
        hovertemplate="%{y}: %{x:,.0f}<extra></extra>",
    )
    line = {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1}
    shapes = [{**line, "line": {"color": GREY, "width": 1, "dash": "dot"}}]
    return _json([points], _rows(len(rows)), f"Difference of expected revenue, {comparison.currency}", shapes=shapes)


def source_chart(comparison: Comparison) -> str | None:
    """The parts of each difference of worth, side by side about zero."""
    told = {
        name: between.sources
        for name, between in comparison.differences.items()
        if between.sources is not None and not between.sources.missing
    }
    if not told:
        return None
    bars = []
    for part in PARTS:
        words, colour = PART_WORDS[part]
        bars.append(
            go.Bar(
                x=[one.parts[part].amount for one in told.values()],
                y=[html.escape(name) for name in told],
                orientation="h",
                name=words,
                marker={"color": colour},
                hovertemplate=f"{words}: %{{x:,.0f}}<extra></extra>",
            )
        )
    title = f"Difference of worth, {comparison.currency}"
    return _json(bars, _rows(len(told), 34), title, legend=True, barmode="relative")


def curve_chart(curve: Curve, currency: str) -> str | None:
    """Worth along a curve, with the bound above it: what lies between is not known."""
    known = curve.points[curve.points["worth"].notna()]
    if not len(known):
        return None
    at = known["at"].tolist()
    bound = go.Scatter(
        x=at, y=known["bound"].tolist(), mode="lines", name="proved bound", line={"color": GREY, "dash": "dot"}
    )
    worth = go.Scatter(
        x=at,
        y=known["worth"].tolist(),
        mode="lines+markers",
        name="plan",
        line={"color": BLUE},
        fill="tonexty",
        fillcolor="rgba(138,143,152,0.25)",
        hovertemplate="%{x:.2f}: %{y:,.0f}<extra></extra>",
    )
    return _json([bound, worth], 320, curve.what, legend=True, upright=f"Worth, {currency}")


def _rows(count: int, each: int = ROW_HEIGHT) -> int:
    return 110 + each * max(count, 2)


def _json(
    traces: list[Any], height: int, x_title: str, *, legend: bool = False, upright: str | None = None, **layout: Any
) -> str:
    """The figure as JSON that is safe inside a script element."""
    category = {"type": "category", "autorange": "reversed", "ticksuffix": "  "} if upright is None else {}
    figure = go.Figure(
        data=traces,
        layout={
            "template": "none",
            "height": height,
            "margin": {"l": 10, "r": 20, "t": 50 if legend else 10, "b": 50},
            "xaxis": {"automargin": True, "zeroline": False, "fixedrange": True, "title": {"text": x_title}},
            "yaxis": {"automargin": True, "fixedrange": True, "title": {"text": upright or ""}, **category},
            "showlegend": legend,
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top"},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            **layout,
        },
    )
    plain = json.dumps(json.loads(figure.to_json()), sort_keys=True, separators=(",", ":"), default=_number)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
