"""Why did this rep not get that lead? Answered from the store, for a plan that was made whenever."""

from __future__ import annotations

from dataclasses import dataclass

from apportion.reasons import Answer, why_not
from apportion.service.runs.repeating import repeat
from apportion.service.store import Assignment, Store, Tx
from apportion_models.errors import ConflictError, NotFoundError


@dataclass(frozen=True)
class Told:
    """An answer, and the run that it is about; None of a lead that was given singly.

    is_exact : whether the plan made again is the run's own to the byte; by the clock it may not be.
    """

    run_id: str | None
    answer: Answer
    is_exact: bool = True


def why_not_in_store(store: Store, *, lead_id: str, rep_id: str, run_id: str | None = None) -> Told:
    """Make the lead's plan again from what the store keeps, and ask it. Nothing is changed.

    run_id : the run in question, else the last that placed the lead. Raises NotFoundError for an unknown lead or rep;
    ConflictError where no plan has placed the lead yet, or its run's inputs were erased on request; UsageError where
    the rep was not in that batch.
    """
    with store.read() as tx:
        found = _placed(tx, lead_id, rep_id, run_id)
    if found.run_id is None:
        return Told(None, _singly(found, rep_id))
    again = repeat(store, found.run_id)
    return Told(found.run_id, why_not(again.report.batch, again.report.plan, lead_id, rep_id), again.same)


def _placed(tx: Tx, lead_id: str, rep_id: str, run_id: str | None) -> Assignment:
    lead = tx.leads.get(lead_id)
    if lead is None:
        raise NotFoundError(f"There is no lead {lead_id!r}.")
    if tx.reps.get(rep_id) is None:
        raise NotFoundError(f"There is no rep {rep_id!r}.")
    placed = list(tx.assignments.page(lead_id=lead_id, run_id=run_id, limit=1000))
    if not placed:
        by = "" if run_id is None else f" by run {run_id}"
        raise ConflictError(f"The lead {lead_id} has not been placed{by}: it is {lead.state}.")
    return placed[-1]


def _singly(found: Assignment, rep_id: str) -> Answer:
    """A lead that was given by itself: its own reason is all that is kept, for what was free at that moment is gone."""
    reason = found.reason or ""
    if found.rep_id == rep_id:
        return Answer("assigned", f"{found.lead_id} is yours. {reason}".strip())
    who = "nurture" if found.rep_id is None else found.rep_id
    sentence = f"{found.lead_id} was given singly, by the prices of that moment, to {who}. {reason}"
    return Answer("worth_less", sentence.strip())
