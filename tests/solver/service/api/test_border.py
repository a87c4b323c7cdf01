"""The border of the service: formulas, ids that look like paths, addresses in bodies, and too much at once."""

from __future__ import annotations

import csv
import io
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from apportion.service.api import Limits, plans
from apportion.service.store import Store
from tests.solver.service.api.bodies import TABLES
from tests.solver.service.api.conftest import Client
from tests.solver.service.api.test_plans import batch

FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=2", "\r=3", '=HYPERLINK("http://x")', "＝1")
PATHS = ("a/b", "../../etc/passwd", "..", ".", "a?b#c", "é /", "C:\\x", ":route", "x:activate", "a;b=1")


@pytest.mark.parametrize("where", ["lead_id", "rep_id"])
def test_no_cell_of_a_csv_is_a_formula(api: TestClient, where: str) -> None:
    """Whatever a spreadsheet would run stands behind an apostrophe, wherever it came from; JSON has it as it was."""
    body = batch(len(FORMULAS))
    body["reps"] += [dict(body["reps"][0]) for _ in range(len(FORMULAS) - 3)]
    for row, text in zip(body[where.removesuffix("_id") + "s"], FORMULAS, strict=True):
        row[where] = text
    for rep in body["reps"]:
        rep["capacity"] = 1.0
    answer = api.post("/v1/plans", json=body)
    assert answer.status_code == 201, answer.text
    address = f"/v1/plans/{answer.json()['plan_id']}/assignments"
    text = api.get(address, params={"format": "csv"}).text
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    words = [cell for cell in cells if not _is_number(cell)]
    assert len(words) > 20
    assert not [cell for cell in words if cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]
    told = {one[where] for one in api.get(address).json()["assignments"]} - {None}
    assert len(told) >= len(FORMULAS) - 3
    assert told <= {one.strip() for one in FORMULAS}


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "+" not in cell[:1]


@pytest.mark.parametrize("name", PATHS)
def test_an_id_may_look_like_a_path(api: TestClient, name: str) -> None:
    """It is found under its own name, and leads nowhere else."""
    given = {"lead_id": name, "created_at": "2026-03-01T08:00:00Z"}
    assert api.post("/v1/leads", json={"leads": [given]}).status_code == 200
    step = quote(name, safe="").replace(".", "%2E")
    assert api.get(f"/v1/leads/{step}").json()["lead_id"] == name
    assert api.get(f"/v1/reps/{step}").status_code == 404


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine, and who called there."""
    called: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    connection, where = server.accept()
                except TimeoutError:
                    continue
                called.append(where)
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], called
        over.set()
        thread.join()


def test_no_address_in_a_body_is_called(api: TestClient, listener: tuple[int, list[object]]) -> None:
    """Nobody makes the service ask others: not in the place of a table, a policy, a model, an id or a webhook."""
    port, called = listener
    url = f"http://127.0.0.1:{port}/x.csv"
    lead, rep = TABLES["leads"][0], TABLES["reps"][0]
    bodies: list[tuple[str, Any]] = [
        ("/v1/plans", {"leads": url, "reps": url}),
        ("/v1/plans", {"leads": [lead | {"lead_id": url, "source": url}], "reps": [rep], "policy": url}),
        ("/v1/plans", {"leads": [lead], "reps": [rep], "policy": {"schedule": {"webhook": url}}}),
        ("/v1/leads", {"leads": [lead | {"lead_id": url, "webhook": url, "url": url}]}),
        ("/v1/policies", {"policy": f"!include {url}"}),
        ("/v1/policies:validate", {"policy": {"$ref": url}}),
        ("/v1/scenarios", {"leads": [lead], "reps": [rep], "scenarios": [{"name": "x", "fit": {"model": url}}]}),
        ("/v1/scenarios", {"leads": [lead], "reps": [rep], "scenarios": [{"name": "x", "policy": url}]}),
    ]
    statuses = [api.post(path, json=body).status_code for path, body in bodies]
    assert set(statuses) <= {200, 422}, statuses
    time.sleep(0.1)
    assert called == []


def test_no_field_takes_an_address(api: TestClient) -> None:
    """Where letters go is named by the operator's file of sinks, which no call can write."""
    document = api.get("/openapi.json").json()
    names = {name for schema in document["components"]["schemas"].values() for name in schema.get("properties", {})}
    assert not {name for name in names if "url" in name or "webhook" in name or "sink" in name or "path" in name}


def test_what_there_is_no_room_for_is_told_and_the_rest_is_answered(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One seat, held: a second solve is 503 with Retry-After when half its time is over; a lead is told at once."""
    begun, held, real = threading.Event(), threading.Event(), plans.solved

    def slow(*given: Any, **options: Any) -> dict[str, Any]:
        begun.set()
        held.wait(30)
        return real(*given, **options)

    monkeypatch.setattr(plans, "solved", slow)
    api = client("admin", limits=Limits(solves=1, request_seconds=4.0))
    body = {"problem": {"value": [[1.0]], "capacity": [1]}}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(api.post, "/v1/plans", json=body)
        assert begun.wait(30)
        assert api.get("/v1/leads/L0001").status_code == 200
        second = api.post("/v1/plans", json=body)
        held.set()
        assert first.result(timeout=30).status_code in (200, 503)  # 503 where the machine was slow
    assert (second.status_code, second.json()["code"]) == (503, "busy")
    assert int(second.headers["retry-after"]) >= 1


def test_teams_and_what_was_given_earlier_come_with_a_batch(api: TestClient, there: Store) -> None:
    """They are checked against the other tables, and are kept with the run."""
    body = {"leads": TABLES["leads"], "reps": TABLES["reps"], "accounts": TABLES["accounts"], "policy": {"equity": []}}
    body |= {"teams": TABLES["teams"], "assignments": TABLES["assignments"]}
    answer = api.post("/v1/plans", json=body)
    assert answer.status_code == 201, answer.text
    with there.read() as tx:
        assert {"teams", "assignments"} <= set(tx.snapshots.frames(answer.json()["plan_id"]))
    wrong = api.post("/v1/plans", json=body | {"teams": [{"team_id": "other"}]})
    assert wrong.status_code == 422
    assert [(one["table"], one["field"]) for one in wrong.json()["errors"]] == [("reps", "team_id")]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", "/v1/plans", "GET, POST"), ("GET", "/v1/policies/1:activate", "POST"), ("HEAD", "/v1/leads", "GET, POST")],
)
def test_a_405_names_every_method(api: TestClient, method: str, path: str, allowed: str) -> None:
    """Of the address, and not of the first route alone."""
    answer = api.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("media", ["text/plain", "text/json", "application/x+json", "multipart/form-data", "", None])
def test_a_body_is_json_by_name_too(api: TestClient, media: str | None) -> None:
    """415, before it is read."""
    headers = {} if media is None else {"Content-Type": media}
    assert api.post("/v1/plans", content=b"{}", headers=headers).status_code == 415
    assert api.post("/v1/plans", content=b"{}", headers={"Content-Type": "Application/JSON; x=y"}).status_code == 422
