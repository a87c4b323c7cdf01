"""What is assigned over HTTP is told to the sinks as well, in the transaction that assigns it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from apportion.service.api import make_app
from apportion.service.outbox import Deliverer, Route
from apportion.service.store import Store
from tests.solver.service.api.test_routing import row
from tests.solver.service.test_clockwork import Mailbox


@pytest.fixture
def telling(there: Store) -> Iterator[TestClient]:
    """A client of a service with two sinks, of which one hears of single leads only."""
    with there.write() as tx:
        secret = tx.keys.create("test", ["admin"])[1]
    there.tells({"plan.done": ("crm",), "lead.assigned": ("crm", "phone")})
    with TestClient(make_app(there), headers={"X-API-Key": secret}) as client:
        yield client


def _delivered(there: Store) -> dict[str, list[tuple[str, list[object]]]]:
    boxes = {"crm": Mailbox(), "phone": Mailbox()}
    Deliverer(there, {name: Route(box) for name, box in boxes.items()}).all_due()
    return {
        name: [(message.kind, sorted(str(row["lead_id"]) for row in message.rows)) for message in box.got]
        for name, box in boxes.items()
    }


def test_a_single_lead_is_told_to_those_who_hear_of_it(telling: TestClient, there: Store) -> None:
    """Once, with who has it; under its key again, nothing more."""
    for _ in range(2):
        answer = telling.post("/v1/leads:route", json={"lead": row(500)}, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 200, answer.text
    told = [("lead.assigned", ["L0500"])]
    assert _delivered(there) == {"crm": told, "phone": told}


def test_a_plan_of_the_store_is_told_like_one_of_the_schedule(telling: TestClient, there: Store) -> None:
    """All its leads; a plan of tables in the body changes nothing, and nobody is told."""
    assert telling.post("/v1/plans", json={"from_store": True}).status_code == 201
    body = {"leads": [row(900)], "reps": [{"rep_id": "R1", "capacity": 5}]}
    assert telling.post("/v1/plans", json=body).status_code == 201
    assert _delivered(there) == {"crm": [("plan.done", [f"L{number:04}" for number in range(1, 13)])], "phone": []}
