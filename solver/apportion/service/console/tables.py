"""Every table of the console, as CSV that a spreadsheet may open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pandas as pd

from apportion.service.console.today import Today
from apportion.service.console.views.answers import study_frame
from apportion.service.console.views.leads import Query, find
from apportion.whatif import BaselineResult, Comparison


def leads_table(today: Today, query: Query) -> pd.DataFrame:
    """The leads that are looked for, all pages, with what was decided."""
    return find(today, query)


def reps_table(today: Today) -> pd.DataFrame:
    """Each rep's load, shares, price and capacity."""
    return today.report.explanations.reps


def prices_table(today: Today) -> pd.DataFrame:
    """The prices of rules."""
    return today.report.explanations.prices


def routers_table(today: Today) -> pd.DataFrame:
    """The plan and the routers, measured alike."""
    names = [field.name for field in fields(BaselineResult) if field.name != "rep"]
    report = today.report
    rows = [{name: _flat(getattr(one, name)) for name in names} for one in (report.own, *report.baselines)]
    return pd.DataFrame(rows, columns=names)


def _flat(value: object) -> object:
    return "; ".join(map(str, value)) if isinstance(value, tuple) else value


TODAY: dict[str, Callable[[Today], pd.DataFrame]] = {
    "reps": reps_table,
    "prices": prices_table,
    "routers": routers_table,
}
COMPARED: dict[str, Callable[[Comparison], pd.DataFrame]] = {
    "scenarios": lambda comparison: comparison.table,
    "moves": lambda comparison: comparison.moves,
    "groups": lambda comparison: comparison.tidy,
}
__all__ = ["COMPARED", "TODAY", "leads_table", "study_frame"]
