"""Leads, reps, outcomes, overrides, policies and scenarios over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from apportion.service.store import Store
from apportion.service.store.cells import records
from tests.solver.service.api.conftest import Client
from tests.solver.service.tables import leads, reps


def test_leads_are_stored_whole_or_not_at_all(api: TestClient, there: Store) -> None:
    """New, changed and same are counted; one bad row keeps all out, and is named."""
    rows = records(leads(3, first=12))
    rows[0]["score"] = 99.0
    answer = api.post("/v1/leads", json={"leads": rows})
    assert answer.json() == {"new": 2, "changed": 1, "same": 0}
    rows[1]["lead_id"], rows[2]["created_at"] = "fresh", "never"
    answer = api.post("/v1/leads", json={"leads": rows})
    assert answer.status_code == 422
    assert [(one["row"], one["field"]) for one in answer.json()["errors"]] == [(3, "created_at")]
    assert api.get("/v1/leads/fresh").status_code == 404
    with there.read() as tx:
        assert tx.leads.counts() == {"waiting": 14}
        assert tx.audit.verify().ok


def test_a_lead_tells_where_it_stands_and_why(api: TestClient) -> None:
    """Waiting; then with a rep, for a reason; then won; the rep's page has it meanwhile."""
    assert api.get("/v1/leads/L0001").json()["state"] == "waiting"
    api.post("/v1/plans", json={"from_store": True})
    held = api.get("/v1/leads/L0001").json()
    assert held["state"] == "assigned"
    assert held["assignment"]["reason"]
    rep = held["assignment"]["rep_id"]
    assert "L0001" in {one["lead_id"] for one in api.get(f"/v1/reps/{rep}").json()["assignments"]}
    won = {"lead_id": "L0001", "outcome": "won", "closed_at": "2026-03-09T10:00:00+01:00", "deal_value": 900}
    assert api.post("/v1/outcomes", json={"outcomes": [won]}).json() == {"new": 1, "changed": 0, "same": 0}
    assert api.post("/v1/outcomes", json={"outcomes": [won]}).json() == {"new": 0, "changed": 0, "same": 1}
    told = api.get("/v1/leads/L0001").json()
    assert (told["state"], told["outcome"]["outcome"]) == ("closed", "won")
    assert api.post("/v1/leads:requeue", json={"lead_ids": ["L0002", "L0002"]}).json() == {"count": 1}
    assert api.get("/v1/leads?state=waiting").json()["leads"][0]["lead_id"] == "L0002"


