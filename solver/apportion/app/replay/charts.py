"""The charts over time: one line a track, told apart by colour and by dash, with one key for all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from apportion.reasons.report.charts import BLUE, GREEN, GREY, ORANGE
from apportion.whatif.replay import COHORTS, PLAN, TRUTH, Run, weeks

COLOURS = (ORANGE, GREEN, "#CC79A7", "#56B4E9", "#D55E00", GREY)  # of Okabe and Ito
DASHES = {"dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3", "longdash": "12 4", "solid": "none"}
HEIGHT = 330
GRID = "rgba(138,143,152,0.35)"  # seen on light and on dark
TOP_LEFT = {"x": 0, "xref": "container", "y": 1, "yanchor": "top", "pad": {"t": 9, "l": 10}, "font": {"size": 13}}


@dataclass(frozen=True)
class Key:
    """How a track is drawn. pattern : the dash as SVG writes it."""

    track: str
    title: str
    colour: str
    dash: str
    width: float

    @property
    def pattern(self) -> str:
        """For the key's own line."""
        return DASHES[self.dash]


def keys(run: Run) -> list[Key]:
    """The plan in blue, solid and thick; the others by colour and dash."""
    others = [track for track in run.titles if track != PLAN]
    dashes = [dash for dash in DASHES if dash != "solid"]
    made = [Key(PLAN, run.titles[PLAN], BLUE, "solid", 3.0)]
    for place, track in enumerate(others):
        made.append(Key(track, run.titles[track], COLOURS[place % len(COLOURS)], dashes[place % len(dashes)], 2.0))
    return made


def figures(run: Run) -> dict[str, str]:
    """Name -> figure as JSON that is safe inside a script element; a chart of nothing is left out."""
    currency = run.stage.policy.currency
    batches = run.measured.batches
    made = {
        "ahead": _lines(run, _ahead(batches, "worth"), f"Plan less router so far, {currency}", money=True, zero=True),
        "weekly": _lines(run, _weekly(batches, "worth"), f"Worth a week, {currency}", money=True),
        "worst": _lines(run, batches, "Least offer, % of fair share", column="worst_off_share", hundred=True, line=100),
        "band": _band(batches[batches["track"] == PLAN]),
        "used": _lines(run, batches, "Capacity of the window in use, %", column="used", hundred=True),
        "open": _lines(run, batches, "Open leads", column="open_leads"),
        "speed": _lines(run, _weekly(batches, "hours_waited", how="mean"), "Hours until a rep works the lead"),
        "new": _cohort(run),
    }
    if "booked" in batches.columns:
        title = f"Earned so far, {currency}"
        made["booked"] = _lines(run, _so_far(batches, "booked"), title, money=True)
    return {name: figure for name, figure in made.items() if figure is not None}


def _so_far(batches: pd.DataFrame, column: str) -> pd.DataFrame:
    return batches.assign(shown=batches.groupby("track")[column].cumsum())


def _ahead(batches: pd.DataFrame, column: str) -> pd.DataFrame:
    """What the plan has more than each other track so far; what only the truth could do would dwarf it."""
    total = _so_far(batches, column)
    plan = total[total["track"] == PLAN].set_index("batch")["shown"]
    others = total[~total["track"].isin([PLAN, TRUTH])]
    return others.assign(shown=others["batch"].map(plan) - others["shown"])


def _weekly(batches: pd.DataFrame, column: str, how: str = "sum") -> pd.DataFrame:
    first = batches["at"].min()
    sums = batches.assign(week=weeks(batches)).groupby(["track", "week"], sort=True)[column].agg(how).reset_index()
    return sums.assign(at=first + pd.to_timedelta(sums["week"] * 7, unit="D"), shown=sums[column])


def _lines(
    run: Run,
    table: pd.DataFrame,
    title: str,
    *,
    column: str = "shown",
    money: bool = False,
    hundred: bool = False,
    zero: bool = False,
    line: float | None = None,
) -> str | None:
    """One line a track over time."""
    traces = []
    for key in keys(run):
        own = table[table["track"] == key.track]
        if len(own) and own[column].notna().any():
            traces.append(_trace(key, own["at"], own[column] * (100 if hundred else 1), "," if money else ""))
    level = 0.0 if zero else line
    return _figure(traces, title, level) if traces else None


def _trace(key: Key, at: pd.Series, values: pd.Series, form: str) -> go.Scatter:
    shown = "%{y:,.0f}" if form else "%{y:,.1f}"
    return go.Scatter(
        x=[moment.strftime("%Y-%m-%d %H:%M") for moment in at],
        y=_numbers(values),
        mode="lines",
        name=key.title,
        line={"color": key.colour, "dash": key.dash, "width": key.width},
        connectgaps=True,
        hovertemplate=f"%{{x|%d %b %Y}}: {shown}<extra>{key.title}</extra>",
    )


def _band(plan: pd.DataFrame) -> str | None:
    """The plan's reps: the middle, the tenth to nine tenths, the least and the most."""
    if not plan["share_median"].notna().any():
        return None
    at = [moment.strftime("%Y-%m-%d %H:%M") for moment in plan["at"]]

    def line(column: str, name: str, **more: Any) -> go.Scatter:
        values = _numbers(plan[column] * 100)
        hover = f"%{{x|%d %b %Y}}: %{{y:.0f}} %<extra>{name}</extra>"
        return go.Scatter(x=at, y=values, mode="lines", name=name, hovertemplate=hover, connectgaps=True, **more)

    thin = {"color": BLUE, "width": 1, "dash": "dot"}
    none = {"color": BLUE, "width": 0}
    traces = [
        line("share_most", "the most", line=thin),
        line("share_p90", "nine tenths have less", line=none),
        line("share_p10", "one tenth has less", line=none, fill="tonexty", fillcolor="rgba(0,114,178,0.25)"),
        line("share_median", "the middle", line={"color": BLUE, "width": 3}),
        line("share_least", "the least", line=thin),
    ]
    return _figure(traces, "Offered, % of fair share", 100.0)


def _cohort(run: Run) -> str | None:
    """New reps: what they were offered against their fair share, on every track."""
    table = run.measured.cohorts
    new = table[table["cohort"] == COHORTS[0]]
    return _lines(run, new, "Offered to new reps, % of fair share", column="of_fair_share", hundred=True, line=100)


def _numbers(values: Any) -> list[float | None]:
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]


def _figure(traces: Sequence[Any], title: str, level: float | None) -> str:
    """The figure as JSON that is safe inside a script element."""
    mark = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level}
    shapes = [] if level is None else [{**mark, "line": {"color": GREY, "width": 1, "dash": "dot"}}]
    figure = go.Figure(
        data=list(traces),
        layout={
            "template": "none",
            "height": HEIGHT,
            "margin": {"l": 10, "r": 14, "t": 38, "b": 36},
            "xaxis": {"automargin": True, "fixedrange": True, "type": "date", "showgrid": False, "nticks": 6},
            "yaxis": {"automargin": True, "fixedrange": True, "zeroline": False, "gridcolor": GRID},
            "title": {**TOP_LEFT, "text": title},
            "showlegend": False,
            "shapes": shapes,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
        },
    )
    plain = json.dumps(json.loads(figure.to_json()), sort_keys=True, separators=(",", ":"))
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
