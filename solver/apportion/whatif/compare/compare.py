"""compare: scenarios beside a base, each solved from the base's prices, on as many threads as there are cores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from apportion.build import Batch, Estimates
from apportion.problem import Status
from apportion.whatif.compare.comparison import Comparison, Difference
from apportion.whatif.compare.outcome import Outcome, measure
from apportion.whatif.compare.solving import Effort, OnProgress, Solver
from apportion.whatif.compare.sources import Attribution, Sources
from apportion.whatif.compare.store import PlanStore
from apportion.whatif.compare.uncertainty import Judge
from apportion.whatif.estimates import Beliefs
from apportion.whatif.scenarios import Scenario, apply, believed
from apportion.whatif.setting import Setting, pose
from apportion_models.errors import Finding, InfeasibleError, InputError, LimitError

BASE = "base"
DRAWS, LEVEL = 400, 0.9
LOOK_EVERY = 0.2  # seconds between two looks at whether somebody called it off


@dataclass(frozen=True, kw_only=True)
class Done:
    """One scenario is finished. reused : its plan was there already."""

    name: str
    number: int
    of: int
    reused: bool


@dataclass(frozen=True, kw_only=True)
class How:
    """How a comparison is made. None: the policy's own setting.

    draws, level : of the intervals. sources : tell the parts of each gain, at up to six further solves a scenario.
    routers : route every scenario by the baselines too. workers : threads; the number changes no byte. store : folder
    in which finished plans are kept and found again.
    """

    gap: float | None = None
    time_limit: float | None = None
    seed: int | None = None
    draws: int = DRAWS
    level: float = LEVEL
    sources: bool = True
    routers: bool = True
    workers: int = 2
    store: Path | None = None

    def effort(self, setting: Setting) -> Effort:
        """How exactly each problem is solved."""
        own = setting.policy.solve
        return Effort(
            gap=own.gap if self.gap is None else self.gap,
            time_limit=own.time_limit if self.time_limit is None else self.time_limit,
            seed=own.seed if self.seed is None else self.seed,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """A base that is solved and measured: what every comparison with it starts from. estimates : what is believed of
    it."""

    outcome: Outcome
    estimates: Estimates
    how: How

    @cached_property
    def beliefs(self) -> Beliefs:
        """What the base's model believes of its leads and of reps who change."""
        setting = self.outcome.setting
        return Beliefs(setting.model, setting.tables, setting.policy, self.estimates, at=setting.at)

    @cached_property
    def judge(self) -> Judge:
        """The base in every drawn world; made when it is first asked for."""
        how, setting = self.how, self.outcome.setting
        return Judge(self.outcome, draws=how.draws, seed=how.effort(setting).seed, level=how.level)


def lay_ground(base: Setting, how: How | None = None) -> Ground:
    """The ground of many comparisons with one base. Raises InfeasibleError and LimitError where it has no plan."""
    return _Desk(base, how or How(), None, None, None).ground


def compare(
    base: Setting,
    scenarios: Sequence[Scenario],
    how: How | None = None,
    *,
    ground: Ground | None = None,
    cancelled: Callable[[], bool] | None = None,
    on_done: Callable[[Done], None] | None = None,
    on_progress: OnProgress | None = None,
) -> Comparison:
    """Solve the base and every scenario, and tell what differs and how sure that is.

    ground : what `lay_ground` made of the same base and how, so that it is not made again; it changes no byte.
    cancelled : asked as it runs; when it says True, or at Ctrl-C, the scenarios that are finished are given back.
    on_progress : told by the threads that solve, at every better bound or plan of any problem.
    Raises InputError with the faults of all scenarios, before anything is solved; InfeasibleError and LimitError where
    the base has no plan. A scenario without a plan is an answer.
    """
    how = how or How()
    settings = _settings(base, scenarios)
    desk = _Desk(base, how, cancelled, ground, on_progress)
    ground, outcome = desk.ground, desk.ground.outcome
    found, whole = desk.run(list(zip(scenarios, settings, strict=True)), on_done)
    differences = {one.name: desk.differences[one.name] for one in found if one.has_plan}
    return Comparison(
        base=outcome,
        scenarios=tuple(found),
        differences=differences,
        over_router=desk.over_router(outcome) if how.sources and how.routers and whole else None,
        effort=how.effort(base),
        level=how.level,
        draws=how.draws,
        unfinished=tuple(one.name for one in scenarios if one.name not in {done.name for done in found}),
    )


def _settings(base: Setting, scenarios: Sequence[Scenario]) -> list[Setting]:
    """Every scenario applied; the faults of all are told together."""
    faults: list[Finding] = []
    made = []
    names: set[str] = set()
    for one in scenarios:
        if one.name in names or one.name == BASE:
            message = "must be a name of its own; another scenario or the base has it"
            faults.append(one.fault("name", message, value=one.name))
        names.add(one.name)
        try:
            made.append(apply(one, base))
        except InputError as error:
            faults += error.findings
    if faults:
        raise InputError(faults)
    return made


