"""Fixtures of the service's tests: `store` runs each test on both databases, `url` is an empty one of either."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from apportion.service.store import Store, open_store
from tests.solver.service.databases import KINDS, own_database, server_url


class FakeClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        """Forward, or back."""
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def server() -> Iterator[sa.URL]:
    with server_url() as address:
        yield address


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database."""
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with own_database(request.getfixturevalue("server")) as address:
        yield address


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema in it, to be copied."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    made = open_store(f"sqlite:///{path}")
    made.migrate()
    with made.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    made.close()
    return path


@pytest.fixture(scope="session")
def server_template(server: sa.URL) -> Iterator[str]:
    """The name of a database with the schema in it, to be copied."""
    with own_database(server) as address:
        made = open_store(address)
        made.migrate()
        made.close()
        yield str(sa.make_url(address).database)


@pytest.fixture
def ready_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the schema in it."""
    if kind == "sqlite":
        path = tmp_path / "ready.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    with own_database(request.getfixturevalue("server"), request.getfixturevalue("server_template")) as address:
        yield address


@pytest.fixture
def store(ready_url: str, clock: FakeClock) -> Iterator[Store]:
    """A store on either database, whose time is `clock`'s."""
    made = open_store(ready_url, clock=clock)
    yield made
    made.close()
