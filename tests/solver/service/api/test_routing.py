"""Single leads over HTTP: by the last plan's prices, never above capacity, whoever asks at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from apportion.policy import load_policy
from apportion.service.api import make_app
from apportion.service.store import Store
from apportion.service.store.cells import records
from tests.solver.service.api.conftest import Client
from tests.solver.service.tables import leads, reps, set_up


def row(number: int, **more: Any) -> dict[str, Any]:
    return records(leads(1, first=number))[0] | more


def test_a_new_lead_gets_a_rep_and_a_reason(api: TestClient, there: Store) -> None:
    """Stored, routed by the prices of the last batch, and counted like every other assignment."""
    plan_id = api.post("/v1/plans", json={"from_store": True}).json()["plan_id"]
    answer = api.post("/v1/leads:route", json={"lead": row(500)})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["outcome"] == "assigned"
    assert told["rep_id"] in {"R1", "R2", "R3"}
    assert told["expected_revenue"] == pytest.approx(told["fit"] * told["deal_value"])
    assert told["rep_id"] in told["reason"]
    held = api.get("/v1/leads/L0500").json()
    assert (held["state"], held["assignment"]["origin"]) == ("assigned", "route")
    assert held["assignment"]["rep_id"] == told["rep_id"]
    with there.read() as tx:
        assert tx.audit.verify().ok
        assert plan_id == next(iter(tx.runs.page())).run_id


def test_a_lead_that_does_not_wait_is_a_conflict(api: TestClient) -> None:
    """Unknown: 404; with a rep already: 409; both or neither given: 422."""
    assert api.post("/v1/leads:route", json={"lead_id": "nobody"}).status_code == 404
    assert api.post("/v1/leads:route", json={"lead_id": "L0001"}).status_code == 200
    assert api.post("/v1/leads:route", json={"lead_id": "L0001"}).status_code == 409
    assert api.post("/v1/leads:route", json={}).status_code == 422
    assert api.post("/v1/leads:route", json={"lead": {"lead_id": "x", "created_at": "never"}}).status_code == 422


def test_the_same_key_routes_once(api: TestClient) -> None:
    """The answer is given again, and not a conflict."""
    named = {"Idempotency-Key": "lead-1"}
    first, again = (api.post("/v1/leads:route", json={"lead_id": "L0001"}, headers=named) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()


def test_overrides_and_screening_hold(api: TestClient, there: Store) -> None:
    """A lock decides; a ban keeps a rep out; what the policy screens out goes to nurture with its reason."""
    api.post("/v1/overrides", json={"lead_id": "L0001", "rep_id": "R2", "kind": "lock"})
    assert api.post("/v1/leads:route", json={"lead_id": "L0001"}).json()["rep_id"] == "R2"
    for rep in ("R1", "R3"):
        api.post("/v1/overrides", json={"lead_id": "L0002", "rep_id": rep, "kind": "ban"})
    assert api.post("/v1/leads:route", json={"lead_id": "L0002"}).json()["rep_id"] == "R2"
    screened = load_policy({"equity": [], "screening": [{"name": "low", "when": "score < 101"}]})
    with there.write() as tx:
        tx.policies.activate(tx.policies.add(screened).version)
    told = api.post("/v1/leads:route", json={"lead_id": "L0003"}).json()
    assert (told["outcome"], told["rep_id"]) == ("nurture", None)
    assert told["reason"]


def test_only_the_scope_route_routes(client: Client) -> None:
    """Reading and writing do not."""
    assert client("read", "write").post("/v1/leads:route", json={"lead_id": "L0001"}).status_code == 403
    assert client("route").post("/v1/leads:route", json={"lead_id": "L0001"}).status_code == 200


def test_many_at_once_never_exceed_a_capacity(store: Store) -> None:
    """On both databases: 24 leads for 3 × 5 places by eight threads; 15 are placed, five each, nobody is doubled."""
    set_up(store, n_leads=24, policy={"equity": [], "nurture": {"value": 0}})
    with store.write() as tx:
        tx.reps.upsert(reps(3, capacity=[5.0] * 3))
        secret = tx.keys.create("test", ["route"])[1]
    with (
        TestClient(make_app(store), headers={"X-API-Key": secret}, raise_server_exceptions=False) as api,
        ThreadPoolExecutor(8) as pool,
    ):

        def routed(number: int) -> str:
            while True:
                answer = api.post("/v1/leads:route", json={"lead_id": f"L{number:04}"})
                if answer.status_code == 200:
                    return str(answer.json()["rep_id"])
                assert answer.status_code == 503, answer.text

        got = Counter(pool.map(routed, range(1, 25)))
    assert got == {"R1": 5, "R2": 5, "R3": 5, "None": 9}
    with store.read() as tx:
        assert tx.leads.counts() == {"assigned": 15, "nurture": 9}
        held = Counter(one.rep_id for one in tx.assignments.page(current=True, limit=100))
        assert held == {"R1": 5, "R2": 5, "R3": 5}
