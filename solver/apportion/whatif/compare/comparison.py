"""Comparison: scenarios beside the base, as frames, as a document, and as it shows itself in a notebook."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from apportion.whatif.compare.moves import MOVE_COLUMNS, moved_leads, moves_between
from apportion.whatif.compare.outcome import Outcome
from apportion.whatif.compare.solving import AS_GOOD, Effort
from apportion.whatif.compare.sources import Sources
from apportion.whatif.compare.uncertainty import Between
from apportion_models.policy_value.intervals import Interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

SCHEMA = "apportion.whatif/1"
Verdict = Literal["none", "noise", "gap", "more", "less"]
VERDICTS: dict[Verdict, str] = {
    "none": "no difference",
    "noise": "within the noise of the model",
    "gap": "within the gap of the solver",
    "more": "more",
    "less": "less",
}
TIDY_COLUMNS = ("scenario", "by", "group", "measure", "value", "base", "difference", "low", "high")
BANDED = ("revenue", "conversions", "worth")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a scenario changes. Intervals are of the model's uncertainty, judged by the base's model.

    solver : the difference of the best worth there can be, of which both plans are only known up to their gaps.
    moves : leads of both whose owner differs. sources : where the difference of worth comes from.
    """

    revenue: Interval
    conversions: Interval
    worth: Interval
    solver: Interval
    moves: int
    verdict: Verdict
    sources: Sources | None = None

    @classmethod
    def of(cls, one: Outcome, base: Outcome, between: Between, sources: Sources | None) -> Difference:
        """Put together what was measured."""
        same = one.solved.fingerprint == base.solved.fingerprint
        low, high = (
            (0.0, 0.0)
            if same
            else (
                one.plan.objective - base.plan.bound,
                one.plan.bound - base.plan.objective,
            )
        )
        solver = Interval(value=between["worth"].value, low=low, high=high)
        moves = moved_leads(one, base)
        as_good = one.plan.gap <= base.plan.gap * (1.0 + AS_GOOD)
        verdict = _verdict(between["revenue"], solver, as_good)
        return cls(**between, solver=solver, moves=moves, verdict=verdict, sources=sources)

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        told = asdict(self)
        told["sources"] = None if self.sources is None else self.sources.document()
        told["words"] = VERDICTS[self.verdict]
        return told


