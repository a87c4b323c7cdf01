"""Routing single leads comes to what posing each as a batch of one comes to, however many are served at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from apportion.policy import load_policy
from apportion.service.outbox.messages import message_of
from apportion.service.runs import LeadRouter, work
from apportion.service.runs.routing import Ask, Once
from apportion.service.runs.routing.reading import read_rows
from apportion.service.store import Answer, OtherBodyError, Store, open_store
from apportion.service.store.cells import records
from apportion.service.store.forget import forget_lead
from apportion.service.store.outbox import LEAD_ASSIGNED
from apportion_models import read_accounts, read_calendar, read_leads
from apportion_models.errors import ApportionError, ConflictError, NotFoundError, ProblemError, TableError
from tests.solver.service.conftest import FakeClock
from tests.solver.service.runs.slow_router import SlowRouter
from tests.solver.service.tables import leads, model, reps, set_up

PLAIN: dict[str, Any] = {"equity": []}
POLICIES: dict[str, dict[str, Any]] = {
    "empty": {},
    "plain": PLAIN,
    "backlog and caps": {
        "capacity": {
            "backlog": {"effort_each": 0.4, "at_most": 0.5},
            "caps": [
                {"name": "hourly", "per": "hour", "at_most": 2, "reps": "level == 'junior'"},
                {"name": "open", "per": "open", "at_most": 6},
            ],
        }
    },
    "throttle and overtime": {
        "capacity": {
            "overtime": {"share": 0.3, "price": 50},
            "adjust": [{"name": "loaded", "reps": "workload > 0.3", "factor": 0.5}],
        },
        "throttle": [{"name": "full pipeline", "steps": [{"above": 2000, "factor": 0.4}]}],
    },
    "rules that ask what is open": {
        "rules": [{"name": "busy", "effect": "avoid", "when": "rep.open_leads > 1", "amount": 300}],
        "reserve": [{"name": "hot", "share": 0.5, "leads": "score > 60"}],
    },
    "tiers, screens, territories": {
        "tiers": {
            "by": "score",
            "bands": [{"name": "hot", "top": 0.2}, {"name": "warm", "top": 0.6}, {"name": "cold"}],
        },
        "screening": [
            {"name": "hopeless", "when": "score < 5", "outcome": "reject"},
            {"name": "poor", "when": "score < 20", "price": 100},
        ],
        "territories": {
            "cover": [
                {"name": "north", "when": "country == 'SE'", "primary": "rep_id in ['R1', 'R2']"},
                {"name": "south", "when": "country == 'FR'", "primary": "rep_id == 'R3'", "price": 70},
            ],
            "unmatched": "any",
        },
        "limits": [{"name": "by country", "each": "country", "measure": "leads", "by": "rep", "high": 3}],
        "nurture": {"value": 200, "share": 0.1},
    },
    "owners, at a price": {"accounts": {"owner": 150, "together": "hard"}, "capacity": {"effort": {"default": 2}}},
    "owners, whatever it costs": {"accounts": {"owner": "hard", "together": 200, "if_owner_away": "nurture"}},
    "decay, costs, caution, ramp": {
        "value": {"estimate": "lower", "caution": 1, "decay": {"half_life_hours": 20}, "cost_per_lead": 20},
        "ramp": [{"name": "new", "shape": "linear", "points": [{"day": 0, "share": 0.2}, {"day": 90, "share": 1}]}],
        "window": {"days": 0.5},
    },
    "locks beyond capacity": {"overrides": {"locks_break_capacity": True}, "window": {"days": 2}},
    "floors that cannot be promised": {"explore": [{"minimum": 2, "first_days": 60, "price": "hard"}]},
}  # fmt: skip
TOLD = ("lead_id", "rep_id", "outcome", "reason", "origin", "effort", "tier", "is_current", "assigned_at")
NEAR = ("opportunity", "expected_revenue", "deal_value", "fit", "propensity")


QUICK = ("throttle and overtime", "tiers, screens, territories", "owners, at a price")
CASES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in POLICIES]


@pytest.fixture(scope="module")
def company(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten leads that wait, of seven accounts, some of them owned; four reps, one new, one on leave; prices of a small
    batch."""
    path = tmp_path_factory.mktemp("company") / "store.db"
    path.write_bytes(sqlite_template.read_bytes())
    store, numbers = open_store(f"sqlite:///{path}", clock=FakeClock()), range(1, 14)
    names = [None if number % 5 == 0 else f"A{number % 7}" for number in numbers]
    more = {"account_id": names, "product": ["pro" if number % 3 else None for number in numbers]}
    team = reps(
        4,
        capacity=[3.0, 5.0, 2.0, 3.0],
        start_date=["2020-01-01", "2026-02-20", "2024-01-01", "2025-12-20"],
        team_id=["a", "a", "b", "b"],
        open_leads=[1.0, 0.0, 2.0, 0.0],
        open_pipeline=[900.0, 0.0, 1500.0, 0.0],
    )
    owned = pd.DataFrame({"account_id": ["A1", "A2", "B"], "parent_account_id": ["B", None, None],
                          "owner_rep_id": [None, "R3", "R2"]})  # fmt: skip
    away = pd.DataFrame({"rep_id": ["R4"], "start": ["2026-03-02"], "end": ["2026-03-03"], "capacity": [0.5]})
    with store.write(actor="test") as tx:
        tx.leads.upsert(leads(13, **more))
        tx.reps.upsert(team)
        tx.tables.put("accounts", read_accounts(owned))
        tx.tables.put("calendar", read_calendar(away))
        tx.policies.activate(tx.policies.add(load_policy(PLAIN)).version)
        tx.models.activate(tx.models.add(model()).version)
        tx.runs.add(options={"limit": 3})
    work(store, owner="test")
    with store.write(actor="test") as tx:
        waiting = [lead.lead_id for lead in tx.leads.page(state="waiting")]
        tx.overrides.set(lead_id=waiting[2], rep_id="R2", kind="lock")
        tx.overrides.set(lead_id=waiting[5], rep_id="R1", kind="ban")
    assert store.compact()
    store.close()
    return path


