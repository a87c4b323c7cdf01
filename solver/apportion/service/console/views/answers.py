"""What scenarios come to beside today's plan, and what studies found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from apportion.app.whatif import rows
from apportion.app.whatif.charts import embedded
from apportion.app.whatif.page import NOTES, TITLES, sentences
from apportion.reasons.report.view import Cell
from apportion.reasons.words import count, percent
from apportion.service.console.figures import change_chart, share_chart
from apportion.service.console.panel import told
from apportion.service.console.today import Study, Today
from apportion.service.console.views.cells import Shown, lead_cell, rep_cell, to
from apportion.whatif import Comparison, Difference, Outcome
from apportion.whatif.compare import BASE, VERDICTS
from apportion.whatif.frontier import Curve, Sensitivity

Tile = tuple[str, str, str]
SOURCES = "The parts of each difference"
OFFERED = "Offered of the fair share: ○ today, ◆ scenario; who changes most"
PARTED = ("team", "territory", "tier")


def drawn(figure: go.Figure | None) -> str | None:
    """A figure as the page takes it; None for none."""
    return None if figure is None else embedded(figure)


@dataclass(frozen=True)
class AnswerView:
    """One or several scenarios beside today's plan. changes : scenario -> what it changes, in words.

    figures : heading and chart of a single scenario, group by group. studied : whether anything is still to be told of
    where the difference comes from.
    """

    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
    changes: Mapping[str, tuple[str, ...]]
    charts: Mapping[str, str]
    captions: Mapping[str, str]
    scenarios: Shown
    sources: Shown | None
    moves: Shown
    n_moves: int
    groups: Shown
    level: str
    draws: int
    seconds: float


def answer_view(today: Today, comparison: Comparison, job: str, seconds: float) -> AnswerView:
    """What a comparison says. job : under whose number its tables are handed out. seconds : that it took."""
    drawn = _charts(today, comparison)
    sources = rows.source_rows(comparison)
    return AnswerView(
        sentences=tuple(sentences(comparison)),
        tiles=_tiles(comparison, seconds),
        changes={one.name: told(one.scenario) for one in comparison.scenarios},
        charts={name: chart for name, (chart, _) in drawn.items()},
        captions={name: caption for name, (_, caption) in drawn.items()},
        scenarios=Shown(
            "scenario-table",
            "Today's plan and the scenarios",
            rows.SCENARIO_COLUMNS,
            rows.scenario_rows(comparison),
            csv=to("tables/scenarios.csv", job=job),
        ),
        sources=Shown("source-table", SOURCES, rows.SOURCE_COLUMNS, sources) if sources else None,
        moves=_moves(today, comparison, job),
        n_moves=len(comparison.moves),
        groups=_groups(today, comparison, job),
        level=f"{comparison.level:.0%}",
        draws=comparison.draws,
        seconds=seconds,
    )


def _moves(today: Today, comparison: Comparison, job: str) -> Shown:
    """The leads whose owner changes, each leading to its reasons today."""
    known, people = set(today.report.batch.problem.lead_ids), today.people
    made = [
        [
            scenario,
            lead_cell(lead.text) if lead.text in known else lead,
            _named(before, people),
            _named(after, people),
            *rest,
        ]
        for scenario, lead, before, after, *rest in rows.move_rows(comparison)
    ]
    skip = _needless(comparison)
    return Shown(
        "move-table",
        "Leads whose owner changes",
        rows.MOVE_COLUMNS[skip:],
        [row[skip:] for row in made],
        csv=to("tables/moves.csv", job=job),
        search=True,
        empty="No lead changes its owner.",
    )


def _groups(today: Today, comparison: Comparison, job: str) -> Shown:
    """What each rep, team, tier and territory gets in the scenarios; reps by their names."""
    skip = _needless(comparison)
    made = [
        [scenario, by, _named(group, today.people) if by.text == "rep" else group, *rest]
        for scenario, by, group, *rest in rows.group_rows(comparison)
        if scenario.text != BASE
    ]
    return Shown(
        "group-table",
        "What each rep, team, tier and territory gets",
        rows.GROUP_COLUMNS[skip:],
        [row[skip:] for row in made],
        csv=to("tables/groups.csv", job=job),
        search=True,
    )


def _needless(comparison: Comparison) -> int:
    """How many columns can be spared: with one scenario, that which names it."""
    return 1 if len(comparison.scenarios) == 1 else 0


def _named(rep: Cell, people: dict[str, str]) -> Cell:
    """A rep by name; whoever is no rep of today, or nobody, as they are."""
    return rep_cell(rep.text, people, rep.text)


def _plus(amount: float) -> str:
    """+3, −2."""
    return f"{amount:+,.0f}".replace("-", "−")


def _charts(today: Today, comparison: Comparison) -> dict[str, tuple[str, str]]:
    """Name -> chart and caption; a chart of nothing is left out."""
    level, currency, people = f"{comparison.level:.0%}", today.currency, today.people
    caption = f"Difference of expected revenue against today's plan, with its {level} interval; hollow: not clear"
    made = {"difference": (drawn(comparison.difference_figure()), caption)}
    made["sources"] = (drawn(comparison.source_figure()), "Where each difference comes from")
    if len(comparison.scenarios) == 1 and comparison.scenarios[0].has_plan:
        base, one = comparison.base, comparison.scenarios[0]
        made["rep"] = (change_chart(base, one, "rep", people, currency), "Change by rep, the largest first")
        made["share"] = (share_chart(base, one, people), OFFERED)
        for by in PARTED:
            made[by] = (change_chart(base, one, by, {}, currency), f"Change by {by}")
    return {name: (chart, caption) for name, (chart, caption) in made.items() if chart is not None}


def _tiles(comparison: Comparison, seconds: float) -> tuple[Tile, ...]:
    """The figures at the top, for a single scenario with a plan."""
    if len(comparison.scenarios) != 1 or not comparison.scenarios[0].has_plan:
        return ()
    one = comparison.scenarios[0]
    between = comparison.differences[one.name]
    return (*_difference(comparison, one, between), ("Answered in", f"{seconds:.1f} s", "solved anew and verified"))


def _difference(comparison: Comparison, one: Outcome, between: Difference) -> tuple[Tile, ...]:
    currency, totals, base = comparison.currency, one.totals, comparison.base.totals
    placed = totals["placed"] - base["placed"]
    band = rows.interval_words(between.revenue, currency)
    return (
        (
            "Expected revenue",
            rows.signed(between.revenue.value, currency),
            f"{VERDICTS[between.verdict]}; {comparison.level:.0%}: {band}",
        ),
        ("Leads that move", f"{between.moves:,}", f"of {count(round(base['placed'] + base['nurture']), 'lead')}"),
        (
            "Leads placed",
            f"{totals['placed']:,.0f}",
            f"{_plus(placed)} against today" if placed else "as many as today",
        ),
        (
            "Worst-off rep, of fair share",
            percent(totals["worst_off_share"]),
            f"today {percent(base['worst_off_share'])}",
        ),
        ("Proved within", percent(totals["gap"]), f"today {percent(base['gap'])}"),
    )


@dataclass(frozen=True)
class StudyView:
    """A study: what it is, its chart where it is a curve, and its table."""

    kind: str
    title: str
    note: str
    charts: Mapping[str, str]
    captions: Mapping[str, str]
    table: Shown


def study_frame(study: Study) -> pd.DataFrame:
    """The rows of a study."""
    return study.points if isinstance(study, Curve) else study.beliefs if isinstance(study, Sensitivity) else study


def study_view(kind: str, study: Study, currency: str, job: str) -> StudyView:
    """What a study says."""
    table = study_frame(study)
    chart = drawn(study.figure(currency)) if isinstance(study, Curve) else None
    told_rows = rows.study_rows(table, currency)
    columns = tuple(rows.study_words(str(name)) for name in table.columns)
    return StudyView(
        kind=kind,
        title=TITLES[kind],
        note=NOTES[kind],
        charts={} if chart is None else {"study": chart},
        captions={"study": TITLES[kind]},
        table=Shown("study-table", TITLES[kind], columns, told_rows, csv=to("tables/study.csv", job=job)),
    )
