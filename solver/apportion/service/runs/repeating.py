"""Repeating a run from the store: the same bytes, or what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass

from apportion.app.assign import AssignReport
from apportion.service.runs.keeping import document_hash
from apportion.service.runs.restoring import run_with_plan
from apportion.service.runs.solving import inputs, solve
from apportion.service.store import Store


@dataclass(frozen=True, eq=False)
class Repeated:
    """A run done again. then, now : SHA-256 of plan.json. by_the_clock : whether the first solve stopped at its time
    limit, so that a machine of another speed, or another load, may end elsewhere."""

    report: AssignReport
    then: str
    now: str
    by_the_clock: bool

    @property
    def same(self) -> bool:
        """Whether plan.json is the same to the byte."""
        return self.then == self.now


def repeat(store: Store, run_id: str) -> Repeated:
    """Make a run's plan again from what the store keeps, and change nothing.

    Raises NotFoundError; ConflictError where the run has no plan, or a part of its inputs was erased on request.
    """
    with store.read() as tx:
        run = run_with_plan(tx, run_id)
        made_from, then = inputs(tx, run), str(run.plan_hash)
    report = solve(made_from)
    by_the_clock = (run.certificate or {}).get("stopped_by") == "time"
    return Repeated(report, then, document_hash(report.document()), by_the_clock)
