"""How a comparison shows itself in a notebook: a table in the notebook's own colours, light or dark."""

from __future__ import annotations

import html

from apportion.whatif.compare.comparison import VERDICTS, Comparison
from apportion.whatif.compare.outcome import Outcome

NUMBERS = 5  # of the columns, after the name


def as_html(comparison: Comparison) -> str:
    """One line a scenario: revenue, difference, interval, moves, gap, verdict."""
    head = ("scenario", "revenue", "difference", f"{comparison.level:.0%} interval", "moves", "gap", "")
    body = "".join(_row(_cells(comparison, one), "td") for one in (comparison.base, *comparison.scenarios))
    told = (
        f"Expected, in {comparison.currency}, by the base's model; intervals from {comparison.draws} worlds that the "
        "history allows. Predicted, not proved."
    )
    caption = f'<caption style="caption-side:bottom;text-align:left">{html.escape(told)}</caption>'
    return f"<table>{caption}<thead>{_row(head, 'th')}</thead><tbody>{body}</tbody></table>"


def _row(cells: tuple[str, ...], tag: str) -> str:
    made = []
    for place, cell in enumerate(cells):
        side = "right" if 1 <= place <= NUMBERS else "left"
        made.append(f'<{tag} style="text-align:{side}">{html.escape(cell)}</{tag}>')
    return f"<tr>{''.join(made)}</tr>"


def _cells(comparison: Comparison, one: Outcome) -> tuple[str, ...]:
    between = comparison.differences.get(one.name)
    if not one.has_plan:
        return (one.name, "–", "–", "–", "–", "–", "no plan keeps its hard rules")
    own = (one.name, f"{one.totals['revenue']:,.0f}")
    gap = f"{one.totals['gap']:.2%}"
    if between is None:
        return (*own, "", "", "", gap, "")
    change = between.revenue
    band = f"{change.low:+,.0f} to {change.high:+,.0f}"
    return (*own, f"{change.value:+,.0f}", band, f"{between.moves:,}", gap, VERDICTS[between.verdict])
