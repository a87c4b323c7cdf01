"""Plans over HTTP: at once or as jobs, from the body or the store, asked for once, read in pages."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from apportion import AssignmentProblem, RevenueShare, solve
from apportion.service.api import Limits
from apportion.service.runs import repeat
from apportion.service.store import Store
from apportion.service.store.cells import records
from tests.solver.service.api.conftest import Client
from tests.solver.service.tables import leads, reps

ASYNC = {"Prefer": "respond-async"}


def batch(count: int = 6, **columns: Any) -> dict[str, Any]:
    return {"leads": records(leads(count, **columns)), "reps": records(reps(3))}


def over(api: TestClient, plan_id: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while (told := api.get(f"/v1/plans/{plan_id}").json())["status"] in ("queued", "running"):
        assert time.monotonic() < end
        time.sleep(0.05)
    return dict(told)


def test_plain_arrays_give_the_optimal_mapping(api: TestClient) -> None:
    """The same plan as `solve` in this process, verified; equity as asked."""
    value = np.random.default_rng(0).uniform(10, 100, (12, 3)).round(2)
    problem: dict[str, Any] = {"value": value.tolist(), "capacity": [4, 4, 4], "rep_ids": ["a", "b", "c"]}
    problem |= {"equity": [{"measure": "revenue", "low": 0.8, "high": 1.25}], "lead_ids": [f"x{i}" for i in range(12)]}
    answer = api.post("/v1/plans", json={"problem": problem})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    own = solve(AssignmentProblem.from_arrays(
        value, capacity=[4, 4, 4], rep_ids=["a", "b", "c"], equity=[RevenueShare(0.8, 1.25)]))  # fmt: skip
    assert told["rep"] == own.rep.tolist()
    assert told["objective"] == pytest.approx(own.objective)
    assert told["certificate"]["verified"]
    assert told["mapping"]["x0"] == "abc"[own.rep[0]]
    assert set(told["prices"]) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("problem", "field"),
    [
        ({"value": [[1.0, 2.0], [3.0]], "capacity": [1, 1]}, "value"),
        ({"value": [[1.0]], "capacity": [-1]}, "capacity"),
        ({"value": [[1.0]], "capacity": [1, 2]}, "capacity"),
        ({"value": [[True]], "capacity": [1]}, "value.0.0"),
        ({"value": [[1.0]], "capacity": ["1"]}, "capacity.0"),
        ({"value": [], "capacity": []}, "value"),
        ({"value": [[1.0]], "capacity": [1], "colour": 1}, "colour"),
    ],
)
def test_what_is_wrong_with_arrays_is_named(api: TestClient, problem: dict[str, Any], field: str) -> None:
    """422, and the field at fault; nothing is turned into what it was not."""
    answer = api.post("/v1/plans", json={"problem": problem})
    assert answer.status_code == 422
    assert any(field in (fault["field"] or "") for fault in answer.json()["errors"]), answer.text


def test_no_plan_is_a_conflict(api: TestClient) -> None:
    """Infeasible is 409 with what to do."""
    problem = {"value": [[1.0], [1.0]], "capacity": [1], "must_assign": True}
    answer = api.post("/v1/plans", json={"problem": problem})
    assert (answer.status_code, answer.json()["code"]) == (409, "infeasible")


def test_a_batch_in_the_body_is_planned_at_once_and_changes_nothing(api: TestClient, there: Store) -> None:
    """201 with the certificate; the store's own leads wait on; and the run can be repeated to the byte."""
    answer = api.post("/v1/plans", json=batch() | {"policy": "equity: []\nnurture: {value: 1}"})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert answer.headers["location"] == f"/v1/plans/{told['plan_id']}"
    assert told["status"] == "done"
    assert told["objective"] <= told["bound"] * (1 + 1e-9)
    assert told["gap"] <= 1e-3
    assert told["certificate"]["verified"]
    assert told["summary"]["assigned"] == 6
    with there.read() as tx:
        assert tx.leads.counts()["waiting"] == 12
        assert tx.policies.active_version() == 1
    assert repeat(there, told["plan_id"]).same
    assert api.get(answer.headers["location"]).json() == told


def test_a_batch_from_the_store_assigns_what_waits(api: TestClient, there: Store) -> None:
    """The leads have a rep afterwards, and who asked is known."""
    answer = api.post("/v1/plans", json={"from_store": True, "limit": 5})
    assert answer.status_code == 201, answer.text
    with there.read() as tx:
        assert tx.leads.counts() == {"assigned": 5, "waiting": 7}
        assert tx.runs.get(answer.json()["plan_id"]).asked_by.startswith("key:")


def test_a_job_is_told_of_and_ends(client: Client) -> None:
    """202 with Location, by size or because it was asked for; then the same plan as at once."""
    for one, headers in ((client("admin"), ASYNC), (client("admin", limits=Limits(at_once_pairs=1)), {})):
        answer = one.post("/v1/plans", json=batch(), headers=headers)
        assert answer.status_code == 202
        assert answer.headers["location"] == f"/v1/plans/{answer.json()['plan_id']}"
        assert over(one, answer.json()["plan_id"])["status"] == "done"


def test_a_job_that_waits_can_be_called_off(api: TestClient, there: Store) -> None:
    """DELETE ends it; its leads wait on; a second DELETE is a conflict; its assignments are not there."""
    with there.write() as tx:
        run = tx.runs.add()
    assert run is not None
    answer = api.delete(f"/v1/plans/{run.run_id}")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert api.delete(f"/v1/plans/{run.run_id}").status_code == 409
    assert api.get(f"/v1/plans/{run.run_id}/assignments").status_code == 409
    assert api.delete("/v1/plans/none").status_code == 404
    with there.read() as tx:
        assert tx.leads.counts() == {"waiting": 12}