def two(company: Path, folder: Path, clock: FakeClock, policy: Mapping[str, Any]) -> tuple[Store, Store]:
    """Two stores of the company under a policy, whose time is the same."""
    stores = []
    for name in ("one", "other"):
        (folder / f"{name}.db").write_bytes(company.read_bytes())
        store = open_store(f"sqlite:///{folder}/{name}.db", clock=clock)
        with store.write(actor="test") as tx:
            tx.policies.activate(tx.policies.add(load_policy(dict(policy))).version)
        stores.append(store)
    return stores[0], stores[1]


def routed(store: Store) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Every single lead's assignment, in the order in which they were given."""
    with store.read() as tx:
        given = [one for one in tx.assignments.page(limit=1000) if one.origin == "route"]
    return [tuple(tuple(getattr(one, name) for name in names) for names in (TOLD, NEAR)) for one in given]


def alike(one: Store, other: Store) -> None:
    """Both gave the same leads to the same reps, for the same reasons, at the same worth."""
    first, second = routed(one), routed(other)
    assert [told for told, _ in first] == [told for told, _ in second]
    for (_, near), (_, near_too) in zip(first, second, strict=True):
        assert [n is None for n in near] == [n is None for n in near_too]
        assert [n or 0.0 for n in near] == pytest.approx([n or 0.0 for n in near_too], rel=1e-6)


def tried(router: Any, lead_id: str) -> str | None:
    """Route a lead; the error's class where it is refused."""
    try:
        router.route(lead_id, actor="test")
    except ApportionError as error:
        return f"{type(error).__name__}: {error}"
    return None


@pytest.mark.parametrize("name", CASES)
def test_one_after_the_other_is_what_a_batch_of_one_gives(
    name: str, company: Path, tmp_path: Path, clock: FakeClock
) -> None:
    """Under each policy: the same rep, reason and refusal, lead by lead, as time goes on."""
    slow, quick = two(company, tmp_path, clock, POLICIES[name])
    routers = SlowRouter(slow), LeadRouter(quick)
    with slow.read() as tx:
        waiting = [lead.lead_id for lead in tx.leads.page(state="waiting")]
    for number, lead_id in enumerate(waiting):
        assert tried(routers[0], lead_id) == tried(routers[1], lead_id), lead_id
        clock.turn(0 if number % 3 else 60 * 47)
    alike(slow, quick)
    assert len(routed(quick)) == (0 if name.startswith("floors") else len(waiting))


