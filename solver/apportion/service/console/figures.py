"""The console's own charts: a scenario beside today's plan, group by group.

Each difference has its sign as text and each side a symbol of its own, so that no colour has to be told from another.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import pandas as pd
from jinja2.utils import htmlsafe_json_dumps

from apportion.app.whatif.rows import signed
from apportion.reasons.report.charts import BLUE, GREY, LONG, ORANGE, ROW_HEIGHT
from apportion.reasons.words import percent
from apportion.whatif import Outcome

MOST = 25  # groups in a chart; the table has them all


def change_chart(base: Outcome, one: Outcome, by: str, people: Mapping[str, str], currency: str) -> str | None:
    """Change of expected revenue by group, the largest first; None where nothing changes. people : what reps are
    called."""
    table = _beside(base, one, by, "revenue")
    table = _largest(table, 0.5)
    if table.empty:
        return None
    changes, names = table["change"].tolist(), _labels(table, people)
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": changes,
        "y": names,
        "hoverinfo": "skip",
        "marker": {
            "color": [BLUE if change > 0 else ORANGE for change in changes],
            "pattern": {"shape": ["" if change > 0 else "/" for change in changes]},
        },
    }
    amounts = {  # on the other side of zero, where there is always room
        "type": "scatter",
        "mode": "text",
        "x": [0] * len(changes),
        "y": names,
        "text": [f" {signed(change, currency)} " for change in changes],
        "textposition": ["middle left" if change > 0 else "middle right" for change in changes],
        "hoverinfo": "skip",
    }
    most = 1.05 * max(abs(change) for change in changes)
    return _figure([bars, amounts], len(table), f"Change of expected revenue, {currency}", span=[-most, most])


def share_chart(base: Outcome, one: Outcome, people: Mapping[str, str]) -> str | None:
    """What each rep is offered, of the fair share: today and in the scenario; those that change most."""
    table = _largest(_beside(base, one, "rep", "of_fair_share").dropna(), 0.005)
    if table.empty:
        return None
    table = table.sort_values("after")
    names = _labels(table, people)
    sides = [("today", "before", GREY, "circle-open"), ("scenario", "after", BLUE, "diamond")]
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [x for a, b in zip(table["before"], table["after"], strict=True) for x in (100 * a, 100 * b, None)],
            "y": [y for name in names for y in (name, name, None)],
            "line": {"color": GREY, "width": 1},
            "showlegend": False,
            "hoverinfo": "skip",
        }
    ]
    for words, column, colour, symbol in sides:
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": words,
                "x": [100 * share for share in table[column]],
                "y": names,
                "marker": {"color": colour, "symbol": symbol, "size": 10, "line": {"width": 2, "color": colour}},
                "customdata": [percent(share) for share in table[column]],
                "hovertemplate": f"{words}: %{{customdata}} of the fair share<extra></extra>",
            }
        )
    line = {"type": "line", "x0": 100, "x1": 100, "yref": "paper", "y0": 0, "y1": 1}
    shapes = [{**line, "line": {"color": GREY, "width": 1, "dash": "dot"}}]
    return _figure(traces, len(table), "Percent of the fair share", legend=True, shapes=shapes)


def _beside(base: Outcome, one: Outcome, by: str, measure: str) -> pd.DataFrame:
    """By group: before, after, change; a group that only one side has counts as nothing on the other."""
    sides = [side.groups[side.groups["by"] == by].set_index("group")[measure] for side in (base, one)]
    table = pd.concat(sides, axis=1, keys=["before", "after"])
    if measure == "revenue":
        table = table.fillna(0.0)
    return table.assign(change=table["after"] - table["before"])


def _largest(table: pd.DataFrame, least: float) -> pd.DataFrame:
    """The groups that change most, the largest change first; without those that change less than `least`."""
    size = table["change"].abs()
    return table.loc[size[size >= least].sort_values(ascending=False, kind="stable").index].head(MOST)


def _labels(table: pd.DataFrame, people: Mapping[str, str]) -> list[str]:
    """Reps by their names. Plotly reads a little HTML in labels: data is never HTML."""
    return [html.escape(people.get(str(name), str(name))) for name in table.index]


def _figure(
    traces: list[dict[str, Any]],
    n_rows: int,
    x_title: str,
    *,
    legend: bool = False,
    span: list[float] | None = None,
    shapes: list[dict[str, Any]] | None = None,
) -> str:
    """The figure as JSON that is safe inside a script element."""
    on_top = n_rows > LONG
    layout = {
        "height": 110 + (30 if legend else 0) + ROW_HEIGHT * max(n_rows, 2),
        "margin": {"l": 10, "r": 20, "t": (30 if legend else 10) + (44 if on_top else 0), "b": 10 if on_top else 50},
        "xaxis": {
            "automargin": True,
            "zeroline": True,
            "fixedrange": True,
            "side": "top" if on_top else "bottom",
            "title": {"text": x_title},
            **({} if span is None else {"range": span}),
        },
        "yaxis": {
            "automargin": True,
            "type": "category",
            "fixedrange": True,
            "range": [n_rows - 0.5, -0.5],
            "ticksuffix": "  ",
        },
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "shapes": shapes or [],
    }
    return str(htmlsafe_json_dumps({"data": traces, "layout": layout}, sort_keys=True))
