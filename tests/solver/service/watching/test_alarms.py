"""Alarms: told when they should be, not otherwise, each with what to do, and about the same thing once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from apportion.connectors import GiveUpError
from apportion.policy import load_policy
from apportion.policy.schema.schedule import Alerts
from apportion.service.outbox import Deliverer, Route
from apportion.service.schedule import Learnt, Slot
from apportion.service.schedule.learning import learn_anew
from apportion.service.store import Store
from apportion.service.watching import Facts, alarms, looking, raise_alarms
from apportion.service.watching.alarms import Finished
from apportion_models.drift.alarms import Alarm
from tests.solver.service import tables
from tests.solver.service.conftest import FakeClock
from tests.solver.service.outbox.test_deliver import Recorder

NOW = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def _rules(**content: Any) -> Alerts:
    return load_policy({"schedule": {"alerts": content}}).schedule.alerts


def _run(number: int, **more: Any) -> Finished:
    return Finished(
        **{
            "run_id": f"r{number}",
            "state": "done",
            "day": "2026-03-02",
            "gap": 0.0,
            "leads": 100,
            "nurture": 10,
            **more,
        }
    )


def _kinds(facts: Facts, **rules: Any) -> list[str]:
    return [raised.kind for raised in alarms(_rules(**rules), facts)]


@pytest.mark.parametrize(("hours", "told"), [(23.9, False), (24.0, True), (100.0, True)])
def test_no_leads_came(hours: float, told: bool) -> None:
    """From the hour on that the policy says; never where it says none, or no lead ever came."""
    facts = Facts(now=NOW, last_lead=NOW - hours * HOUR)
    assert _kinds(facts, no_leads_hours=24.0) == (["no leads"] if told else [])
    assert _kinds(facts) == []
    assert _kinds(Facts(now=NOW), no_leads_hours=24.0) == []


@pytest.mark.parametrize(("gap", "told"), [(0.01, False), (0.0101, True), (None, False)])
def test_a_gap_above_its_bound(gap: float | None, told: bool) -> None:
    """The bound itself is allowed."""
    assert _kinds(Facts(now=NOW, runs=[_run(1, gap=gap)]), gap_at_most=0.01) == (["gap"] if told else [])


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([40, 10, 10, 10], True), ([30, 10, 10, 10], False), ([31, 10, 10, 10], True), ([90, 10, 10], False),
        ([10, 90, 90, 90], False), ([90], False), ([], False),
    ],
)  # fmt: skip
def test_nurture_that_jumped(shares: list[int], told: bool) -> None:
    """Against the mean of at least three earlier runs; a fall is no alarm."""
    runs = [_run(number, nurture=share) for number, share in enumerate(shares)]
    assert _kinds(Facts(now=NOW, runs=runs), nurture_rise=0.2) == (["nurture"] if told else [])


def test_small_runs_say_nothing_of_nurture() -> None:
    """One of two leads in nurture is no jump."""
    runs = [_run(0, leads=2, nurture=2), *[_run(number) for number in range(1, 5)]]
    assert _kinds(Facts(now=NOW, runs=runs)) == []


def test_what_else_is_told() -> None:
    """Runs that failed, letters given up, what monitor found, and a model that may not go live."""
    found = Alarm(kind="calibration", where="all leads", sentence="Too few wins.", action="Learn anew.")
    learnt = [
        Learnt(slot="s1", version=2, live=False, why="Worse."),
        Learnt(slot="s2", version=3, live=True, why="Not worse."),
    ]
    facts = Facts(
        now=NOW,
        runs=[_run(1, state="failed", error="bad_policy", gap=None)],
        dead={"crm": 2},
        monitored=[found],
        learnt=learnt,
    )
    raised = alarms(_rules(), facts)
    assert [one.kind for one in raised] == ["run failed", "dead letters", "calibration", "model not live"]
    assert all(one.sentence.endswith(".") and one.action.endswith(".") for one in raised)
    assert len({(one.kind, one.about) for one in raised}) == len(raised)


def test_the_same_is_told_once(store: Store, clock: FakeClock) -> None:
    """A silence is told when it begins to be one, not at every look; the next silence is told again."""
    tables.set_up(store, policy={"schedule": {"alerts": {"no_leads_hours": 24}}})
    assert raise_alarms(store, ["crm"]) == ()
    clock.turn(30 * 3600)
    assert [one.kind for one in raise_alarms(store, ["crm", "mail"])] == ["no leads"]
    clock.turn(3600)
    assert raise_alarms(store, ["crm", "mail"]) == ()
    with store.read() as tx:
        letters = tx.outbox.page().items
    assert sorted(letter.sink for letter in letters) == ["crm", "mail"]
    (row,) = letters[0].payload["message"]["rows"]
    assert row["kind"] == "no leads" and row["action"]
    with store.write() as tx:
        tx.leads.upsert(tables.leads(1, first=50, created_at=[clock().isoformat()]))
    assert raise_alarms(store, ["crm"]) == ()
    clock.turn(25 * 3600)
    assert len(raise_alarms(store, ["crm"])) == 1


def test_what_another_learnt_is_told_although_it_died(store: Store, clock: FakeClock) -> None:
    """Between learning and telling a process may end: whoever looks next tells it, once."""
    tables.set_up(store, policy={"schedule": {"retrain": {"cron": "0 7 * * *"}}})
    slot = Slot(tables.START, "retrain", "retrain")
    assert learn_anew(store, slot, owner="the dead one") is not None
    (raised,) = raise_alarms(store, ["crm"])
    assert raised.kind == "model not live" and "retrain@2026-03-02T07:00:00Z" in raised.sentence
    assert raise_alarms(store, ["crm"]) == ()


def test_an_alarm_that_cannot_be_told_raises_no_storm(store: Store, clock: FakeClock) -> None:
    """The sink gives up every alarm, each of which is one more dead letter: told when they double, not each time."""
    tables.set_up(store)
    with store.write() as tx:
        document = {"kind": "plan.done", "at": "2026-03-02T08:00:00Z", "rows": [{"n": "1"}]}
        tx.outbox.add(topic="plan.done", key="k", payload={"message": document}, sinks=["crm"])
    for _ in range(40):
        Deliverer(store, {"crm": Route(Recorder(GiveUpError("no such column")))}).all_due()
        raise_alarms(store, ["crm"])
        clock.turn(60)
    with store.read() as tx:
        assert len(tx.outbox.page().items) <= 4


def test_without_sinks_nothing_is_written(store: Store, clock: FakeClock) -> None:
    """There is nobody to tell."""
    tables.set_up(store, policy={"schedule": {"alerts": {"no_leads_hours": 1}}})
    clock.turn(30 * 3600)
    assert raise_alarms(store, []) == ()


def test_what_reads_all_leads_is_done_once_a_day(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whoever looks first; one that dies over it is replaced."""
    seen: list[str] = []
    monkeypatch.setattr(looking, "_monitored", lambda tx, rules: seen.append(str(tx.now())) or ())
    for _ in range(3):
        raise_alarms(store, ["crm"])
    assert len(seen) == 1
    clock.turn(86_400)
    with store.write() as tx:
        assert looking._day_to_monitor(tx) == "2026-03-03"
    raise_alarms(store, ["crm"])
    assert len(seen) == 1
    clock.turn(looking.LONGEST + 1)
    raise_alarms(store, ["crm"])
    assert len(seen) == 2


