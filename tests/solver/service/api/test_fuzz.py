"""Whatever body comes, no answer is a bug: 10,000 spoilt bodies, some hundred of them each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from apportion.service.api import Limits
from tests.solver.service.api.bodies import GOOD, Sent, spoilt
from tests.solver.service.api.conftest import Client

LIMITS = Limits(per_minute=0, at_once_seconds=2.0, body_bytes=4 * 2**20)
INSIDES = (
    "Traceback",
    "site-packages",
    "sqlalchemy",
    "sqlite3",
    "psycopg",
    "pydantic",
    "numpy",
    "pandas",
    ".py",
    "SELECT ",
)
BEYOND = (500, 501, 502, 503)  # 504 is an answer: a time limit came before a plan


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


def _answered(api: TestClient, one: Sent) -> int:
    body = _pieces(one.body) if one.parts else one.body
    answer = api.request(one.method, one.path, content=body, headers=one.headers)
    told = (one.method, one.path, one.headers, one.body[:2000], answer.text[:500])
    assert answer.status_code not in BEYOND, told
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", told
        problem = answer.json()
        said = problem["detail"] + "".join(fault["message"] for fault in problem["errors"])
        assert not any(word in said for word in INSIDES), told
    return answer.status_code


def _all(api: TestClient, seed: int, count: int) -> Counter[int]:
    return Counter(_answered(api, one) for one in spoilt(seed, count))


def test_the_bodies_that_are_spoilt_are_good(api: TestClient) -> None:
    """Else the fuzzing would only try the door."""
    for method, path, body in GOOD:
        answer = api.request(method, path, json=body)
        gone = path in ("/v1/plans/none", "/v1/policies:roll-back")
        assert answer.status_code < 300 or gone, (path, answer.text)


def test_spoilt_bodies_never_give_a_500(client: Client) -> None:
    """Refused or answered; every refusal is a problem that tells nothing of our insides."""
    seen = _all(client("admin", limits=LIMITS), seed=0, count=200)
    assert seen[422] > 40
    assert seen[200] + seen[201] > 15


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_ten_thousand_spoilt_bodies_never_give_a_500(client: Client, seed: int) -> None:
    """As above, a thousand a seed."""
    print(seed, dict(_all(client("admin", limits=LIMITS), seed=seed, count=1000)))
