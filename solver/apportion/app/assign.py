"""Assign one batch: read, believe, build, solve, verify, explain, measure against the routers, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import apportion.engines as engines
from apportion.app.audits import audited, wanted_audits
from apportion.app.draw import drawn
from apportion.app.fairness import price_of_fairness
from apportion.app.obtain import obtain_model
from apportion.app.prints import model_print, table_print
from apportion.app.sources import Read, Sources, default_moment, read_sources
from apportion.build import Batch, build_batch
from apportion.connectors import csv_bytes, json_bytes, write_files
from apportion.engines.clock import Clock
from apportion.policy import Policy, document_policy, load_policy
from apportion.problem import Plan, Status
from apportion.reasons import (
    Explanations,
    Fairness,
    GroupAudit,
    assignments_frame,
    audit_words,
    beside_source,
    explain,
    plain,
    plan_document,
)
from apportion.whatif import BaselineResult, router_context, run_baselines, score
from apportion.whatif.estimates import estimate, past_rates
from apportion_models import FitModel
from apportion_models.errors import Finding, InfeasibleError, InputError, LimitError, PolicyError

Step = Callable[[str], None]
ShareOut = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class AssignRequest:
    """What to assign. model : folder of a saved model, else the history is learnt from.

    audits : columns of the reps by which offers are told apart, besides the policy's. Settings that are None are the
    policy's.
    """

    sources: Sources
    policy: str | Path | None = None
    model: Path | None = None
    at: pd.Timestamp | None = None
    gap: float | None = None
    time_limit: float | None = None
    seed: int | None = None
    audits: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class AssignReport:
    """A verified plan with its reasons, and the routers beside it."""

    batch: Batch
    plan: Plan
    model: FitModel
    explanations: Explanations
    own: BaselineResult
    baselines: tuple[BaselineResult, ...]
    order: tuple[str, ...]
    run: dict[str, Any] = field(default_factory=dict)
    given: pd.DataFrame | None = None
    fairness: Fairness | None = None
    audits: tuple[GroupAudit, ...] = ()

    @cached_property
    def assignments(self) -> pd.DataFrame:
        """The leads' source, row by row and column by column as it is, then what was decided and why."""
        table = assignments_frame(self.batch, self.plan, explanations=self.explanations)
        place = {lead: row for row, lead in enumerate(table["lead_id"].astype(str))}
        told = table.iloc[[place[lead] for lead in self.order]].reset_index(drop=True)
        return told if self.given is None else beside_source(self.given, told)

    def document(self) -> dict[str, Any]:
        """plan.json."""
        document = plan_document(self.batch, self.plan, explanations=self.explanations)
        if self.fairness is not None:
            document["fairness"] = self.fairness.to_dict() | {"words": list(self.fairness_words)}
        document["audits"] = [plain(audit.document() | {"words": list(audit_words(audit))}) for audit in self.audits]
        document["run"] = self.run | {"assignments": table_print(self.assignments)}
        document["baselines"] = [_measured(result) for result in (self.own, *self.baselines)]
        document["evidence"] = list(self.model.evidence_.sentences)
        return document

    @property
    def fairness_words(self) -> tuple[str, ...]:
        """What the equity rules cost, in sentences; none where there are no such rules."""
        return () if self.fairness is None else self.fairness.words(self.batch.policy.currency)

    def html(self) -> str:
        """report.html."""
        from apportion.reasons.report import render_report  # plots are loaded only where a report is made

        return render_report(
            self.batch,
            self.plan,
            self.baselines,
            own=self.own,
            explanations=self.explanations,
            evidence={"What the history gives evidence for": self.model.evidence_.sentences},
            findings=self.model.findings_,
            fairness=self.fairness_words,
            audits=self.audits,
            run=self.run,
            title=f"Lead assignment: {self.batch.policy.name}",
        )

    def write(self, folder: Path) -> list[Path]:
        """Write assignments.csv, report.html, policy.html and, last, plan.json."""
        files = {
            "assignments.csv": csv_bytes(self.assignments),
            "report.html": self.html().encode(),
            "policy.html": document_policy(self.batch.policy).encode(),
            "plan.json": json_bytes(self.document()),
        }
        return write_files(folder, files)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A batch that is ready to solve, and what it was made from."""

    batch: Batch
    model: FitModel
    order: tuple[str, ...]
    given: pd.DataFrame | None
    seed: int
    run: dict[str, Any]


def prepare(request: AssignRequest, *, step: Step = lambda _: None) -> Prepared:
    """Read the tables, obtain the model and pose the batch."""
    step("Reading tables")
    read, policy = read_inputs(request)
    wanted_audits(policy, request.audits, read.tables.reps)
    return pose(read, policy, request, step=step)


def pose(
    read: Read,
    policy: Policy,
    request: AssignRequest,
    *,
    model: FitModel | None = None,
    share_out: ShareOut | None = None,
    step: Step = lambda _: None,
) -> Prepared:
    """Obtain the model, unless it is given, and pose the batch. share_out : see `build_batch`."""
    at = default_moment(read.tables) if request.at is None else request.at
    seed = policy.solve.seed if request.seed is None else request.seed
    if model is None:
        step("Loading the model" if request.model else "Learning from the history")
        model = obtain_model(read, request.model, at=at, seed=seed, policies=(policy,))
    step("Posing the batch")
    estimates = estimate(model, read.tables, policy, at=at)
    batch = build_batch(policy, read.tables, estimates, at=at, share_out=share_out)
    return Prepared(batch, model, read.order, read.given, seed, _run_facts(batch, model, request, seed, read.prints))


def assign(
    request: AssignRequest,
    *,
    step: Step = lambda _: None,
    on_progress: Callable[[engines.Progress], None] | None = None,
) -> AssignReport:
    """Assign one batch. `step` is told what is being done.

    Raises InputError for tables, policy or model that cannot be used; InfeasibleError, with the diagnosis, where no
    plan keeps the hard rules; LimitError where none was found in time.
    """
    return finish(prepare(request, step=step), request, step=step, on_progress=on_progress)


def finish(
    prepared: Prepared,
    request: AssignRequest,
    *,
    step: Step = lambda _: None,
    on_progress: Callable[[engines.Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> AssignReport:
    """Solve, verify, explain and measure a batch that is posed.

    cancelled : asked as it solves; when it says True, the best verified plan so far is taken.
    """
    batch, solving = prepared.batch, prepared.batch.policy.solve
    gap = solving.gap if request.gap is None else request.gap
    time_limit = solving.time_limit if request.time_limit is None else request.time_limit
    step(f"Solving (may take {engines.in_words(engines.memory_needed(batch.problem))} of memory)")
    clock = Clock(time_limit, cancelled)
    plan = engines.solve(
        batch.problem,
        gap=gap,
        time_limit=time_limit,
        seed=prepared.seed,
        on_progress=on_progress,
        cancelled=cancelled,
    )
    _refuse_without_plan(batch, plan)
    step("Solving without the equity rules, to tell what they cost")
    fairness = price_of_fairness(batch.problem, plan, gap=gap, seconds=clock.left(), seed=prepared.seed)
    plan = drawn(batch, plan, seed=prepared.seed, gap=gap)
    step("Explaining")
    return report_on(prepared, request, plan, fairness)


def report_on(prepared: Prepared, request: AssignRequest, plan: Plan, fairness: Fairness | None) -> AssignReport:
    """A verified plan with its reasons, and the routers beside it. fairness : what its equity rules cost."""
    batch, model = prepared.batch, prepared.model
    explanations = explain(batch, plan)
    context = router_context(batch, rank=past_rates(model, batch.reps), seed=prepared.seed)
    return AssignReport(
        batch=batch,
        plan=plan,
        model=model,
        explanations=explanations,
        own=score(batch.problem, plan.rep, name="plan", title="This plan"),
        baselines=run_baselines(batch.problem, context),
        order=prepared.order,
        run=prepared.run,
        given=prepared.given,
        fairness=fairness,
        audits=audited(explanations, request.audits, seed=prepared.seed),
    )


def read_inputs(request: AssignRequest) -> tuple[Read, Policy]:
    """Tables and policy; the faults of both are told together. InputError also where there is no rep."""
    faults: list[Finding] = []
    try:
        policy = load_policy(request.policy)
    except PolicyError as error:
        faults += error.findings
    try:
        read = read_sources(request.sources)
    except InputError as error:
        raise (InputError([*error.findings, *faults]) if faults else error) from None
    if faults:
        raise PolicyError(faults)
    _need_reps(read)
    return read, policy


def read_tables(sources: Sources) -> Read:
    """The tables of a batch; InputError where there is no rep."""
    read = read_sources(sources)
    _need_reps(read)
    return read


def _need_reps(read: Read) -> None:
    if not len(read.tables.reps):
        raise InputError(Finding(severity="error", table="reps", message="must have at least one rep; it has none."))


def _refuse_without_plan(batch: Batch, plan: Plan) -> None:
    if plan.status is Status.INFEASIBLE:
        from apportion.reasons.diagnose import diagnose  # solves again, many times: only where it is needed

        raise InfeasibleError(str(diagnose(batch.problem, batch=batch)))
    if plan.status is Status.TIME_LIMIT:
        raise LimitError("No plan was found within the time limit, and none was proved impossible. Raise --time-limit.")


def _run_facts(
    batch: Batch, model: FitModel, request: AssignRequest, seed: int, prints: Mapping[str, str]
) -> dict[str, Any]:
    """What a person needs to repeat the run: versions and fingerprints, no path and no clock."""
    from apportion import __version__

    return {
        "apportion": __version__,
        "at": batch.at.isoformat(),
        "policy": batch.policy.fingerprint,
        **prints,
        "model": model.level_,
        "model_source": "saved" if request.model else "history",
        "model_hash": model_print(model),
        "seed": seed,
    }


def _measured(result: BaselineResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "expected_revenue": float(result.expected_revenue),
        "objective": float(result.objective),
        "placed": int(result.n_placed),
        "gini_revenue": _number(result.gini_revenue),
        "gini_opportunity": _number(result.gini_opportunity),
        "worst_off_share": _number(result.worst_off_share),
        "broken_rules": list(result.broken_rules),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
