"""Who may not, asks too much, or sends what is no request: each refused, and never with a 500."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from apportion.service.api import Limits, plans
from apportion.service.store import Store
from tests.solver.service.api.conftest import Client

PLAN = {"problem": {"value": [[1.0]], "capacity": [1]}}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("secret", [None, "", "apn_x", "apn_000000000000_" + "0" * 48, "é" * 5, "a_b_c", "\x00"])
def test_without_a_good_key_nothing_is_told(client: Client, secret: str | None) -> None:
    """401 with WWW-Authenticate, for every kind of wrong key."""
    headers = {} if secret is None else {"X-API-Key": secret.encode()}
    for method, path in (("POST", "/v1/plans"), ("GET", "/v1/plans/x"), ("DELETE", "/v1/plans/x")):
        answer = client().request(method, path, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"]
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_revoked_key_is_good_for_nothing_at_once(client: Client, there: Store) -> None:
    """The next request is refused."""
    one = client("read")
    assert one.get("/v1/plans").status_code == 200
    with there.write() as tx:
        tx.keys.revoke(tx.keys.all()[-1].key_id)
    assert one.get("/v1/plans").status_code == 401


def test_a_key_that_is_too_narrow_is_refused(client: Client) -> None:
    """403, naming the scope that is missing; `admin` is good for all."""
    answer = client("read").post("/v1/plans", json=PLAN)
    assert answer.status_code == 403
    assert "write" in answer.json()["detail"]
    assert client("write").get("/v1/plans").status_code == 403
    assert client("admin").get("/v1/plans").status_code == 200


def test_too_many_requests_are_told_when_to_come_again(client: Client) -> None:
    """429 with Retry-After, by key; another key is not held up."""
    limits = Limits(per_minute=5)
    one = client("read", limits=limits)
    answers = [one.get("/v1/plans") for _ in range(7)]
    assert [answer.status_code for answer in answers][:5] == [200] * 5
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert client("read", limits=limits).get("/v1/plans").status_code == 200
    assert one.get("/healthz").status_code == 200


def test_too_large_a_body_is_413(client: Client) -> None:
    """By its stated length, unread; and by what comes, where no length is stated."""
    one = client("admin", limits=Limits(body_bytes=1000))
    assert one.post("/v1/plans", content=b" " * 1001, headers=JSON).status_code == 413
    parts = (b" " * 100 for _ in range(20))
    answer = one.post("/v1/plans", content=parts, headers=JSON)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_takes_too_long_is_answered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with Retry-After when its time is over."""
    monkeypatch.setattr(plans, "solved", lambda *_, **__: time.sleep(2.0))
    answer = client("admin", limits=Limits(request_seconds=0.5)).post("/v1/plans", json=PLAN)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b'{"problem": {"value": [[NaN]], "capacity": [1]}}',
        b'{"problem": {"value": [[Infinity]], "capacity": [1]}}',
        b'{"problem": {"value": [[1e999]], "capacity": [1]}}',
        b'{"problem": {"value": [[1]], "capacity": [' + b"9" * 5000 + b"]}}",
        b'{"problem": {"value": [[1]], "capacity": [' + b"9" * 400 + b"]}}",
        b"[" * 100_000,
        b"[" * 40 + b"]" * 40,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"\xff\xfe",
        b'{"leads": [{"lead_id": "\\ud800"}], "reps": [{"rep_id": "a"}]}',
        b'{"leads": [{"lead_id": "\\u0000"}], "reps": [{"rep_id": "a"}]}',
        b"{'a': 1}",
        b"",
    ],
)
def test_what_is_not_plain_json_is_refused(api: TestClient, body: bytes) -> None:
    """422, saying that the body is at fault."""
    answer = api.post("/v1/plans", content=body, headers=JSON)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]


def test_other_media_and_compressed_bodies_are_415(api: TestClient) -> None:
    """A zip bomb is never unpacked; a form or XML is not guessed at."""
    gzip = JSON | {"Content-Encoding": "gzip"}
    assert api.post("/v1/plans", content=b"\x1f\x8b", headers=gzip).status_code == 415
    assert api.post("/v1/plans", content=b"a=1", headers={"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.parametrize("path", ["/v1/plans/..%2f..%2fetc", "/v1/plans/%00", "/v1/plans/%ff", "/v1/plans/" + "x" * 300,
                                  "/v1/plans?after=-1", "/v1/plans?limit=0", "/v1/plans?after=%00",
                                  "/v1/plans?after=" + "9" * 19, "/v1/plans?limit=1e3"])  # fmt: skip
def test_path_tricks_and_odd_questions_are_refused(api: TestClient, path: str) -> None:
    """4xx, as a problem."""
    answer = api.get(path)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


LEAVES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63 - 1,
    1e308,
    -1e308,
    1e-300,
    "",
    "x",
    "=1+1",
    "2026-01-01",
    [],
    {},
    [[]],
    "é\u202e",
    "1e999",
]
NAMES = [
    *("problem", "value", "capacity", "effort", "eligible", "nurture", "equity", "leads", "reps", "lead_id", "rep_id"),
    *("created_at", "from_store", "policy", "at", "seed", "gap", "time_limit", "tier", "parcel", "score", "deal_value"),
    *("measure", "low", "high", "skills", "country", "overrides", "calendar", "lead_ids"),
]


def _fuzzed(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.random()
    if depth > 4 or kind < 0.35:
        return rng.choice(LEAVES)
    if kind < 0.6:
        return [_fuzzed(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(NAMES): _fuzzed(rng, depth + 1) for _ in range(rng.randrange(6))}


def _bent(rng: random.Random) -> dict[str, Any]:
    """A good body with some of its parts put out of shape."""
    n, m = rng.randrange(1, 4), rng.randrange(1, 3)
    tables: dict[str, Any] = {
        "leads": [{"lead_id": f"a{i}", "created_at": "2026-03-01T08:00:00Z", "score": 1.0} for i in range(n)],
        "reps": [{"rep_id": f"r{j}", "capacity": 3.0} for j in range(m)],
    }
    problem = {"value": [[float(i * j) for j in range(m)] for i in range(n)], "capacity": [1.0] * m}
    body: dict[str, Any] = tables if rng.random() < 0.5 else {"problem": problem}
    spot: Any = body if rng.random() < 0.3 else body.get("problem") or rng.choice(tables["leads"] + tables["reps"])
    for _ in range(rng.randrange(1, 4)):
        spot[rng.choice(NAMES)] = _fuzzed(rng, 3)
    return body


@pytest.mark.parametrize("seed", range(4))
def test_fuzzed_bodies_never_give_a_500(client: Client, seed: int) -> None:
    """Whatever JSON it is, the answer is below 500."""
    rng, api = random.Random(seed), client("admin", limits=Limits(per_minute=0, at_once_seconds=5.0))
    for _ in range(75):
        body = _fuzzed(rng) if rng.random() < 0.3 else _bent(rng)
        answer = api.post("/v1/plans", json=body)
        assert answer.status_code < 500, body