@pytest.mark.parametrize("name", CASES)
def test_all_at_once_is_what_batches_of_one_give_in_that_order(
    name: str, company: Path, tmp_path: Path, clock: FakeClock
) -> None:
    """Served together, each lead is still decided as if it were alone, after those before it."""
    slow, quick = two(company, tmp_path, clock, POLICIES[name])
    router, reference = LeadRouter(quick), SlowRouter(slow)
    with slow.read() as tx:
        waiting = [lead.lead_id for lead in tx.leads.page(state="waiting")]
    futures = [router.ask(Ask(lead_id, "test")) for lead_id in waiting]
    refused = [future.exception() for future in futures]
    if name.startswith("floors"):
        assert all(isinstance(error, ProblemError) for error in refused)
        return
    assert refused == [None] * len(waiting)
    for told, _ in routed(quick):
        reference.route(told[0], actor="test")
    alike(slow, quick)


@pytest.fixture
def small(store: Store) -> Store:
    """On both databases: twelve leads that wait for three reps of two places each."""
    set_up(store, policy={"equity": [], "nurture": {"value": 0}})
    with store.write() as tx:
        tx.reps.upsert(reps(3, capacity=[2.0, 2.0, 2.0]))
    return store


def test_two_routers_give_no_place_twice(small: Store) -> None:
    """Two processes would be two routers: each counts what the other gave, and no rep gets more than fits."""
    routers = LeadRouter(small), LeadRouter(small)
    futures = [routers[number % 2].ask(Ask(f"L{number:04}", "test")) for number in range(1, 13)]
    given = [future.result(timeout=60).assignment for future in futures]
    assert sorted(str(one.rep_id) for one in given if one) == ["None"] * 6 + ["R1", "R1", "R2", "R2", "R3", "R3"]


def test_what_changes_is_seen_at_the_next_lead(small: Store) -> None:
    """A lead taken back frees its place; a rep who is retired, a policy, and a batch's prices count at once."""
    router = LeadRouter(small)
    for number in range(1, 7):
        assert router.route(f"L{number:04}", actor="test").rep_id is not None
    assert router.route("L0007", actor="test").rep_id is None
    with small.write() as tx:
        tx.leads.requeue(["L0001"])
    assert router.route("L0008", actor="test").rep_id is not None
    assert router.route("L0001", actor="test").rep_id is None
    with small.write() as tx:
        tx.reps.upsert(reps(4, capacity=[2.0, 2.0, 2.0, 1.0]))
    assert router.route("L0009", actor="test").rep_id == "R4"
    with small.write() as tx:
        tx.reps.upsert(reps(3, capacity=[9.0, 9.0, 9.0]))
        tx.reps.retire(["R1", "R2"])
    assert router.route("L0010", actor="test").rep_id == "R3"
    with small.write() as tx:
        tx.policies.activate(
            tx.policies.add(load_policy({"screening": [{"name": "no", "when": "score >= 0"}]})).version
        )
    assert router.route("L0011", actor="test").reason == "Screened out: no."


def test_each_lead_is_told_of_once(small: Store) -> None:
    """A letter to each sink, of leads in nurture too, that says what was decided; none where nobody is to be told."""
    LeadRouter(small).route("L0001", actor="test")
    small.tells({LEAD_ASSIGNED: ("crm", "drop")})
    router = LeadRouter(small)
    given = [router.route(f"L{number:04}", actor="test") for number in range(2, 9)]
    with small.read() as tx:
        letters = tx.outbox.page(limit=100).items
        rows = [(letter.sink, message_of(tx, letter)) for letter in letters]
    assert {letter.topic for letter in letters} == {LEAD_ASSIGNED}
    told = [message.rows[0] for sink, message in rows if sink == "crm" and message is not None]
    assert [(row["lead_id"], row["rep_id"], row["outcome"]) for row in told] == [
        (one.lead_id, one.rep_id, one.outcome) for one in given
    ]
    assert len(letters) == 2 * len(given)
    with small.write() as tx:
        forget_lead(tx, "L0002")
        assert tx.outbox.counts() == {"dropped": 2, "waiting": 12}


