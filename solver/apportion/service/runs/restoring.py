"""A run's own plan from the store, with its reasons: not solved again, so that it is what was handed out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.app.assign import AssignReport, report_on
from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, RulePrice, Status, Swaps, verify
from apportion.reasons import Fairness
from apportion.service.runs.keeping import Document, document
from apportion.service.runs.solving import Posed, inputs, posed_from
from apportion.service.store import Run, Store, Tx
from apportion_models.errors import ConflictError

NOBODY = -1


@dataclass(frozen=True, eq=False)
class Restored:
    """A run, its plan and what that was posed from."""

    run: Run
    posed: Posed
    report: AssignReport


def restore(store: Store, run_id: str, *, step: Callable[[str], None] = lambda _: None) -> Restored:
    """A run's plan as the store keeps it, verified against its inputs, and explained anew.

    Raises NotFoundError; ConflictError where the run has no plan, a part of its inputs was erased on request, or this
    version of Apportion makes another problem of them.
    """
    step("Reading the run")
    with store.read() as tx:
        run = run_with_plan(tx, run_id)
        made_from, told = inputs(tx, run), document(tx, run_id)
    posed = posed_from(made_from, step=step)
    step("Verifying the plan")
    plan = plan_of(told, posed.prepared.batch.problem, stopped_by=(run.certificate or {}).get("stopped_by", "gap"))
    step("Explaining")
    return Restored(run, posed, report_on(posed.prepared, posed.request, plan, _fairness(told.get("fairness"))))


def run_with_plan(tx: Tx, run_id: str) -> Run:
    """A run that is done, and whose inputs are whole. Raises NotFoundError, ConflictError."""
    run = tx.runs.get(run_id)
    if run.state != "done" or run.plan_hash is None:
        raise ConflictError(f"Run {run_id} has no plan to repeat or to show: it is {run.state}.")
    if erased := tx.snapshots.erased(run_id):
        raise ConflictError(f"Run {run_id} cannot be made again: {erased} of its inputs were erased on request.")
    return run


def plan_of(told: Document, problem: AssignmentProblem, *, stopped_by: Any = "gap") -> Plan:
    """The plan that plan.json tells of, verified. Raises ConflictError where it is no plan of the problem."""
    try:
        plan = _plan(told, problem, stopped_by)
        verdict = verify(problem, plan)
    except (KeyError, ValueError, IndexError) as error:
        raise _other_problem() from error
    if not verdict.ok:
        raise _other_problem()
    return plan.replace(certificate=replace(plan.certificate, verdict=verdict))


def _other_problem() -> ConflictError:
    message = "This version of Apportion makes another problem of the run's inputs: its plan cannot be explained anew."
    return ConflictError(f"{message} What was assigned stands in the store; `/v1/plans` tells it.")


def _plan(told: Document, problem: AssignmentProblem, stopped_by: Any) -> Plan:
    by_lead = {entry["lead_id"]: entry for entry in told["assignments"]}
    entries = [by_lead.pop(lead) for lead in problem.lead_ids]
    if by_lead:
        raise ValueError("leads that the problem has not")
    place = {rep: k for k, rep in enumerate(problem.rep_ids)}
    rep = _frozen(np.array([NOBODY if one["rep_id"] is None else place[one["rep_id"]] for one in entries], np.int64))
    certificate = {field.name: told["certificate"][field.name] for field in fields(Certificate)
                   if field.name in told["certificate"]}  # fmt: skip
    swaps = None if told["swaps"] is None else _swaps(told["swaps"], entries, rep, problem, place)
    return Plan(
        rep=rep,
        status=Status(told["status"]),
        objective=told["certificate"]["objective"],
        bound=told["certificate"]["bound"],
        prices=_prices(told["prices"], problem),
        certificate=Certificate(**certificate, stopped_by=stopped_by),
        swaps=swaps,
    )


def _prices(told: Mapping[str, Any], problem: AssignmentProblem) -> Prices:
    by_rep = [np.array([told[name][rep] for rep in problem.rep_ids], float) for name in ("capacity", "min_load")]
    sides = {
        name: [np.array([row[side] for row in rows], float) for side in ("low", "high")]
        for name, rows in told["rules"].items()
    }
    return Prices(by_rep[0], by_rep[1], {name: RulePrice(low, high) for name, (low, high) in sides.items()})


def _swaps(
    told: Mapping[str, Any],
    entries: list[Mapping[str, Any]],
    rep: NDArray[np.int64],
    problem: AssignmentProblem,
    place: Mapping[str, int],
) -> Swaps:
    moved = {one["lead_id"]: place[one["planned_rep_id"]] for one in told["moved"]}
    planned = [moved.get(lead, int(own)) for lead, own in zip(problem.lead_ids, rep, strict=True)]
    chances = [np.nan if one["propensity"] is None else one["propensity"] for one in entries]
    return Swaps(
        planned=_frozen(np.array(planned, np.int64)),
        propensity=_frozen(np.array(chances, float)),
        objective=told["objective_before"],
        status=Status(told["status_before"]),
        revenue_cost=told["revenue_cost_on_average"],
        mean_swapped=told["leads_moved_on_average"],
    )


def _frozen(array: Any) -> Any:
    array.setflags(write=False)
    return array


def _fairness(told: Mapping[str, Any] | None) -> Fairness | None:
    if told is None:
        return None
    known = {field.name: told.get(field.name) for field in fields(Fairness)}
    unknown = {name: float("nan") for name, value in known.items() if value is None}
    return Fairness(**(known | unknown | {"rules": tuple(told["rules"])}))