def test_a_plan_that_fails_answers_why(api: TestClient) -> None:
    """A batch that no plan fits is 409 with the diagnosis and the plan's id, under which the same is told."""
    policy = {"equity": [], "capacity": {"default": 1}, "nurture": {"allowed": False}}
    both = batch(40) | {"policy": {"equity": [{"name": "x", "measure": "leads", "low": 1.0, "high": 1.0}]}}
    for lead in both["leads"]:
        lead["owner_rep_id"] = "R1"
    both["overrides"] = [{"lead_id": f"L{n:04}", "rep_id": "R1", "kind": "lock"} for n in range(1, 41)]
    answer = api.post("/v1/plans", json=both)
    assert (answer.status_code, answer.json()["code"]) == (409, "infeasible"), answer.text
    told = api.get(f"/v1/plans/{answer.json()['plan_id']}").json()
    assert (told["status"], told["error"]["code"]) == ("failed", "infeasible")
    assert api.post("/v1/plans", json=batch() | {"policy": policy}).status_code == 422  # no such keys


def test_assignments_come_in_pages_and_as_csv(api: TestClient) -> None:
    """Every lead once over all pages, in JSON and CSV; a formula in an id is harmless in CSV and as it was in JSON."""
    ids = ["=1+1", *(f"L{number:04}" for number in range(2, 8))]
    plan_id = api.post("/v1/plans", json=batch(7, lead_id=ids)).json()["plan_id"]
    seen, path = [], f"/v1/plans/{plan_id}/assignments?limit=3"
    while path:
        page = api.get(path)
        seen += page.json()["assignments"]
        path = page.headers["link"].split(">")[0][1:] if "link" in page.headers else ""
    assert sorted(one["lead_id"] for one in seen) == sorted(ids)
    assert all(one["reason"] for one in seen)
    text = api.get(f"/v1/plans/{plan_id}/assignments?format=csv")
    assert text.headers["content-type"].startswith("text/csv")
    table = pd.read_csv(io.StringIO(text.text))
    assert "'=1+1" in set(table["lead_id"])
    assert len(table) == 7


def test_a_key_that_is_sent_again_gets_the_same_answer(api: TestClient, there: Store) -> None:
    """Same key and body: the same plan, done once. Another body: 422. Without a key: two plans."""
    named = {"Idempotency-Key": "batch-1"}
    first = api.post("/v1/plans", json={"from_store": True, "limit": 3}, headers=named)
    again = api.post("/v1/plans", json={"from_store": True, "limit": 3}, headers=named)
    assert again.json() == first.json()
    assert again.status_code == first.status_code == 201
    other = api.post("/v1/plans", json={"from_store": True, "limit": 4}, headers=named)
    assert (other.status_code, other.json()["code"]) == (422, "other_body")
    with there.read() as tx:
        assert tx.leads.counts() == {"assigned": 3, "waiting": 9}
    arrays = {"problem": {"value": [[1.0]], "capacity": [1]}}
    told = [api.post("/v1/plans", json=arrays, headers={"Idempotency-Key": "arrays"}) for _ in range(2)]
    assert told[0].json() == told[1].json()


def test_a_request_that_is_still_answered_is_a_conflict(api: TestClient, there: Store) -> None:
    """409 with Retry-After while the first with this key runs; after a failure the key may be used again."""
    bad, good = ({"problem": {"value": [[1.0]], "capacity": [c]}} for c in (-1, 1))
    assert api.post("/v1/plans", json=bad, headers={"Idempotency-Key": "k"}).status_code == 422
    from apportion.service.api import plans

    seen: list[int] = []

    def slow(*args: Any, **options: Any) -> dict[str, Any]:
        second = api.post("/v1/plans", json=good, headers={"Idempotency-Key": "k"})
        seen.append(second.status_code)
        assert "retry-after" in second.headers
        return real(*args, **options)

    real = plans.solved
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "solved", slow)
        assert api.post("/v1/plans", json=good, headers={"Idempotency-Key": "k"}).status_code == 200
    assert seen == [409]


def test_bad_tables_name_row_and_column(api: TestClient) -> None:
    """All faults at once: table, row, column."""
    bad = batch()
    bad["leads"][2]["created_at"] = "yesterday"
    bad["reps"][1]["capacity"] = -3
    answer = api.post("/v1/plans", json=bad)
    assert answer.status_code == 422
    places = {(one["table"], one.get("row"), one["field"]) for one in answer.json()["errors"]}
    assert places == {("leads", 3, "created_at"), ("reps", 2, "capacity")}


@pytest.mark.parametrize("policy", ["/etc/passwd", "../../secret.yaml", "C:\\x"])
def test_a_policy_is_never_a_path(api: TestClient, policy: str) -> None:
    """A text is YAML: a path is refused as a policy, and no file is opened."""
    answer = api.post("/v1/plans", json=batch() | {"policy": policy})
    assert answer.status_code == 422
    assert "root:" not in answer.text


ARRAYS = {"value": [[1.0]], "capacity": [1]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"from_store": False},
        {"from_store": True, "problem": ARRAYS},
        {"leads": [{"lead_id": "a"}]},
        {"from_store": True, "gap": 2},
        {"from_store": True, "at": 5},
        [],
        "x",
        None,
    ],
)
def test_a_body_that_says_nothing_or_too_much_is_refused(api: TestClient, body: Any) -> None:
    """422: an empty body never assigns the store's leads."""
    answer = api.post("/v1/plans", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
