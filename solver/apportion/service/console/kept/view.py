"""The runs of a store, and before the first one what there is to begin with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from apportion.reasons.report.view import Cell, cell
from apportion.reasons.words import count, money, percent
from apportion.service.console.kept.runs import recent
from apportion.service.console.views.cells import Linked, Shown
from apportion.service.store import Run, Store, Tx

COLUMNS = ("Batch of", "Plan", "Leads", "To reps", "To nurture", "Expected revenue", "Proved within", "Policy",
           "Asked by")  # fmt: skip
KINDS = {"batch": "batch of the store", "given": "tables of its own"}
STATES = {"queued": "waits", "running": "is being made", "failed": "failed", "cancelled": "called off"}


@dataclass(frozen=True)
class Moment(Linked):
    """A cell that is a time, as the reader's browser writes it."""

    moment: str = ""


@dataclass(frozen=True)
class PlansView:
    """table : the newest runs. currency : of the newest plan. plans : whether one of them has a plan. faults : why the
    newest came to nothing, where they did. ready : what there is for a first batch, and what is missing with how to
    bring it."""

    table: Shown
    currency: str
    plans: bool
    faults: tuple[str, ...]
    ready: tuple[tuple[str, str, str], ...]


def plans_view(store: Store) -> PlansView:
    """What the page of all plans shows."""
    with store.read() as tx:
        runs = recent(tx)
        plans = any(run.state == "done" for run in runs)
        begin = () if plans else _ready(tx)
    table = Shown("run-table", "The newest plans", COLUMNS, [_row(run) for run in runs])
    failed = [run for run in runs[:3] if run.state == "failed"]
    faults = tuple(str((run.error or {}).get("message", "It failed.")) for run in failed)
    currency = next((str(run.plan["currency"]) for run in runs if run.plan), "")
    return PlansView(table, currency, plans, tuple(dict.fromkeys(faults)), begin)


def _row(run: Run) -> list[Cell]:
    summary = (run.plan or {}).get("summary", {})
    currency, gap = str((run.plan or {}).get("currency", "")), (run.certificate or {}).get("gap")
    revenue = summary.get("expected_revenue")
    return [
        _when(run),
        Cell(KINDS[run.kind] if run.state == "done" else f"{KINDS[run.kind]}: {STATES[run.state]}"),
        *(_number(summary.get(name)) for name in ("leads", "assigned", "nurture")),
        cell(revenue, "–" if revenue is None else money(revenue, currency)),
        cell(gap, "–" if gap is None else percent(gap)),
        Cell("–" if run.policy_version is None else f"version {run.policy_version}"),
        Cell(run.asked_by),
    ]


def _when(run: Run) -> Cell:
    at: dt.datetime = run.at or run.created_at
    link = f"/runs/{run.run_id}/" if run.state == "done" else ""
    return Moment(at.strftime("%Y-%m-%d %H:%M UTC"), href=link, moment=at.isoformat())


def _number(amount: int | None) -> Cell:
    return cell(amount, "–" if amount is None else f"{amount:,}")


def _ready(tx: Tx) -> tuple[tuple[str, str, str], ...]:
    """Label, what there is, and what to do where it is missing."""
    waiting, reps = tx.leads.waiting().count, len(tx.reps.all())
    model, policy = tx.models.active_version(), tx.policies.active_version()
    return (
        ("Leads that wait", count(waiting, "lead"), "" if waiting else "PUT /v1/leads, or `apportion store load`"),
        ("Reps", count(reps, "rep"), "" if reps else "PUT /v1/reps, or `apportion store load`"),
        ("Fit model", "none in use" if model is None else f"version {model} in use",
         "`apportion store model DIR`" if model is None else ""),
        ("Policy", "that without rules" if policy is None else f"version {policy} in use",
         "`apportion store policy FILE`" if policy is None else ""),
    )  # fmt: skip
