"""Metrics for Prometheus: each name, what it counts, and in which unit, in one place. No label tells of a person."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from apportion.connectors.extras import need
from apportion.service.schedule import Ticked
from apportion.service.store import Run, Tx
from apportion.service.store.schema import outbox

ANSWERS = (0.005, 0.02, 0.1, 0.5, 2, 10, 60)
SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900)


class Metrics:
    """The metrics of one process, in a registry of their own. `text()` is what /metrics answers."""

    def __init__(self) -> None:
        client = need("prometheus_client")
        self._client, self.registry = client, client.CollectorRegistry()

        def made(kind: str, name: str, says: str, *labels: str, **options: Any) -> Any:
            return getattr(client, kind)(f"apportion_{name}", says, labels, registry=self.registry, **options)

        self.runs = made("Counter", "runs", "Runs that came to their end, by state.", "state")
        self.run_seconds = made("Histogram", "run_seconds", "From start to end of a run.", buckets=SECONDS)
        self.slots = made("Counter", "slots", "Slots of the schedule that were taken on.", "rule")
        self.gap = made("Gauge", "plan_gap", "Proved gap of the newest plan, as a share.")
        self.placed = made("Gauge", "plan_leads", "Leads of the newest plan, by outcome.", "outcome")
        self.leads = made("Gauge", "leads", "Leads in the store, by state.", "state")
        self.oldest = made("Gauge", "oldest_lead_seconds", "How long the lead has waited that waits longest.")
        self.letters = made("Counter", "deliveries", "Tries of delivery, by sink and end.", "sink", "end")
        self.outbox = made("Gauge", "outbox_letters", "Letters in the outbox, by sink and state.", "sink", "state")
        self.late = made("Gauge", "outbox_oldest_seconds", "How long the oldest letter waits to be delivered.")
        self.alarms = made("Counter", "alarms", "Alarms that were raised.", "kind")
        self.model = made("Gauge", "model_version", "The fit model in use.")
        self.policy = made("Gauge", "policy_version", "The policy in use.")
        self.requests = made("Counter", "http_requests", "Requests answered.", "method", "route", "status")
        self.request_seconds = made("Histogram", "http_seconds", "From request to answer.", "route", buckets=ANSWERS)

    def ticked(self, ticked: Ticked) -> None:
        """A runner looked at the clock."""
        for run in ticked.asked:
            self.slots.labels(run.schedule or "").inc()
        for run in ticked.ended:
            self.ended(run)

    def ended(self, run: Run) -> None:
        """A run is over."""
        self.runs.labels(run.state).inc()
        if run.started_at is not None and run.finished_at is not None:
            self.run_seconds.observe(max(0.0, (run.finished_at - run.started_at).total_seconds()))
        if run.state != "done" or run.kind != "batch":
            return
        gap, summary = (run.certificate or {}).get("gap"), (run.plan or {}).get("summary", {})
        if gap is not None:
            self.gap.set(gap)
        for outcome in ("assigned", "nurture", "reject"):
            self.placed.labels(outcome).set(summary.get(outcome, 0))

    def delivered(self, sink: str, end: str, letter: object) -> None:
        """A letter was tried: for the deliverer's `told`."""
        self.letters.labels(sink, end).inc()

    def refresh(self, tx: Tx) -> None:
        """Read from the store what is a state and no event."""
        now = tx.now()
        self.leads.clear()
        for state, count in tx.leads.counts().items():
            self.leads.labels(state).set(count)
        since = tx.leads.waiting().since
        self.oldest.set(0.0 if since is None else max(0.0, (now - since).total_seconds()))
        self.outbox.clear()
        asked = sa.select(outbox.c.sink, outbox.c.state, sa.func.count().label("letters")).group_by(
            outbox.c.sink, outbox.c.state
        )
        for row in tx.outbox.rows(asked):
            self.outbox.labels(row.sink, row.state).set(row.letters)
        (oldest,) = tx.outbox.rows(sa.select(sa.func.min(outbox.c.created_at)).where(outbox.c.state == "waiting"))
        self.late.set(0.0 if oldest[0] is None else max(0.0, (now - oldest[0]).total_seconds()))
        self.model.set(tx.models.active_version() or 0)
        self.policy.set(tx.policies.active_version() or 0)

    def text(self) -> bytes:
        """The exposition format."""
        return bytes(self._client.generate_latest(self.registry))