def test_runs_that_fail_again_and_again_are_told_once_a_day() -> None:
    """The same error on the same day is the same alarm; another error is another."""
    failed = [_run(n, state="failed", error=code, gap=None) for n, code in enumerate(["a", "a", "b"])]
    assert len({(one.kind, one.about) for one in alarms(_rules(), Facts(now=NOW, runs=failed))}) == 2


def test_what_became_of_leads_is_compared_with_what_was_expected(store: Store, clock: FakeClock) -> None:
    """Leads that were all but sure, and of which one in ten was won, are an alarm."""
    from apportion.service.store import Placement

    tables.set_up(store, n_leads=200)
    with store.write() as tx:
        names = [f"L{number:04}" for number in range(1, 201)]
        leads, rep = tx.leads.keys(names), tx.reps.keys(["R1"])["R1"]
        placed = [Placement(lead_key=leads[name], rep_key=rep, outcome="assigned", told={}, fit=0.9,
                            expected_revenue=900.0) for name in names]  # fmt: skip
        tx.assignments.add(placed, origin="route", at=clock())
    clock.turn(90 * 86_400)
    won = [number % 10 == 0 for number in range(200)]
    rows = {
        "lead_id": names,
        "outcome": ["won" if one else "lost" for one in won],
        "closed_at": ["2026-03-12T00:00:00Z"] * 200,
        "deal_value": [1000.0 if one else None for one in won],
    }
    with store.write() as tx:
        tx.outcomes.upsert(pd.DataFrame(rows))
    with store.read() as tx:
        kinds = {raised.kind for raised in looking.look(tx)}
        assert not {"conversions"} & {raised.kind for raised in looking.look(tx, monitored=False)}
    assert "conversions" in kinds
