"""Keys: every operation asks for one, of its scope, before it takes a byte of the body."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from apportion.service.api import Limits, make_app
from apportion.service.store import Store
from tests.solver.service.api.conftest import Client

OPEN = {("get", "/healthz"), ("get", "/readyz"), ("get", "/metrics")}
SCOPES = {"read", "write", "route"}
RULES = {"/v1/policies", "/v1/policies/{version}:activate", "/v1/policies:roll-back"}


def _calls(store: Store) -> Iterator[tuple[str, str]]:
    for path, methods in make_app(store).openapi()["paths"].items():
        for method in methods:
            if (method, path) not in OPEN:
                yield method, path


def _needed(method: str, path: str) -> str:
    """The scope as docs/api.md has it."""
    if method == "get" or path in ("/v1/policies:validate", "/v1/scenarios"):
        return "read"
    if path in RULES:
        return "admin"
    return "route" if path == "/v1/leads:route" else "write"


def _asked(api: TestClient, method: str, path: str) -> int:
    address = path.replace("{version}", "1").replace("{number}", "1").replace("_id}", "").replace("{", "")
    return api.request(method, address, json={} if method == "post" else None).status_code


def test_every_call_needs_a_key_that_holds(client: Client, there: Store) -> None:
    """Without one, with one that was made up, with one that is revoked: 401, whatever else is wrong."""
    revoked, made_up = client("admin"), client()
    with there.write() as tx:
        tx.keys.revoke(tx.keys.all()[-1].key_id)
    made_up.headers["X-API-Key"] = "apn_000000000000_" + "0" * 48
    calls = list(_calls(there))
    assert len(calls) > 20
    for one in (client(), made_up, revoked):
        assert {_asked(one, *call) for call in calls} == {401}


def test_every_call_needs_its_scope(client: Client, there: Store) -> None:
    """Each key is let in exactly where its scope says; `admin` everywhere."""
    keys = {scope: client(scope) for scope in SCOPES | {"admin"}}
    for method, path in _calls(there):
        let_in = {scope for scope, one in keys.items() if _asked(one, method, path) != 403}
        assert let_in == {_needed(method, path), "admin"}, (method, path)


def _sent(store: Store, headers: dict[str, str], limits: Limits) -> tuple[int, int]:
    """The status, and how often the body was asked for, of a body without an end."""
    asked, status = 0, list[int]()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    scope: dict[str, Any] = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/v1/plans", "raw_path": b"/v1/plans",
        "query_string": b"", "scheme": "http", "root_path": "", "client": ("1.2.3.4", 5), "server": ("x", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    asyncio.run(make_app(store, limits=limits)(scope, receive, send))
    return status[0], asked


def test_a_body_is_not_read_before_its_key(there: Store) -> None:
    """Who has no key, or not for this, or is no JSON, costs no byte; who has one, no more than the limit."""
    with there.write() as tx:
        good, narrow = (tx.keys.create("test", [scope])[1] for scope in ("write", "read"))
    sent, limits = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, Limits(body_bytes=10_000)
    assert _sent(there, sent, limits) == (401, 0)
    assert _sent(there, sent | {"X-API-Key": narrow}, limits) == (403, 0)
    assert _sent(there, sent | {"X-API-Key": good, "Content-Type": "text/plain"}, limits) == (415, 0)
    assert _sent(there, sent | {"X-API-Key": good}, limits) == (413, 11)


def test_who_has_no_key_is_limited_by_address(client: Client) -> None:
    """Bad keys, and calls that need none but cost the store work; a good key from there is not held up by them."""
    limits = Limits(per_minute=3)
    stranger, known = client(limits=limits), client("read", limits=limits)
    assert [stranger.get("/v1/plans").status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    assert [stranger.get("/readyz").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert [stranger.get("/metrics").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert stranger.get("/healthz").status_code == 200
    assert known.get("/v1/plans").status_code == 200


@pytest.mark.parametrize("path", ["/v1/plans", "/v1/leads:route"])
def test_bodies_have_a_length_or_come_in_parts_alike(client: Client, path: str) -> None:
    """Chunked or not, they are read alike."""
    one = client("admin")
    whole = one.post(path, content=b'{"x": 1}', headers={"Content-Type": "application/json"})
    parts = one.post(path, content=iter([b'{"x"', b": 1}"]), headers={"Content-Type": "application/json"})
    assert whole.status_code == parts.status_code == 422
    assert whole.json() == parts.json()