class _Desk:
    """Poses, solves and measures; holds what scenarios share."""

    def __init__(
        self,
        base: Setting,
        how: How,
        cancelled: Callable[[], bool] | None,
        ground: Ground | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._base, self._how = base, how
        self._stop = threading.Event()
        self._ask = cancelled or (lambda: False)
        store = PlanStore(how.store)
        self._solver = Solver(how.effort(base), store=store, cancelled=self._called_off, on_progress=on_progress)
        self.differences: dict[str, Difference] = {}
        self.ground = self._laid() if ground is None else ground

    def _called_off(self) -> bool:
        return self._stop.is_set() or self._ask()

    def _laid(self) -> Ground:
        """The base posed, solved and measured; raises where it has no plan."""
        scenario, how = Scenario(name=BASE), self._how
        estimates = believed(scenario, self._base)
        batch = pose(self._base, estimates=estimates)
        solved = self._solver.solve(batch.problem)
        if solved.plan.status is Status.INFEASIBLE:
            raise InfeasibleError("No plan keeps the base's hard rules. `apportion assign` tells which contradict.")
        if solved.plan.status is Status.TIME_LIMIT:
            raise LimitError("No plan was found for the base within the time limit. Raise --time-limit.")
        outcome = measure(scenario, self._base, batch, solved, routers=how.routers)
        return Ground(outcome=outcome, estimates=estimates, how=how)

    def run(
        self, work: list[tuple[Scenario, Setting]], on_done: Callable[[Done], None] | None
    ) -> tuple[list[Outcome], bool]:
        """The outcomes that were finished, in the scenarios' order, and whether these are all."""
        if work:
            _ = self.ground.judge, self.ground.beliefs  # made here: several threads use them
        found: dict[int, Outcome] = {}
        pool = ThreadPoolExecutor(max_workers=max(1, self._how.workers))
        waiting: dict[Future[Outcome | None], int] = {}
        try:
            waiting = {pool.submit(self._one, *item): place for place, item in enumerate(work)}
            while waiting:
                ready, _ = wait(waiting, timeout=LOOK_EVERY, return_when=FIRST_COMPLETED)
                for future in sorted(ready, key=waiting.__getitem__):
                    outcome = future.result()
                    place = waiting.pop(future)
                    if outcome is not None:
                        found[place] = outcome
                        if on_done is not None:
                            told = Done(
                                name=outcome.name, number=len(found), of=len(work), reused=outcome.solved.reused
                            )
                            on_done(told)
        except KeyboardInterrupt:
            self._stop.set()
            found |= {place: done for future, place in waiting.items() if (done := _finished(future)) is not None}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return [found[place] for place in sorted(found)], len(found) == len(work)

    def _one(self, scenario: Scenario, setting: Setting) -> Outcome | None:
        """One scenario; None where it was called off."""
        if self._called_off():
            return None
        batch = self._posed(scenario, setting)
        solved = self._solver.solve(batch.problem, self.ground.outcome.solved)
        if solved.plan.certificate.stopped_by == "cancelled":
            return None
        outcome = measure(scenario, setting, batch, solved, routers=self._how.routers)
        if outcome.has_plan:
            base = self.ground.outcome
            sources = Attribution(base, self._solver).of(outcome) if self._how.sources else None
            if self._how.sources and self._called_off():
                return None
            between = self.ground.judge.between(outcome)
            self.differences[scenario.name] = Difference.of(outcome, base, between, sources)
        return outcome

    def _posed(self, scenario: Scenario, setting: Setting) -> Batch:
        """The scenario's batch; what is believed of the same leads and reps is not worked out again."""
        tables, base, ground = setting.tables, self._base, self.ground
        alike = tables.leads is base.tables.leads and tables.reps is base.tables.reps and setting.model is base.model
        if alike and not scenario.fit.shrink and setting.policy.value.estimate == base.policy.value.estimate:
            like = ground.outcome.batch if tables is base.tables else None
            return pose(setting, estimates=ground.estimates, like=like)
        if not scenario.fit.shrink and ground.beliefs.know(setting.model, tables, setting.policy):
            return pose(setting, estimates=ground.beliefs.of(tables))
        return pose(setting, estimates=believed(scenario, setting))

    def over_router(self, ground: Outcome) -> tuple[str, Sources] | None:
        """The best router that keeps every hard rule, else the best of all, and where the gain over it comes from."""
        if not ground.routers:
            return None
        lawful = [one for one in ground.routers if not one.broken_rules] or list(ground.routers)
        best = max(lawful, key=lambda one: (one.objective, one.name))
        return best.title, Attribution(ground, self._solver).over(best)


def _finished(future: Future[Outcome | None]) -> Outcome | None:
    if future.done() and not future.cancelled() and future.exception() is None:
        return future.result()
    return None
