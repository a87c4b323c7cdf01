"""Charts of comparisons and curves, as plotly figures: for notebooks as they are, for the page as JSON.

Colours are those of Okabe and Ito, which the colour-blind can tell apart; what is clear and what is not differs in form
too. Text and grid are left to the reader's theme.
"""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from apportion.whatif.compare.sources import PARTS

if TYPE_CHECKING:
    from apportion.whatif.compare.comparison import Comparison
    from apportion.whatif.frontier.curve import Curve

BLUE, ORANGE, GREEN, SKY, GREY = "#0072B2", "#E69F00", "#009E73", "#56B4E9", "#8A8F98"
BETWEEN = GRID = "rgba(138,143,152,0.25)"  # seen on light and on dark
WRAPPED = 38  # characters of a line under an axis, as a narrow screen holds them
ROW_HEIGHT, WIDE_ROW = 24, 34  # pixels
LONGEST = 34  # characters of a name beside a chart; the whole name is in the tables
PART_WORDS = {
    "values": ("values restated", GREY),
    "slack": ("room for leads", SKY),
    "reps": ("best reps on most valuable leads", BLUE),
    "fit": ("this rep for this lead", GREEN),
    "rules": ("rules", ORANGE),
}


def difference_figure(comparison: Comparison) -> go.Figure | None:
    """Each scenario's difference of revenue with its interval; hollow where it is within noise or gap. None without."""
    names, told = list(comparison.differences), list(comparison.differences.values())
    if not told:
        return None
    clear = [between.verdict in ("more", "less") for between in told]
    points = go.Scatter(
        x=[between.revenue.value for between in told],
        y=names,
        mode="markers",
        marker={
            "size": 11,
            "color": [BLUE if sure else GREY for sure in clear],
            "symbol": ["circle" if sure else "circle-open" for sure in clear],
            "line": {"width": 2},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [between.revenue.high - between.revenue.value for between in told],
            "arrayminus": [between.revenue.value - between.revenue.low for between in told],
            "color": GREY,
            "thickness": 1.5,
        },
        hovertemplate="%{y}: %{x:,.0f}<extra></extra>",
    )
    zero = {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1}
    shapes = [{**zero, "line": {"color": GREY, "width": 1, "dash": "dot"}}]
    title = f"Difference of expected revenue, {comparison.currency}"
    return _lying([points], names, ROW_HEIGHT, title, shapes=shapes)


def source_figure(comparison: Comparison) -> go.Figure | None:
    """The parts of each difference of worth, side by side about zero. None where no sources were told."""
    told = {
        name: between.sources
        for name, between in comparison.differences.items()
        if between.sources is not None and not between.sources.missing
    }
    if not told:
        return None
    bars = [
        go.Bar(
            x=[one.parts[part].amount for one in told.values()],
            y=list(told),
            orientation="h",
            name=words,
            marker={"color": colour},
            hovertemplate=f"{words}: %{{x:,.0f}}<extra></extra>",
        )
        for part in PARTS
        for words, colour in (PART_WORDS[part],)
    ]
    title = f"Difference of worth, {comparison.currency}"
    return _lying(bars, list(told), WIDE_ROW, title, showlegend=True, barmode="relative")


def curve_figure(curve: Curve, currency: str) -> go.Figure | None:
    """Worth along a curve, with the bound above it: what lies between is not known. None where no point has a plan."""
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
        fillcolor=BETWEEN,
        hovertemplate="%{x:.2f}: %{y:,.0f}<extra></extra>",
    )
    return _figure([bound, worth], 340, curve.what, {"title": {"text": f"Worth, {currency}"}}, showlegend=True)


def _lying(traces: list[Any], names: list[str], each: int, title: str, **layout: Any) -> go.Figure:
    """One row a scenario, the first on top."""
    shown = [html.escape(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…") for name in names]
    axis = {
        "type": "category",
        "autorange": "reversed",
        "ticksuffix": "  ",
        "tickmode": "array",
        "tickvals": names,
        "ticktext": shown,
    }
    return _figure(traces, 130 + each * max(len(names), 2), title, axis, **layout)


def _figure(traces: list[Any], height: int, x_title: str, y_axis: dict[str, Any], **layout: Any) -> go.Figure:
    legend = bool(layout.setdefault("showlegend", False))
    title = "<br>".join(textwrap.wrap(x_title, WRAPPED))
    return go.Figure(
        data=traces,
        layout={
            "template": "none",
            "height": height,
            "margin": {"l": 10, "r": 20, "t": 50 if legend else 10, "b": 70},
            "xaxis": {"automargin": True, "zeroline": False, "fixedrange": True, "title": {"text": title}},
            "yaxis": {"automargin": True, "fixedrange": True, "gridcolor": GRID, "zeroline": False, **y_axis},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top"},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            **layout,
        },
    )