def _verdict(revenue: Interval, solver: Interval, as_good: bool) -> Verdict:
    """as_good : the plan is proved as near to the best as the base's is. The base's own plan that is not may only be
    what a solve to this gap did not get beyond."""
    if revenue.value == revenue.low == revenue.high == 0.0 and solver.value == 0.0:
        return "none" if as_good else "gap"
    if revenue.has_zero:
        return "noise"
    if solver.has_zero:
        return "gap"
    return "more" if revenue.value > 0 else "less"


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """The base and its scenarios. differences : by name; none for a scenario without a plan.

    over_router : the best router of the base, and where the base plan's worth beyond it comes from. unfinished :
    scenarios that were called off.
    """

    base: Outcome
    scenarios: tuple[Outcome, ...]
    differences: Mapping[str, Difference]
    over_router: tuple[str, Sources] | None
    effort: Effort
    level: float
    draws: int
    unfinished: tuple[str, ...] = ()

    @property
    def currency(self) -> str:
        """Of all amounts: the base's."""
        return self.base.setting.policy.currency

    @property
    def at_limit(self) -> tuple[str, ...]:
        """Scenarios, or the base, whose solve was stopped by time."""
        return tuple(one.name for one in self._all() if one.plan.certificate.stopped_by == "time")

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a scenario, the base first: totals, differences with their intervals, verdict."""
        return pd.DataFrame([self._row(one) for one in self._all()])

    def _row(self, one: Outcome) -> dict[str, Any]:
        row: dict[str, Any] = {"scenario": one.name, "status": str(one.plan.status), **one.totals}
        between = self.differences.get(one.name)
        for name in BANDED if between is not None else ():
            interval: Interval = getattr(between, name)
            row |= {f"d_{name}": interval.value, f"d_{name}_low": interval.low, f"d_{name}_high": interval.high}
        if between is not None:
            row |= {"moves": between.moves, "verdict": VERDICTS[between.verdict]}
            row |= {"solver_low": between.solver.low, "solver_high": between.solver.high}
        return row

    @cached_property
    def tidy(self) -> pd.DataFrame:
        """One row a scenario, group and measure: value, the base's value, their difference, and its interval."""
        rows = [row for one in self._all() if one.has_plan for row in self._tidy(one)]
        return pd.DataFrame(rows, columns=list(TIDY_COLUMNS))

    def _tidy(self, one: Outcome) -> Iterator[tuple[Any, ...]]:
        between = self.differences.get(one.name)
        for measure, value in one.totals.items():
            interval = getattr(between, measure) if between is not None and measure in BANDED else None
            ground = self.base.totals.get(measure, math.nan)
            change = value - ground if interval is None else interval.value
            low, high = (math.nan, math.nan) if interval is None else (interval.low, interval.high)
            yield one.name, "all", "", measure, value, ground, change, low, high
        grounds = {(row["by"], row["group"]): row for row in self.base.groups.to_dict(orient="records")}
        for row in one.groups.to_dict(orient="records"):
            ground_row = grounds.get((row["by"], row["group"]), {})
            for measure in one.groups.columns[2:]:
                value, ground = float(row[measure]), float(ground_row.get(measure, math.nan))
                if math.isfinite(value) or math.isfinite(ground):
                    yield one.name, row["by"], row["group"], measure, value, ground, value - ground, math.nan, math.nan
        for result in one.routers:
            ground = next((r.expected_revenue for r in self.base.routers if r.name == result.name), math.nan)
            value = result.expected_revenue
            yield one.name, "router", result.name, "revenue", value, ground, value - ground, math.nan, math.nan

    @cached_property
    def moves(self) -> pd.DataFrame:
        """One row a scenario and lead whose owner differs from the base's."""
        tables = [moves_between(one, self.base) for one in self.scenarios if one.has_plan]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(MOVE_COLUMNS))

    @cached_property
    def groups(self) -> pd.DataFrame:
        """One row a scenario and rep, team, tier or territory, the base first: as `Outcome.groups`, and the changes of
        leads and revenue against the base (d_leads, d_revenue)."""
        keys = ["by", "group"]
        ground = self.base.groups.set_index(keys)[["leads", "revenue"]]
        tables = [one.groups.assign(scenario=one.name) for one in self._all() if one.has_plan]
        made = pd.concat(tables, ignore_index=True)
        before = ground.reindex(pd.MultiIndex.from_frame(made[keys])).fillna(0.0).to_numpy()
        made["d_leads"], made["d_revenue"] = (made[["leads", "revenue"]].to_numpy() - before).T
        return made[["scenario", *(name for name in made.columns if name != "scenario")]]

    @cached_property
    def sources(self) -> pd.DataFrame:
        """One row a scenario and part of its difference of worth: amount, and by how much solver gaps leave it open."""
        rows = [
            (name, part, told.amount, told.gap)
            for name, between in self.differences.items()
            if between.sources is not None
            for part, told in between.sources.parts.items()
        ]
        return pd.DataFrame(rows, columns=["scenario", "part", "amount", "gap"])

    def difference_figure(self) -> go.Figure | None:
        """Differences of revenue with their intervals, hollow where not clear, as a plotly figure; None without any."""
        from apportion.whatif.charts import difference_figure  # plots are loaded only where one is asked for

        return difference_figure(self)

    def source_figure(self) -> go.Figure | None:
        """The parts of each difference of worth, as a plotly figure; None where they were not told."""
        from apportion.whatif.charts import source_figure

        return source_figure(self)

    def document(self) -> dict[str, Any]:
        """comparison.json."""
        return {
            "schema": SCHEMA,
            "at": self.base.setting.at.isoformat(),
            "currency": self.currency,
            "policy": self.base.setting.policy.fingerprint,
            "effort": asdict(self.effort),
            "interval": {
                "level": self.level,
                "draws": self.draws,
                "judged_by": "the base's model",
            },
            "base": self.base.document(),
            "base_over_router": None
            if self.over_router is None
            else {"router": self.over_router[0], **self.over_router[1].document()},
            "scenarios": [
                {
                    "name": one.name,
                    "changes": one.scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True),
                    "outcome": one.document(),
                    "difference": self.differences[one.name].document() if one.name in self.differences else None,
                }
                for one in self.scenarios
            ],
            "unfinished": list(self.unfinished),
        }

    def _repr_html_(self) -> str:
        """As a notebook shows it: one line a scenario, with the verdict in words."""
        from apportion.whatif.compare.notebook import as_html

        return as_html(self)

    def _all(self) -> tuple[Outcome, ...]:
        return (self.base, *self.scenarios)
