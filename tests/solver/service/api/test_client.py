"""The client against a real server, and against one that fails."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from apportion.service.client import Client, RefusedError
from apportion.service.store import Store
from apportion.service.store.cells import records
from apportion.service.wire.people import Stored
from apportion_models.errors import ServiceError
from tests.solver.service.api.served import served
from tests.solver.service.tables import leads, reps


def test_it_does_every_call(there: Store, tmp_path: Path) -> None:
    """Arrays, tables, the store, a lead, an override, a scenario; a refusal carries the problem."""
    with there.write() as tx:
        secret = tx.keys.create("client", ["admin"])[1]
    tables = {"leads": records(leads(5, first=900)), "reps": records(reps(3))}
    with (
        served(str(there.url), tmp_path, "--no-clockwork") as one,
        Client(one.url, key=secret) as client,
    ):
        assert client.solve([[9.0, 1.0], [8.0, 7.0]], capacity=[1, 1]).rep == [0, 1]
        plan = client.plan(**tables)
        assert plan.certificate is not None
        assert plan.certificate.verified
        assert {told.lead_id for told in client.assignments(plan.plan_id, page=2)} == {
            lead["lead_id"] for lead in tables["leads"]
        }
        assert client.put("leads", tables["leads"]).changed == 5  # the plan spoke of them
        client.override("L0900", "R3", "lock")
        assert client.route("L0900").rep_id == "R3"
        assert client.lead("L0900").state == "assigned"
        stored = client.plan_from_store()
        assert stored.summary is not None
        assert stored.summary.leads == 16
        assert client.scenarios(**tables, scenarios=[{"name": "gone", "reps": {"leave": ["R1"]}}], draws=50)
        with pytest.raises(RefusedError) as refused:
            client.cancel(plan.plan_id)
        assert (refused.value.status, refused.value.problem.code) == (409, "conflict")


def test_it_asks_again_under_the_same_key() -> None:
    """Busy, then broken, then answered: one Idempotency-Key over all tries; what stays away is told."""
    keys: list[str] = []

    def answered(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["idempotency-key"])
        if len(keys) == 1:
            return httpx2.Response(503, json={"code": "away"}, headers={"Retry-After": "0"})
        if len(keys) == 2:
            raise httpx2.ConnectError("no", request=request)
        return httpx2.Response(200, json={"new": 1, "changed": 0, "same": 0})

    with Client("http://here", key="k", transport=httpx2.MockTransport(answered)) as client:
        assert client.put("leads", [{"lead_id": "a"}]) == Stored(new=1, changed=0, same=0)
    assert len(set(keys)) == 1
    assert len(keys) == 3
    away = httpx2.MockTransport(
        lambda request: httpx2.Response(503, json={"code": "away"}, headers={"Retry-After": "0"})
    )
    with Client("http://here", key="k", transport=away, tries=2) as client, pytest.raises(ServiceError):
        client.lead("a")


def test_a_page_of_something_between_is_no_answer() -> None:
    """A proxy's HTML is a RefusedError with its status, or a ServiceError where it pretends to be an answer."""
    for status, kind in ((404, RefusedError), (200, ServiceError)):
        html = httpx2.MockTransport(lambda _, status=status: httpx2.Response(status, text="<html>"))
        with Client("http://here", key="k", transport=html) as client, pytest.raises(kind) as caught:
            client.lead("a")
        if isinstance(caught.value, RefusedError):
            assert (caught.value.status, caught.value.problem.code) == (404, "no_problem")


def test_every_call_has_a_method(api: TestClient) -> None:
    """Against the service itself, with every answer read into its model."""
    with Client("http://here", key=api.headers["X-API-Key"], transport=_Passed(api)) as client:
        version = client.add_policy({"name": "next", "equity": []}).version
        assert client.check_policy("equity: []\n").name
        assert client.activate(version).version == version
        assert client.policy(version).in_use
        assert client.roll_back().version == 1
        assert {one.version for one in client.policies()} == {1, version}
        number = client.override("L0001", "R1", "ban").id
        assert [one.id for one in client.overrides()] == [number]
        assert client.lift(number).lifted_at is not None
        plan = client.plan_from_store(limit=3)
        assert [one.plan_id for one in client.plans()] == [plan.plan_id]
        held = next(iter(client.leads(state="assigned")))
        assert held.lead_id in {one.lead_id for name in "123" for one in client.rep(f"R{name}").assignments}
        assert client.requeue([held.lead_id]) == 1
        assert [one.rep_id for one in client.reps()] == ["R1", "R2", "R3"]
        assert client.retire(["R3"]) == 1
        client.put("leads", [{"lead_id": "../x", "created_at": "2026-03-01T08:00:00Z"}])
        assert client.lead("../x").lead_id == "../x"
        with pytest.raises(RefusedError, match="404"):
            client.lead("..")


class _Passed(httpx2.BaseTransport):
    """From one client to another."""

    def __init__(self, api: TestClient) -> None:
        self._api = api

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._api.request(
            request.method, str(request.url), content=request.read(), headers=dict(request.headers)
        )
        return httpx2.Response(answer.status_code, content=answer.content, headers=dict(answer.headers))
