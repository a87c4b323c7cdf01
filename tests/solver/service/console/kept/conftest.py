"""A store with a plan, and the console of the service on it, called without a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from apportion.service.api.limits import Buckets
from apportion.service.console.kept.front import Front
from apportion.service.console.kept.pages import kept_application
from apportion.service.console.kept.sessions import Sessions
from apportion.service.runs import work
from apportion.service.store import Run, Store
from tests.solver.service.tables import set_up

OWN = {"X-Apportion": "console"}
PATIENCE = 60.0
POLICY: dict[str, object] = {"equity": [{"name": "fair", "measure": "opportunity", "low": 0.5}], "solve": {"gap": 0.05}}


def planned(store: Store, **options: Any) -> Run:
    """Ask for a batch, and do it."""
    with store.write(actor="test") as tx:
        tx.runs.add(**options)
    done = work(store, owner="worker")
    assert done is not None
    return done


def secret_of(store: Store, *scopes: str) -> str:
    """A new key's secret."""
    with store.write(actor="test") as tx:
        return tx.keys.create("somebody", scopes)[1]


class Seconds:
    """A clock of sessions that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Visitor:
    """One browser, more or less."""

    client: TestClient
    front: Front
    clock: Seconds

    def sign_in(self, secret: str, then: str = "/") -> Any:
        fields = {"key": secret, "then": then}
        return self.client.post("/console/signin", data=fields, headers=OWN, follow_redirects=False)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/console{path}", headers={"accept": "text/html"} | headers, follow_redirects=False)

    def post(self, path: str, fields: dict[str, Any] | None = None, **headers: str) -> Any:
        told = OWN | headers
        return self.client.post(f"/console{path}", data=fields or {}, headers=told, follow_redirects=False)

    def opened(self, run: str) -> str:
        """Open a plan, and wait until it is there; gives its root."""
        root, end = f"/runs/{run}", time.monotonic() + PATIENCE
        while "Getting ready" in (page := self.get(f"{root}/").text) and time.monotonic() < end:
            time.sleep(0.05)
        assert "How good is it?" in page, page
        return root

    def answered(self, root: str, reply: Any) -> str:
        """The answer of the job that was asked for."""
        assert reply.status_code == 202, reply.text
        job, end = reply.json()["job"], time.monotonic() + PATIENCE
        while self.get(f"{root}/jobs/{job}").json()["state"] in ("waiting", "running") and time.monotonic() < end:
            time.sleep(0.05)
        return str(self.get(f"{root}/jobs/{job}/answer").text)


Visit = Callable[..., Visitor]


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Makes visitors of a store's console: how many tries to sign in a minute, how many requests."""
    made: list[Visitor] = []

    def come(store: Store, *, tries: int = 0, per_minute: int = 0, beside: Visitor | None = None) -> Visitor:
        from starlette.applications import Starlette
        from starlette.routing import Mount

        clock = Seconds() if beside is None else beside.clock
        take, try_in = Buckets(per_minute).take, Buckets(tries).take
        front = Front(store, try_in=try_in, take=take, sessions=Sessions(clock)) if beside is None else beside.front
        app = Starlette(routes=[Mount("/console", kept_application(front))])
        one = Visitor(TestClient(app, raise_server_exceptions=False), front, clock)
        if beside is None:
            made.append(one)
        return one

    yield come
    for one in made:
        one.front.close()


@pytest.fixture
def plan(store: Store) -> Run:
    """A plan of twelve leads and three reps, in either database."""
    set_up(store, n_leads=12, policy=POLICY)
    done = planned(store)
    assert done.state == "done", done.error
    return done


def text_of(html: str) -> str:
    """What is read of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
