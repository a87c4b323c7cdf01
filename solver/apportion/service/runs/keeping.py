"""A run's plan is kept: assignments, claims, plan, certificate and letters, in one transaction or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from apportion.app.assign import AssignReport
from apportion.connectors import json_bytes
from apportion.policy import lead_effort
from apportion.service.store import Lease, Placement, Run, Tx
from apportion.service.store.outbox import PLAN_DONE, PLAN_REPORT

LISTS = ("assignments", "screened")  # the parts of plan.json that are kept lead by lead
MEASURES = ("opportunity", "expected_revenue", "deal_value", "fit")
Document = dict[str, Any]


def document_hash(document: Document) -> str:
    """SHA-256 of plan.json."""
    return hashlib.sha256(json_bytes(document)).hexdigest()


def keep(tx: Tx, run: Run, lease: Lease, report: AssignReport, document: Document) -> Run | None:
    """Keep a plan, and write one letter a sink, under the run's id. None where so much was assigned besides, while it
    was made, that it would overload a rep: then it must be made anew. Doing it twice does no more than once.

    Raises LostError, and keeps nothing, where another worker has taken the run over.
    """
    there, digest = tx.runs.get(run.run_id), document_hash(document)
    if there.state == "done" and there.plan_hash == digest:
        return there
    tx.leases.hold(lease)
    tx.tick("assignments")  # whoever else assigns waits from here on, so that what is counted next stays true
    if run.kind == "batch" and not _still_fits(tx, run, report):
        return None
    assert run.at is not None
    tx.assignments.add(list(_placements(tx, report, document)), origin=run.kind, at=run.at, run_id=run.run_id)
    tx.claims.close(run.run_id)
    sinks = run.options.get("sinks", ())
    tx.outbox.add(topic=PLAN_DONE, key=run.run_id, payload={"run_id": run.run_id}, sinks=sinks, run_id=run.run_id)
    if run.kind == "batch" and document["summary"]["leads"]:
        about: Document = {"key": f"report {run.run_id}", "payload": {"report": run.run_id}, "run_id": run.run_id}
        tx.outbox.add(topic=PLAN_REPORT, sinks=tx.outbox.hearers(PLAN_REPORT), **about)
    return tx.runs.done(
        run,
        lease,
        plan={name: len(part) if name in LISTS else part for name, part in document.items()},
        certificate=document["certificate"] | {"stopped_by": report.plan.certificate.stopped_by},
        plan_hash=digest,
        inputs=document["run"],
        seed=document["run"]["seed"],
    )


def document(tx: Tx, run_id: str) -> Document:
    """plan.json of a run that is done, put together from the store. Raises NotFoundError."""
    head, told = tx.runs.get(run_id).plan, tx.assignments.told(run_id)
    if head is None:
        return {}
    whole, start = dict(head), 0
    for name in LISTS:
        whole[name] = told[start : start + head[name]]
        start += head[name]
    return whole


def _still_fits(tx: Tx, run: Run, report: AssignReport) -> bool:
    """Whether the plan and what others were given since leave every rep within capacity and caps."""
    assert run.tick is not None
    since = tx.assignments.loads(since_tick=run.tick)
    if not since:
        return True
    batch, rep = report.batch, report.plan.rep
    effort, placed = _effort(report), rep >= 0
    load = np.bincount(rep[placed], weights=effort[placed], minlength=batch.problem.n_reps)
    count = np.bincount(rep[placed], minlength=batch.problem.n_reps)
    room = batch.problem.capacity * (1 + 1e-9) + 1e-9
    most = batch.capacity["max_leads"].to_numpy(dtype=float)
    for place, rep_id in enumerate(batch.problem.rep_ids):
        leads, units = since.get(rep_id, (0, 0.0))
        if leads and count[place] and (load[place] + units > room[place] or count[place] + leads > most[place]):
            return False
    return True


def _effort(report: AssignReport) -> np.ndarray:
    """(L,) effort units of each of the problem's leads."""
    batch = report.batch
    return lead_effort(batch.policy, batch.leads.iloc[batch.rows].reset_index(drop=True), at=batch.at)


def _placements(tx: Tx, report: AssignReport, document: Document) -> Iterator[Placement]:
    batch = report.batch
    lead_keys = tx.leads.keys(batch.leads["lead_id"].astype(str).tolist())
    rep_keys = tx.reps.keys(list(batch.problem.rep_ids))
    efforts = dict(zip(batch.problem.lead_ids, _effort(report).tolist(), strict=True))
    accounts = _accounts(report)
    entries = [entry for name in LISTS for entry in document[name]]
    for place, entry in enumerate(entries):
        lead_id, rep_id = entry["lead_id"], entry.get("rep_id")
        yield Placement(
            lead_key=lead_keys[lead_id],
            rep_key=None if rep_id is None else rep_keys[rep_id],
            outcome=entry["outcome"],
            told=entry,
            place=place,
            account_id=accounts.get(lead_id),
            effort=efforts.get(lead_id),
            propensity=1.0 if entry.get("propensity") is None else entry["propensity"],
            tier=entry.get("tier"),
            reason=entry["reason"],
            **{name: entry.get(name) for name in MEASURES},
        )


def _accounts(report: AssignReport) -> dict[str, str]:
    leads = report.batch.leads
    if "account_id" not in leads:
        return {}
    known = leads[leads["account_id"].notna()]
    return dict(zip(known["lead_id"].astype(str), known["account_id"].astype(str), strict=True))
