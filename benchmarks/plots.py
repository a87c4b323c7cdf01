"""plots.html: ratio, time, memory and gap of each row, and growth on logarithmic axes. Works offline."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from benchmarks.case import Result
from benchmarks.curves import Curve
from benchmarks.report import Book
from benchmarks.summary import Line, lines

# Okabe and Ito's colours, which the colour-blind can tell apart; ours is the blue in all plots
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#B8A800", "#6B6B6B", "#000000", "#8C564B")
MEASURES: tuple[tuple[str, str, Callable[[Line], float | None]], ...] = (
    ("Time against ours", "times as long (1 is ours)", lambda line: line.ratio),
    ("Time of a call, model building included", "seconds", lambda line: line.seconds),
    ("Peak memory", "MiB", lambda line: line.result.peak_mib),
    ("Gap to the best bound that holds", "% (exact plans at 0.00001)", lambda line: _visible(line.gap)),
)


def write(book: Book, folder: Path) -> None:
    """One page with all plots; plotly's script is in it once."""
    figures = [_bars(book, *measure) for measure in MEASURES]
    for curve in book.curves:
        if results := book.of(curve.name):
            figures += [_growth(curve, results, "seconds"), _growth(curve, results, "MiB")]
    parts = [
        pio.to_html(figure, full_html=False, include_plotlyjs=number == 0, div_id=f"plot-{number}")
        for number, figure in enumerate(figures)
    ]
    machine = book.machine
    head = f"Apportion benchmarks, {machine['date']}, commit {machine['commit'] or 'unknown'}, {machine['cores']} cores"
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(head)}</title>'
    page += f"<body style='font-family: sans-serif'><h1 style='font-size: 1.2em'>{html.escape(head)}</h1>"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plots.html").write_text(page + "\n".join(parts) + "</body></html>\n", encoding="utf-8")


def _visible(gap: float | None) -> float | None:
    """On a logarithmic axis nothing is nowhere."""
    return None if gap is None else max(100 * gap, 1e-5)


def _bars(book: Book, title: str, unit: str, measure: Callable[[Line], float | None]) -> Any:
    figure = go.Figure()
    found = [(row.name, line) for row in book.rows for line in lines(book.of(row.name))]
    titles = list(dict.fromkeys(line.result.title for _, line in found))
    for title_of, colour in zip(titles, _colours(titles), strict=True):
        mine = [(name, line, measure(line)) for name, line in found if line.result.title == title_of]
        shown = [(name, line, number) for name, line, number in mine if number is not None]
        figure.add_bar(
            x=[number for _, _, number in shown],
            y=[name for name, _, _ in shown],
            name=title_of,
            orientation="h",
            marker={"color": colour, "pattern": {"shape": ["/" if line.at_least else "" for _, line, _ in shown]}},
            hovertext=["; ".join(line.notes) or line.verdict for _, line, _ in shown],
        )
    rows = len({name for name, _ in found})
    figure.update_layout(
        title=f"{title} (hatched: ended at the limit)",
        xaxis={"type": "log", "title": unit},
        yaxis={"autorange": "reversed"},
        height=160 + max(1, rows) * (14 * min(len(titles), 6) + 12),
        template="plotly_white",
    )
    return figure


def _growth(curve: Curve, results: Sequence[Result], unit: str) -> Any:
    figure = go.Figure()
    contenders = list(dict.fromkeys(result.case.contender for result in results))
    for contender, colour in zip(contenders, _colours(contenders), strict=True):
        mine = [result for result in results if result.case.contender == contender]
        shown = [(one, one.seconds() if unit == "seconds" else one.peak_mib) for one in mine]
        points = [(one, number) for one, number in shown if number is not None]
        if not points:
            continue
        figure.add_scatter(
            x=[one.case.sizes[curve.axis] for one, _ in points],
            y=[number for _, number in points],
            name=mine[0].title,
            mode="lines+markers",
            line={"color": colour},
            marker={"symbol": ["circle" if one.verdict == "verified" else "x" for one, _ in points]},
            hovertext=[one.reason or one.verdict for one, _ in points],
        )
    figure.update_layout(
        title=f"{curve.title}: {unit} (cross: no plan that keeps the rules)",
        xaxis={"type": "log", "title": curve.axis},
        yaxis={"type": "log", "title": unit},
        height=460,
        template="plotly_white",
    )
    return figure


def _colours(names: Sequence[str]) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(len(names))]