def test_a_request_is_answered_once_under_its_name(small: Store) -> None:
    """Two at once, and again later, get one answer; with another body it is refused; a lead is never given twice."""

    def asked(body: str) -> Ask:
        return Ask("L0001", "test", once=Once("scope", "key", body, lambda one: Answer(200, one.rep_id)))

    router = LeadRouter(small)
    futures = [router.ask(asked("a")), router.ask(asked("a")), router.ask(asked("b")), router.ask(Ask("L0001", "test"))]
    answers = [futures[place].result(timeout=60).answer for place in (0, 1)]
    assert answers[0] == answers[1] and answers[0] is not None and answers[0].response in {"R1", "R2", "R3"}
    assert isinstance(futures[2].exception(), OtherBodyError)
    assert isinstance(futures[3].exception(), ConflictError)
    assert router.ask(asked("a")).result(timeout=60).answer == answers[0]
    assert isinstance(LeadRouter(small).ask(asked("b")).exception(), OtherBodyError)
    assert len(routed(small)) == 1


def test_a_fault_is_told_to_its_own_request(small: Store, clock: FakeClock) -> None:
    """Beside leads that nobody knows, that have a rep, or whose row cannot be read, the others are routed; and who
    asked stands in the trail."""
    router = LeadRouter(small)
    router.route("L0001", actor="test")
    row = {**records(leads(1, first=90))[0], "contact": None}
    asks = [
        Ask("L0002", "key:a"),
        Ask("nobody", "key:a"),
        Ask("", "key:b", {"lead_id": "bad", "created_at": "never"}),
        Ask("", "key:b", row),
        Ask("L0001", "key:a"),
    ]
    errors = [future.exception(timeout=60) for future in [router.ask(ask) for ask in asks]]
    kinds = [None, NotFoundError, TableError, None, ConflictError]
    assert [error if error is None else type(error) for error in errors] == kinds
    with small.read() as tx:
        assert [entry.actor for entry in tx.audit.page(limit=100) if entry.action == "assignments.add"][-1] == "key:b"
        assert tx.audit.verify().ok
        held = tx.leads.get("L0090")
        assert held is not None and held.state == "assigned"


def test_a_lead_that_is_refused_is_kept(small: Store) -> None:
    """Where the policy cannot be promised, the lead that came along waits for the next batch."""
    with small.write() as tx:
        tx.policies.activate(tx.policies.add(load_policy(POLICIES["floors that cannot be promised"])).version)
        tx.reps.upsert(reps(3, capacity=[2.0, 2.0, 2.0], start_date=["2026-03-01"] * 3))
    future = LeadRouter(small).ask(Ask("", "test", records(leads(1, first=90))[0]))
    assert isinstance(future.exception(timeout=60), ProblemError)
    with small.read() as tx:
        there = tx.leads.get("L0090")
    assert there is not None and there.state == "waiting"


ROWS: list[dict[str, Any]] = [
    {"lead_id": "a", "created_at": "2026-03-02T07:00:00Z", "score": 5.0, "note": "x12 street"},
    {"lead_id": "b", "created_at": "2026-03-02T07:00:00Z", "score": None, "note": "12"},
    {"lead_id": "c", "created_at": "2026-03-02T07:00:00Z", "score": "1,5", "note": "1.234"},
    {"lead_id": "d", "created_at": "2 March 2026", "score": 5.0, "note": "1.234,5"},
    {"lead_id": 7, "created_at": "2026-03-02T07:00:00Z", "score": 5.0, "note": 3.5},
    {"lead_id": "e", "created_at": "2026-03-02T07:00:00+01:00", "score": 1.0, "note": True},
    {"lead_id": " f ", "created_at": "2026-03-02T07:00:00Z", "score": 1.0, "note": ["p", "q"]},
    {"lead_id": "g", "created_at": "2026-03-02T07:00:00Z", "score": 2.0, "note": None},
    {"lead_id": "h", "created_at": "2026-03-02T07:00:00Z", "Company": "Acme", "note": "+46 70 123"},
    {"lead_id": "a", "created_at": "2026-03-02T07:00:00Z", "score": 2.0, "note": "=1+1"},
]


def test_rows_read_together_are_read_as_each_alone() -> None:
    """What a reader settles by the whole column does not depend on who asked at the same time."""

    def shown(read: Any) -> Any:
        return str(read) if isinstance(read, ApportionError) else read

    together = [shown(read) for read in read_rows(ROWS)]
    assert together == [shown(read_rows([row])[0]) for row in ROWS]
    assert together == [_alone(row) for row in ROWS]


def _alone(row: dict[str, Any]) -> Any:
    try:
        return records(read_leads(pd.DataFrame({name: pd.Series([cell], dtype=object) for name, cell in row.items()})))[
            0
        ]
    except ApportionError as error:
        return str(error)
