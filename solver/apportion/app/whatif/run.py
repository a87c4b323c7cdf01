"""What-if: read the tables once, then scenarios, sweeps, frontier and sensitivity beside the base."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from apportion.app.assign import read_tables
from apportion.app.obtain import obtain_model
from apportion.app.sources import Sources, default_moment
from apportion.app.whatif.report import WhatIfReport
from apportion.policy import load_policy
from apportion.whatif import How, Scenario, Setting, combine, compare, load_scenarios, sweep
from apportion.whatif.compare import Done
from apportion.whatif.compare.solving import Solver
from apportion.whatif.compare.store import PlanStore
from apportion.whatif.frontier import (
    Curve,
    Sensitivity,
    capacity_curve,
    check_rule,
    equity_frontier,
    marginal_values,
    sensitivity,
)
from apportion.whatif.setting import check_effort
from apportion_models.errors import UsageError

Step = Callable[[str], None]
KINDS = ("equity", "capacity", "marginal", "sensitivity")


@dataclass(frozen=True, kw_only=True)
class WhatIfRequest:
    """What to compare. scenarios : files, texts or objects. together : also all of them combined, as one scenario.
    grid : key paths of the policy and their values, one scenario for each point. studies : of `KINDS`.

    frontier_rule : the equity rule whose floor moves; None: the first.
    """

    sources: Sources
    scenarios: Sequence[Path | str | Scenario] = ()
    together: bool = False
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    studies: Sequence[str] = ()
    frontier_rule: str | None = None
    policy: str | Path | None = None
    model: Path | None = None
    at: pd.Timestamp | None = None
    how: How = field(default_factory=How)


def whatif(
    request: WhatIfRequest,
    *,
    step: Step = lambda _: None,
    on_done: Callable[[Done], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> WhatIfReport:
    """Compare the scenarios with the base, and do the studies that were asked for.

    Raises UsageError where nothing is asked; InputError for tables, policy, model or scenarios that cannot be used, the
    faults of all scenarios at once; InfeasibleError and LimitError where the base has no plan.
    """
    strangers = sorted(set(request.studies) - set(KINDS))
    if strangers:
        raise UsageError(f"A study must be one of {', '.join(KINDS)}. Got {', '.join(strangers)}.")
    scenarios = _scenarios(request)
    if not scenarios and not request.studies:
        raise UsageError("There must be a scenario, a --grid or a study (--frontier and the like).")
    check_effort(gap=request.how.gap, time_limit=request.how.time_limit)
    step("Reading tables")
    policy = load_policy(request.policy)
    if request.frontier_rule is not None:
        check_rule(request.frontier_rule, [rule.name for rule in policy.equity if rule.measure != "max_min"])
    read = read_tables(request.sources)
    at = default_moment(read.tables) if request.at is None else request.at
    seed = policy.solve.seed if request.how.seed is None else request.how.seed
    step("Loading the model" if request.model else "Learning from the history")
    model = obtain_model(read, request.model, at=at, seed=seed, policies=(policy,))
    base = Setting(tables=read.tables, policy=policy, model=model, at=at)
    how = replace(request.how, seed=seed)
    step("Solving the base and its scenarios")
    comparison = compare(base, scenarios, how, cancelled=cancelled, on_done=on_done)
    report = WhatIfReport(comparison=comparison)
    return report if comparison.unfinished else _studied(report, request, how, step, cancelled)


def _scenarios(request: WhatIfRequest) -> tuple[Scenario, ...]:
    found = load_scenarios(request.scenarios)
    if request.together and len(found) > 1:
        found = (*found, combine(*found))
    return (*found, *(sweep(request.grid) if request.grid else ()))


def _studied(
    report: WhatIfReport,
    request: WhatIfRequest,
    how: How,
    step: Step,
    cancelled: Callable[[], bool] | None,
) -> WhatIfReport:
    """The report with the studies; those that are done stay where Ctrl-C ends the next."""
    ground = report.comparison.base
    solver = Solver(report.comparison.effort, store=PlanStore(how.store), cancelled=cancelled)
    words = {
        "equity": "Tightening the equity floor",
        "capacity": "Moving the capacity",
        "marginal": "One more slot, one more rep",
        "sensitivity": "Doubting the fit",
    }
    found: dict[str, Curve | Sensitivity | pd.DataFrame] = {}
    make: dict[str, Callable[[], Curve | Sensitivity | pd.DataFrame]] = {
        "equity": lambda: equity_frontier(ground, solver, rule=request.frontier_rule, workers=how.workers),
        "capacity": lambda: capacity_curve(ground, solver, workers=how.workers),
        "marginal": lambda: marginal_values(ground, solver, workers=how.workers),
        "sensitivity": lambda: sensitivity(ground, solver, seed=report.comparison.effort.seed, workers=how.workers),
    }
    left = [kind for kind in KINDS if kind in request.studies]
    try:
        for kind in list(left):
            step(words[kind])
            found[kind] = make[kind]()
            left.remove(kind)
    except KeyboardInterrupt:
        pass
    return replace(report, studies=found, undone=tuple(left))
