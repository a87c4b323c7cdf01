"""plots.html of decision quality: what each model captures as histories grow, its optimism, claims where nothing is."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from benchmarks.plots import COLOURS

SHOWN = (
    ("captured", "Captured: share of a perfect plan's gain", "share of the gain"),
    ("optimism", "Optimism: what the model says of its own plan, over what it is worth, minus 1", "ratio − 1"),
    ("claimed", "Claimed where reps are identical: nothing is true", "uplift over dealing blindly"),
)


def write(rows: Sequence[dict[str, Any]], folder: Path) -> Path:
    """One page: a figure a measure and world that the rows have, with 90 % intervals over the seeds."""
    wanted = [(measure, title, unit, world) for measure, title, unit in SHOWN for world in _worlds(rows, measure)]
    figures = [_figure(rows, *one) for one in wanted]
    parts = [
        pio.to_html(figure, full_html=False, include_plotlyjs=number == 0, div_id=f"plot-{number}")
        for number, figure in enumerate(figures)
    ]
    head = html.escape("Apportion: how well plans do on each model's estimates")
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{head}</title>'
    page += f"<body style='font-family: sans-serif'><h1 style='font-size: 1.2em'>{head}</h1>"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "plots.html"
    path.write_text(page + "\n".join(parts) + "</body></html>\n", encoding="utf-8")
    return path


def _worlds(rows: Sequence[dict[str, Any]], measure: str) -> list[str]:
    return list(dict.fromkeys(str(row["world"]) for row in rows if row["measure"] == measure))


def _figure(rows: Sequence[dict[str, Any]], measure: str, title: str, unit: str, world: str) -> Any:
    mine = [row for row in rows if row["measure"] == measure and row["world"] == world]
    figure = go.Figure()
    for number, model in enumerate(dict.fromkeys(row["model"] for row in mine)):
        points = sorted((row for row in mine if row["model"] == model), key=lambda row: row["rows"])
        figure.add_scatter(
            x=[row["rows"] for row in points],
            y=[row["mean"] for row in points],
            error_y={
                "array": [row["high"] - row["mean"] for row in points],
                "arrayminus": [row["mean"] - row["low"] for row in points],
            },
            name=model,
            mode="lines+markers",
            line={"color": COLOURS[number % len(COLOURS)]},
        )
    figure.update_layout(
        title=f"{title} ({world})",
        xaxis={"type": "log", "title": "past leads"},
        yaxis={"title": unit},
        height=460,
        template="plotly_white",
    )
    return figure