def test_pages_hold_each_lead_once(api: TestClient) -> None:
    """By cursor until there is no next."""
    seen, after = [], None
    while True:
        page = api.get("/v1/leads", params={"limit": 5} | ({} if after is None else {"after": after})).json()
        seen += [one["lead_id"] for one in page["leads"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [f"L{number:04}" for number in range(1, 13)]


def test_reps_are_stored_and_retired(api: TestClient) -> None:
    """A retired rep is no longer listed and gets no lead."""
    assert api.post("/v1/reps", json={"reps": records(reps(4))}).json() == {"new": 1, "changed": 0, "same": 3}
    assert api.post("/v1/reps:retire", json={"rep_ids": ["R4"]}).json() == {"count": 1}
    assert [one["rep_id"] for one in api.get("/v1/reps").json()["reps"]] == ["R1", "R2", "R3"]
    bad = api.post("/v1/reps", json={"reps": [{"rep_id": "R9", "capacity": -1}]})
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "capacity")


def test_a_lock_is_kept_by_the_next_batch(api: TestClient) -> None:
    """Set, refused against another, kept by the plan, lifted."""
    lock = {"lead_id": "L0003", "rep_id": "R2", "kind": "lock", "reason": "knows them"}
    made = api.post("/v1/overrides", json=lock)
    assert made.status_code == 201
    assert api.post("/v1/overrides", json=lock | {"rep_id": "R1"}).status_code == 409
    unknown = api.post("/v1/overrides", json=lock | {"rep_id": "nobody"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "rep_id")
    api.post("/v1/plans", json={"from_store": True})
    assert api.get("/v1/leads/L0003").json()["assignment"]["rep_id"] == "R2"
    assert api.delete(f"/v1/overrides/{made.json()['id']}").json()["lifted_at"]
    assert api.get("/v1/overrides").json()["overrides"] == []
    assert api.delete("/v1/overrides/999").status_code == 404


def test_policies_are_checked_added_activated_and_rolled_back(client: Client) -> None:
    """A fault names key and line; to change what is in use needs admin; roll back goes to the one before."""
    api, narrow = client("admin"), client("read", "write")
    bad = narrow.post("/v1/policies:validate", json={"policy": "equity: []\nnurture: {value: -x}\n"})
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["row"] == 2
    text = "name: next\nequity: []\n"
    assert narrow.post("/v1/policies:validate", json={"policy": text}).json()["name"] == "next"
    assert narrow.post("/v1/policies", json={"policy": text}).status_code == 403
    version = api.post("/v1/policies", json={"policy": text}).json()["version"]
    assert api.get(f"/v1/policies/{version}").json()["in_use"] is False
    assert api.post(f"/v1/policies/{version}:activate").json() == {"version": version}
    assert {one["version"]: one["in_use"] for one in narrow.get("/v1/policies").json()["policies"]}[version]
    assert api.post("/v1/policies:roll-back").json() == {"version": 1}
    assert api.post("/v1/policies:roll-back").status_code == 409
    assert api.post("/v1/policies/99:activate").status_code == 404


def test_a_roll_back_that_is_sent_again_is_done_once(api: TestClient) -> None:
    """The case for which keys are there: the second would go back one more."""
    for name in ("a", "b"):
        version = api.post("/v1/policies", json={"policy": {"name": name, "equity": []}}).json()["version"]
        api.post(f"/v1/policies/{version}:activate")
    for _ in range(2):
        answer = api.post("/v1/policies:roll-back", headers={"Idempotency-Key": "back"})
        assert answer.json() == {"version": version - 1}


def test_scenarios_are_compared_with_the_base(api: TestClient) -> None:
    """A rep who leaves costs; nothing is kept; a path of this machine is refused."""
    ask: dict[str, Any] = {"leads": records(leads(20)), "reps": records(reps(3)), "draws": 50}
    ask["scenarios"] = [{"name": "gone", "reps": {"leave": ["R1"]}}]
    answer = api.post("/v1/scenarios", json=ask)
    assert answer.status_code == 200, answer.text
    assert "gone" in answer.text
    assert api.get("/v1/plans").json()["plans"] == []
    ask["scenarios"] = [{"name": "other", "fit": {"model": "/etc"}}]
    refused = api.post("/v1/scenarios", json=ask)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "fit.model")


@pytest.mark.parametrize("path", ["/v1/leads", "/v1/reps", "/v1/outcomes", "/v1/overrides", "/v1/policies"])
def test_reading_does_not_allow_writing(client: Client, path: str) -> None:
    """403 for a key with the scope read; and a row of too many kinds is refused, not laid out."""
    assert client("read").post(path, json={}).status_code == 403


def test_a_table_of_too_many_columns_is_refused(api: TestClient) -> None:
    """A small body cannot be made to fill the memory."""
    rows = [{"lead_id": f"a{i}", "created_at": "2026-03-01T08:00:00Z", f"c{i}": 1} for i in range(600)]
    assert api.post("/v1/leads", json={"leads": rows}).status_code == 422


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-03-01", "soon", 5])
def test_moments_are_of_our_time_and_have_a_zone(api: TestClient, moment: Any) -> None:
    """422, naming the field."""
    given = [{"lead_id": "L0001", "outcome": "won", "closed_at": moment}]
    answer = api.post("/v1/outcomes", json={"outcomes": given})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "outcomes.0.closed_at"
