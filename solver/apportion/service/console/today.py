"""Today's plan: the inputs read once, the batch assigned, and everything that questions on it start from."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from apportion import __version__
from apportion.app.assign import AssignReport, AssignRequest, finish, pose, read_inputs
from apportion.app.whatif import KINDS
from apportion.reasons import PLAN_COLUMNS, assignments_frame
from apportion.whatif import Comparison, How, Outcome, Scenario, Setting, compare
from apportion.whatif.compare import Done, Ground, lay_ground
from apportion.whatif.compare.fingerprint import problem_print
from apportion.whatif.compare.solving import Effort, OnProgress, Solver
from apportion.whatif.compare.store import PlanStore, key_of
from apportion.whatif.frontier import Curve, Sensitivity, capacity_curve, equity_frontier, marginal_values, sensitivity
from apportion_models.errors import UsageError

QUICK_GAP, QUICK_PART = 0.005, 1.5  # of a quick answer: at least, and of the gap that the plan itself came to
QUICK_SECONDS = 10.0
Step = Callable[[str], None]
Study = Curve | Sensitivity | pd.DataFrame


@dataclass(frozen=True, eq=False)
class Today:
    """The plan of the batch, and the setting that it was made from. ground : the plan as what-if starts from it. how :
    what-if is solved; its store holds finished plans, so that nothing is solved twice."""

    report: AssignReport
    setting: Setting
    ground: Ground
    how: How

    @property
    def currency(self) -> str:
        """Of all amounts."""
        return self.report.batch.policy.currency

    @property
    def base(self) -> Outcome:
        """The plan, measured as scenarios are."""
        return self.ground.outcome

    @cached_property
    def leads(self) -> pd.DataFrame:
        """Every lead of the input once, in the order of ids, with what was decided and why."""
        report = self.report
        return assignments_frame(report.batch, report.plan, explanations=report.explanations)

    @cached_property
    def texts(self) -> list[str]:
        """Everything that is known of each lead, as one text to search in; lower case."""
        own = self.leads[[name for name in self.leads.columns if name not in PLAN_COLUMNS]].astype(object)
        return [" ".join(map(str, cells)).lower() for cells in own.itertuples(index=False)]

    @cached_property
    def people(self) -> dict[str, str]:
        """Rep id -> how the rep is called, in the order of ids."""
        return dict(zip(self.report.batch.problem.rep_ids, self.report.explanations.facts.people, strict=True))

    def warm_up(self) -> None:
        """Do what the first question would wait for: the base in every drawn world, and the library of charts."""
        import plotly.graph_objects  # noqa: F401

        _ = self.ground.judge

    @property
    def quick(self) -> How:
        """How a question is answered while somebody waits: within the plan's own gap, or a few thousandths."""
        own = self.how.effort(self.setting)
        gap = max(own.gap, QUICK_GAP, QUICK_PART * self.report.plan.gap)
        return replace(self.how, gap=gap, time_limit=min(own.time_limit, QUICK_SECONDS))

    def compare(
        self,
        scenarios: Sequence[Scenario],
        *,
        sources: bool = False,
        quick: bool = False,
        cancelled: Callable[[], bool] | None = None,
        on_done: Callable[[Done], None] | None = None,
        on_progress: OnProgress | None = None,
    ) -> Comparison:
        """The scenarios beside today's plan, each warm from its prices.

        sources : tell where the gains come from. quick : no search for the last part of a percent, which takes far
        longer than all before it.
        """
        how = replace(self.quick if quick else self.how, sources=sources, routers=sources)
        ground = None if sources else self.ground  # with the sources the base is routed too
        return compare(
            self.setting,
            scenarios,
            how,
            ground=ground,
            cancelled=cancelled,
            on_done=on_done,
            on_progress=on_progress,
        )

    def study(self, kind: str, *, rule: str | None = None, cancelled: Callable[[], bool] | None = None) -> Study:
        """A curve or table beside today's plan. kind : of `KINDS`. rule : the equity rule whose floor moves."""
        effort = self.how.effort(self.setting)
        solver = Solver(effort, store=PlanStore(self.how.store), cancelled=cancelled)
        workers = self.how.workers
        match kind:
            case "equity":
                return equity_frontier(self.base, solver, rule=rule, workers=workers)
            case "capacity":
                return capacity_curve(self.base, solver, workers=workers)
            case "marginal":
                return marginal_values(self.base, solver, workers=workers)
            case "sensitivity":
                return sensitivity(self.base, solver, seed=effort.seed, workers=workers)
        raise UsageError(f"A study must be one of {', '.join(KINDS)}. Got {kind!r}.")


def open_today(
    request: AssignRequest,
    store: Path,
    *,
    step: Step = lambda _: None,
    on_progress: OnProgress | None = None,
) -> Today:
    """Read, believe, assign and measure. Raises what `assign` raises."""
    step("Reading tables")
    read, policy = read_inputs(request)
    prepared = pose(read, policy, request, step=step)
    report = finish(prepared, request, step=step, on_progress=on_progress)
    setting = Setting(tables=read.tables, policy=policy, model=prepared.model, at=prepared.batch.at)
    step("Making ready for what-if")
    return ready(report, setting, replace(request, seed=prepared.seed), store)


def ready(report: AssignReport, setting: Setting, request: AssignRequest, store: Path) -> Today:
    """A plan, made ready for questions.

    setting : that it was posed from. request : how it was solved. store : folder of finished plans."""
    how = How(
        gap=request.gap, time_limit=request.time_limit, seed=request.seed, sources=False, routers=False, store=store
    )
    _keep(report, how.effort(setting), store)
    return Today(report=report, setting=setting, ground=lay_ground(setting, how), how=how)


def _keep(report: AssignReport, effort: Effort, store: Path) -> None:
    """Put the plan where what-if looks for its base, so that it starts from this very plan, also where the clock ended
    the solve, and does not solve it a second time."""
    fingerprint = problem_print(report.batch.problem)
    key = key_of(__version__, fingerprint, None, effort.gap, effort.time_limit, effort.seed)
    PlanStore(store).write(key, report.plan)


def plan_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for finished plans that goes with the console."""
    return tempfile.TemporaryDirectory(prefix="apportion-console-")
