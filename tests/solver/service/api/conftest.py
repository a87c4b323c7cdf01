"""Fixtures of the API: `there` is a store on SQLite that is set up, `client` makes clients of it, `api` may do all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from apportion.service.api import Limits, make_app
from apportion.service.store import Store, open_store
from apportion.service.watching import set_up_logs
from tests.solver.service.tables import set_up

Client = Callable[..., TestClient]


@pytest.fixture
def there(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """A store with twelve leads that wait for three reps."""
    path = tmp_path / "api.db"
    shutil.copy(sqlite_template, path)
    made = open_store(f"sqlite:///{path}")
    set_up(made)
    yield made
    made.close()


@pytest.fixture
def client(there: Store) -> Iterator[Client]:
    """Makes clients: their key's scopes, and the limits of the service."""
    opened: list[TestClient] = []

    def make(*scopes: str, limits: Limits | None = None, store: Store = there) -> TestClient:
        headers = {}
        if scopes:
            with store.write() as tx:
                headers["X-API-Key"] = tx.keys.create("test", scopes)[1]
        one = TestClient(
            make_app(store, limits=limits, log=set_up_logs()), headers=headers, raise_server_exceptions=False
        )
        opened.append(one.__enter__())
        return one

    yield make
    for one in opened:
        one.__exit__(None, None, None)


@pytest.fixture
def api(client: Client) -> TestClient:
    """A client that may do everything."""
    return client("admin")
