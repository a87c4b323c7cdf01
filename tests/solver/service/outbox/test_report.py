"""The report of a run tells what it was, how good, how fair, and why some leads were not placed."""

from __future__ import annotations

import pytest

from apportion.service.clockwork import Clockwork
from apportion.service.outbox import Route, tell
from apportion.service.store import Store
from tests.solver.service import tables
from tests.solver.service.conftest import FakeClock
from tests.solver.service.test_clockwork import NINE, Mailbox


def test_who_hears_of_reports_gets_one_a_run(store: Store, clock: FakeClock) -> None:
    """One row, whose counts are the plan's; who hears of plans alone gets none; a run without leads has none."""
    tables.set_up(store, n_leads=40, policy=NINE)
    reports, plans = Mailbox(), Mailbox()
    routes = {"mail": Route(reports, ("plan.report",)), "crm": Route(plans, ("plan.done",))}
    tell(store, routes)
    clock.turn(3600)
    clockwork = Clockwork(store, routes)
    (run,) = clockwork.once().ticked.ended
    clock.turn(86_400)
    assert len(clockwork.once().ticked.ended) == 1
    (message,) = reports.got
    (row,) = message.rows
    assert message.kind == "plan.report" and [one.kind for one in plans.got] == ["plan.done"]
    assert (row["run_id"], row["schedule"], row["slot"]) == (run.run_id, "nine", "2026-03-02T09:00:00.000000Z")
    assert (row["leads"], row["assigned"], row["nurture"]) == (40, 30, 10)
    assert row["not_placed"] == "10: every slot is worth more to other leads"
    assert float(row["expected_revenue"] or 0) >= float(row["round_robin"] or 0) > 0
    assert row["gap"] == pytest.approx(0.0, abs=0.01)
    assert 0 < float(row["worst_off_share"] or 0) <= 1.01 and row["gini_opportunity"] is not None
