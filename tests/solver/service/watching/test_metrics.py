"""Metrics count what happens, read what is, and name nobody."""

from __future__ import annotations

from apportion.service.outbox import Deliverer, Route
from apportion.service.schedule import Runner
from apportion.service.store import Store
from apportion.service.watching import Metrics
from tests.solver.service import tables
from tests.solver.service.conftest import FakeClock
from tests.solver.service.outbox.test_deliver import Recorder


def _values(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_two_sets_of_metrics_do_not_know_of_each_other() -> None:
    """No registry is shared, so that a test or a second service in one process counts by itself."""
    one, other = Metrics(), Metrics()
    one.letters.labels("crm", "received").inc()
    assert 'apportion_deliveries_total{end="received",sink="crm"}' in _values(one)
    assert 'apportion_deliveries_total{end="received",sink="crm"}' not in _values(other)


def test_a_day_s_work_is_seen(store: Store, clock: FakeClock) -> None:
    """A run of twelve leads, its letter, and what waits afterwards."""
    schedule = {"times": [{"name": "mornings", "cron": "0 9 * * *"}]}
    tables.set_up(store, policy={"equity": [], "schedule": schedule})
    metrics = Metrics()
    with store.read() as tx:
        metrics.refresh(tx)
    before = _values(metrics)
    assert before['apportion_leads{state="waiting"}'] == 12
    clock.turn(3600)
    ticked = Runner(store, sinks=["crm"]).tick()
    metrics.ticked(ticked)
    Deliverer(store, {"crm": Route(Seen())}, told=metrics.delivered).all_due()
    with store.read() as tx:
        metrics.refresh(tx)
    seen = _values(metrics)
    assert seen['apportion_runs_total{state="done"}'] == 1
    assert seen['apportion_slots_total{rule="mornings"}'] == 1
    assert seen['apportion_deliveries_total{end="received",sink="crm"}'] == 1
    assert seen['apportion_outbox_letters{sink="crm",state="delivered"}'] == 1
    assert sum(value for name, value in seen.items() if name.startswith("apportion_plan_leads")) == 12
    assert seen["apportion_oldest_lead_seconds"] == 0 and seen["apportion_model_version"] == 1
    assert 'apportion_leads{state="waiting"}' not in seen


class Seen(Recorder):
    """Takes rows without a number."""

    def deliver(self, message, *, key):  # type: ignore[no-untyped-def]
        assert {row["lead_id"] for row in message.rows} == {f"L{number:04}" for number in range(1, 13)}
        assert {"rep_id", "outcome", "reason", "run_id", "expected_revenue"} <= set(message.rows[0])
        return super().deliver(type(message)(kind="x", at=message.at, rows=({"n": "all"},)), key=key)


def test_no_metric_names_a_lead_or_a_rep() -> None:
    """Labels are states, kinds, sinks and rules."""
    text = Metrics().text().decode()
    assert "lead_id" not in text and "rep" not in {word for line in text.splitlines() for word in line.split()}
