"""The client against a real server, and against one that fails."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

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
